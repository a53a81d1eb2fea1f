"""Runs ``python -m tuning.sft`` with FSDP on processors, which accelerate keeps for GPUs."""

import sys

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

from tuning.sft import __main__ as sft
from tuning.sft import training as sft_training


class Trainer(sft_training.GeneratingTrainer):
    def train(self, *args, **kwargs):
        found = super().train(*args, **kwargs)
        shared_out = [isinstance(weight, DTensor) for weight in self.model_wrapped.parameters()]
        assert all(shared_out), "Expected every weight shared out between the processes."
        return found


PartialState._prepare_backend = lambda *_, **__: ("gloo", DistributedType.MULTI_GPU)
PartialState.set_device = lambda self: setattr(self, "device", torch.device("cpu"))
sft_training._on_processors = lambda: {"ddp_backend": "gloo"}
sft_training.GeneratingTrainer = Trainer
sys.exit(sft.main())
