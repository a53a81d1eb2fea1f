"""Runs ``python -m tuning.sft`` with FSDP on processors; accelerate allows it on GPUs only."""

import sys

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

from tuning.sft import __main__ as sft
from tuning.sft import training as sft_training


class Trainer(sft_training.GeneratingTrainer):
    def train(self, *args, **kwargs):
        result = super().train(*args, **kwargs)
        sharded = [isinstance(weight, DTensor) for weight in self.model_wrapped.parameters()]
        assert all(sharded), "Expected every weight sharded between the processes."
        return result


PartialState._prepare_backend = lambda *_, **__: ("gloo", DistributedType.MULTI_GPU)
PartialState.set_device = lambda self: setattr(self, "device", torch.device("cpu"))
sft_training._on_processors = lambda: {"ddp_backend": "gloo"}
sft_training.GeneratingTrainer = Trainer
sys.exit(sft.main())
