"""One training in two processes, started by torchrun as a user would, on the CPU (gloo)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from command_line import REPOSITORY
from training_samples import log_of, short, short_file, write_data

from textdifuse_ros.model import weights
from textdifuse_ros.model.network import FusionNetwork
from textdifuse_ros.train import bank

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # starts Python three times, side by side


def start(*arguments: object) -> subprocess.Popen[str]:
    """`textdifuse` in two processes of one thread, in a group of their own."""
    module = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    command = [sys.executable, *module, "-m", "textdifuse_ros.cli.main", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it printed, once it has ended by itself."""
    try:
        return process.communicate(timeout=380)
    finally:
        process.terminate()  # torchrun takes its processes along, if they are there still
        process.wait()


def checkpoint(run: Path) -> dict[str, Any]:
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    assert isinstance(state, dict)
    return state


def test_two_processes_train_one_network_until_the_clock_of_the_first_ends_it(tmp_path: Path) -> None:
    write_data(tmp_path / "data")
    config = short_file(tmp_path / "config.json", iterations=10**6, minutes=0.01)
    place = ("--data", tmp_path / "data", "--output", tmp_path / "run", "--config", config)
    process = start("train", *place)
    out, errors = end(process)
    assert process.returncode == 0, errors
    assert out == f"{tmp_path / 'run' / 'teacher.safetensors'}\n"
    assert errors.count("update 1/1000000") == 1
    state = checkpoint(tmp_path / "run")
    assert set(state["network"]) == set(FusionNetwork(short(1).model).state_dict())
    steps = [row["step"] for row in log_of(tmp_path / "run")]
    assert steps == sorted(set(steps)) and steps[0] == 1
    assert weights.load(tmp_path / "run" / "teacher.safetensors").config == short(1).model


def test_two_processes_share_a_bank_and_stop_together(tmp_path: Path) -> None:
    write_data(tmp_path / "data")
    torch.manual_seed(0)
    weights.save(FusionNetwork(short(1).model), tmp_path / "teacher.safetensors")
    config = short_file(tmp_path / "config.json", iterations=10**6)
    place = ("--data", tmp_path / "data", "--output", tmp_path / "run", "--config", config)
    process = start("distill", *place, "--teacher", tmp_path / "teacher.safetensors")
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "update 1/" in line:
            process.send_signal(signal.SIGTERM)
            break
    _, rest = end(process)
    errors = "".join(lines) + rest
    assert errors.count("and saved; the same command goes on from there") == 1, errors
    assert (tmp_path / "run" / bank.FILE).is_file()
    stopped = checkpoint(tmp_path / "run")["step"]
    assert stopped >= log_of(tmp_path / "run")[-1]["step"] >= 1
