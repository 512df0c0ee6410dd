"""extract-audio: the table of pieces, the facts in the receipt, and the warnings."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fercli import tables
from fercli.chain import AUDIO
from fercli.cli.entry import main
from fercli.config import AudioParams
from fercli.errors import ConfigError
from fercli.media.audio import RATE, decode
from fercli.pipeline import status
from fercli.stages.audio import check
from fercli.workspace import Receipt, Workspace
from tests.failing import fails
from tests.media_samples import bursts, ffmpeg, numbered_video, with_sound


def extracted(video: Path, *options: str) -> tuple[Workspace, Receipt]:
    place = video.with_suffix(".fercli")
    assert main(["extract-audio", str(video), str(place), "-q", *options]) == 0
    workspace = Workspace.open(place)
    receipt = workspace.receipt("audio")
    assert receipt is not None
    return workspace, receipt


def test_the_table_holds_the_sound_and_the_receipt_its_facts(tmp_path: Path) -> None:
    channels = [bursts(0.5), bursts(0.5)]
    workspace, receipt = extracted(with_sound(tmp_path / "a.mkv", channels, seconds=3, encode=("-c:a", "flac")))
    table = tables.read_table(workspace.table("sound"), tables.SOUND)
    assert table["start_s"].to_pylist() == [0.0] and table["end_s"].to_pylist() == pytest.approx([3.0], abs=0.001)
    samples = decode(table["flac"][0].as_py())
    assert len(samples) == pytest.approx(3 * RATE, abs=16) and np.abs(samples).max() == pytest.approx(0.5, abs=0.02)
    assert not receipt.warnings and not receipt.skipped
    assert receipt.counts["pieces"] == 1
    facts = {"track": 1, "tracks": 1, "channels": 2, "sample_rate": 48000, "codec": "flac"}
    assert facts.items() <= receipt.counts["facts"].items()
    assert stat.S_IMODE(workspace.table("sound").stat().st_mode) == 0o600  # a voice identifies


def test_a_second_run_has_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = with_sound(tmp_path / "a.mkv", [bursts(0.5)])
    workspace, _ = extracted(video)
    assert main(["extract-audio", str(video), str(workspace.path)]) == 0
    assert "extract-audio: up to date" in capsys.readouterr().err
    assert main(["extract-audio", str(video), str(workspace.path), "--audio-track", "2"]) == 2
    assert "error[audio-track-unknown]" in capsys.readouterr().err
    extracted(video, "--start", "1", "--end", "2")
    assert [row.stage for row in status(workspace) if row.receipt] == [AUDIO]


def test_without_sound_the_stage_is_skipped(tmp_path: Path) -> None:
    workspace, receipt = extracted(numbered_video(tmp_path / "a.mp4", 5))
    assert "no sound" in receipt.skipped and receipt.counts == {"pieces": 0}
    assert tables.read_table(workspace.table("sound"), tables.SOUND).num_rows == 0


@pytest.mark.parametrize(
    ("channels", "seconds", "warned"),
    [
        ([bursts()], 3.0, "silent from start to end"),
        ([bursts(0.5), bursts()], 3.0, "right channel"),
        ([bursts(), bursts(0.5)], 3.0, "left channel"),
        (["max(-1,min(1,3*sin(2*PI*440*t)))"], 3.0, "clipped"),
        ([bursts(0.5)], 2.5, "before the picture"),
        ([bursts(0.5)], 3.5, "after the picture"),
    ],
)
def test_what_is_wrong_with_the_sound_is_reported(
    tmp_path: Path, channels: list[str], seconds: float, warned: str
) -> None:
    video = with_sound(tmp_path / "a.mkv", channels, seconds=seconds, encode=("-c:a", "pcm_s16le"))
    _, receipt = extracted(video)
    (warning,) = receipt.warnings
    assert warned in warning and "a.mkv" in warning
    assert receipt.counts["facts"]["longer_than_picture_s"] == pytest.approx(seconds - 3, abs=0.01)


def test_an_optional_stage_is_listed_only_where_it_ran(tmp_path: Path) -> None:
    workspace, _ = extracted(with_sound(tmp_path / "a.mkv", [bursts(0.5)]))
    assert AUDIO in [row.stage for row in status(workspace)]
    assert main(["extract-frames", str(tmp_path / "a.mkv"), str(tmp_path / "b"), "-q", "--no-images"]) == 0
    assert AUDIO not in [row.stage for row in status(Workspace.open(tmp_path / "b"))]


def test_parameters_out_of_range_are_refused() -> None:
    for params in (AudioParams(-1), AudioParams(start_s=-1.0), AudioParams(start_s=3.0, end_s=2.0)):
        with fails(ConfigError, "option-out-of-range"):
            check(params)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    minute = tmp_path / "minute.flac"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{bursts(1.0)}':s=16000:d=60", str(minute))
    peaks = []
    for minutes in (2, 180):
        film = tmp_path / f"{minutes}.mka"
        ffmpeg("-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", str(film))
        words = [sys.executable, "-c", PEAK, "extract-audio", str(film), str(film.with_suffix(".fercli")), "-q"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
        pieces = tables.read_table(film.with_suffix(".fercli") / "audio" / "sound.parquet", tables.SOUND)
        assert pieces["end_s"].to_pylist()[-1] == pytest.approx(60 * minutes, abs=0.5)
    assert peaks[1] < peaks[0] + 30_000  # the samples of three hours are 690 MB


PEAK = """
import resource, sys
from fercli.cli.entry import main
assert main(sys.argv[1:]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
