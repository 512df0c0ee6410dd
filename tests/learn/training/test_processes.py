"""Two processes on the CPU train one network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fercli.learn.training.processes import joined
from tests.learn.datasets.faces import npz_arrays, write_npz

TRAIN = """
import sys
from pathlib import Path
from fercli.config import TrainConfig
from fercli.progress import Silent
from fercli.learn.training import loop
from tests.learn.training.test_loop import small_network

loop.build_network = small_network
loop.finish = lambda best, data, device, reporter: None
loop.train(TrainConfig(
    "fer2013", Path(sys.argv[1]), Path(sys.argv[2]), model="resnet18", epochs=int(sys.argv[3]), batch=16, sizes=(16,),
    lr=0.01, device="cpu", precision="float32", patience=0,
), Silent())
"""


def run(root: Path, out: Path, processes: int, epochs: int = 2) -> None:
    script = out.parent / "train.py"
    script.write_text(TRAIN)
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    done = subprocess.run(
        [sys.executable, *launcher, str(script), str(root), str(out), str(epochs)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": ".", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_alone_there_is_one_process_that_decides_for_itself() -> None:
    with joined("cpu") as processes:
        assert (processes.rank, processes.count, processes.first) == (0, 1, True)
        assert processes.device == torch.device("cpu")
        processes.wait()
        assert processes.agree(True) and not processes.agree(False)


@pytest.mark.slow
def test_two_processes_train_one_network_and_go_on_exactly(tmp_path: Path) -> None:
    root = write_npz(tmp_path / "fer2013.npz", npz_arrays((64, 14, 7)))
    run(root, tmp_path / "whole", 2)
    rows = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]  # one of them writes
    whole = load_file(tmp_path / "whole" / "last.safetensors")
    run(root, tmp_path / "again", 2)
    again = load_file(tmp_path / "again" / "last.safetensors")
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    run(root, tmp_path / "alone", 1)
    alone = load_file(tmp_path / "alone" / "last.safetensors")
    moved = (whole["model.network.fc.weight"] - alone["model.network.fc.weight"]).abs().max()
    assert 0 < moved < 0.1  # other views and batch statistics, the same descent
