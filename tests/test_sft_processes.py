"""The supervised fine-tune with several processes, as several GPUs would run it."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT, STATE

ACCELERATE = ROOT / "tuning" / "configs" / "accelerate"
TWO = ["--num_processes", "2", "--mixed_precision", "no", "--main_process_port", "0"]
LAUNCH = ["accelerate.commands.launch", *TWO, "--config_file"]
LAUNCHERS = {
    "data": ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "tuning.sft"],
    "fsdp": [*LAUNCH, str(ACCELERATE / "fsdp.yaml"), "-m", "tests.fsdp"],
    "deepspeed": [*LAUNCH, str(ACCELERATE / "deepspeed.yaml"), "-m", "tuning.sft"],
}


@pytest.fixture
def two_processes(config, tmp_path):
    """Return a function that trains two steps with two processes and returns the weights."""

    def call(launcher, method):
        file = config(method=method, max_steps=2, mixed_precision="no", generated=2)
        command = [sys.executable, "-m", *LAUNCHERS[launcher]]
        done = subprocess.run(
            [*command, "--config", str(file), "--state", str(STATE)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stdout.count("Saved in") == 1
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        # Two steps of two rows in each of two processes are all eight rows.
        assert metrics["evaluations"][-1]["epoch"] == 1.0
        (file,) = (tmp_path / "out").glob("*.safetensors")
        return load_file(file)

    return call


# FSDP shards weights and optimiser, DeepSpeed gradients and optimiser.
@pytest.mark.parametrize(("launcher", "method"), [("fsdp", "lora"), ("deepspeed", "full")])
def test_two_processes_train_one_model_whatever_is_sharded(two_processes, launcher, method):
    """As several GPUs would: each process reads its share of the rows, and one writes the result."""
    if launcher == "deepspeed":
        pytest.importorskip("deepspeed", reason="needs: pip install deepspeed")
    expected = two_processes("data", method)
    found = two_processes(launcher, method)
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(found[name], weight, atol=1e-5, rtol=1e-3)
