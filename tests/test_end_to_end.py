"""The real chain with the shipped weights, on the sample video whose truth is known, and on real clips."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from examples.make_sample import make_sample, package_file
from fercli import tables
from fercli.cli.entry import main
from fercli.hashing import digest
from tests.media_samples import cut_short, ffmpeg

REPOSITORY = Path(__file__).parent.parent
KILLS = 20

pytestmark = pytest.mark.slow


class Sample:
    """The sample video, annotated once."""

    def __init__(self, folder: Path) -> None:
        self.video = folder / "sample.mp4"
        self.truth = make_sample(self.video)
        self.output = folder / "sample.json"
        self.workspace = folder / "sample.fercli"
        assert main(["annotate", str(self.video), "-o", str(self.output), "-q"]) == 0
        self.document: dict[str, Any] = json.loads(self.output.read_text())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return Sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def copy(sample: Sample, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample.workspace, tmp_path / "sample.fercli"))


def table_digests(workspace: Path) -> dict[str, str]:
    return {str(path.relative_to(workspace)): digest(path) for path in sorted(workspace.rglob("*.parquet"))}


def persons_by_shot(document: dict[str, Any], truth: Any) -> list[set[str]]:
    return [
        {
            record["object"]
            for record in document["segments"]
            if record["seconds"] < shot["end_s"] and record["end"] > shot["start_s"]
        }
        for shot in truth["shots"]
    ]


def test_two_persons_and_the_man_is_the_same_before_and_after(sample: Sample) -> None:
    first, second, third = persons_by_shot(sample.document, sample.truth)
    assert len(sample.document["persons"]) == 2
    assert first == third and len(first) == len(second) == 1 and first != second


def test_a_picture_gives_a_name_that_the_cast_keeps_and_corrections_outlive_a_new_run(
    sample: Sample, copy: Path, tmp_path: Path
) -> None:
    gallery, show = tmp_path / "people", tmp_path / "show.cast"
    gallery.mkdir()
    shutil.copy(package_file("skimage", "data/astronaut.png", "scikit-image"), gallery / "Eileen.png")

    def names() -> list[str]:
        persons: list[str] = tables.read_table(copy / "persons" / "persons.parquet", tables.PERSONS)[
            "person"
        ].to_pylist()
        return persons

    assert main(["track", str(copy), "--gallery", str(gallery), "--cast", str(show), "-q"]) == 0
    assert names() == ["Person 1", "Eileen", "Person 1"]
    assert main(["people", "rename", str(copy), "Person 1", "Karl"]) == 0
    assert main(["track", str(copy), "--cast", str(show), "-q"]) == 0
    assert names() == ["Karl", "Eileen", "Karl"], "both from the cast, without a gallery"
    assert main(["track", str(copy), "-q"]) == 0
    assert names() == ["Person 1", "Person 2", "Person 1"]
    for command in (["classify-emotions", str(copy)], ["export", str(copy), "-o", str(tmp_path / "out.json")]):
        assert main([*command, "-q"]) == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert {record["object"] for record in document["segments"] if record["track"] == 1} == {"Person 2"}
    others = [(record["track"], record["object"]) for record in document["segments"] if record["track"] != 1]
    assert set(others) == {(0, "Karl"), (2, "Karl")}


def test_the_woman_smiles(sample: Sample) -> None:
    shot = sample.truth["shots"][1]
    inside = [r for r in sample.document["segments"] if shot["start_s"] <= r["seconds"] < shot["end_s"]]
    assert {record["class"] for record in inside} == {"happy"}


def test_segments_never_cross_a_cut_and_cover_what_is_seen(sample: Sample) -> None:
    for record in sample.document["segments"]:
        assert any(
            shot["start_s"] - 0.05 <= record["seconds"] < record["end"] <= shot["end_s"] + 0.05
            for shot in sample.truth["shots"]
        )
    covered = sum(r["end"] - r["seconds"] for r in sample.document["segments"] + sample.document["not_assessable"])
    assert covered == pytest.approx(sample.document["video"]["duration_s"], abs=0.3)


def test_records_have_the_keys_all_persons_relies_on(sample: Sample, copy: Path) -> None:
    out = copy.parent / "records.json"
    assert main(["export", str(copy), "-o", str(out), "--format", "records", "-q"]) == 0
    records = json.loads(out.read_text())
    assert len(records) == len(sample.document["segments"]) > 0
    for record in records:
        assert list(record)[:4] == ["type", "class", "seconds", "object"]
        assert record["type"] == "emotion" and isinstance(record["seconds"], float)


def test_a_stage_at_a_time_gives_the_same_tables(sample: Sample, tmp_path: Path) -> None:
    workspace = tmp_path / "stages.fercli"
    commands = [
        ["extract-frames", str(sample.video), str(workspace), "--no-images"],
        ["detect-faces", str(workspace)],
        ["track", str(workspace)],
        ["classify-emotions", str(workspace)],
        ["export", str(workspace), "-o", str(tmp_path / "out.json")],
    ]
    assert [main([*command, "-q"]) for command in commands] == [0] * 5
    assert table_digests(workspace) == table_digests(sample.workspace)
    assert json.loads((tmp_path / "out.json").read_text()) == {
        **sample.document,
        "provenance": json.loads((tmp_path / "out.json").read_text())["provenance"],
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], []),
        (["--device", "cpu", "--batch", "3"], []),
        (["--format", "csv"], []),
        (["--min-face", "30"], ["classify-emotions"]),
        (["--max-distance", "0.5"], ["persons"]),
        (["--min-score", "0.55"], ["detect-faces"]),  # every face scores above it: the tables stay the same
        (["--shot-threshold", "2.9"], ["extract-frames"]),
    ],
)
def test_a_changed_option_runs_exactly_the_right_stages(
    sample: Sample, copy: Path, capsys: pytest.CaptureFixture[str], options: list[str], expected: list[str]
) -> None:
    output = copy.parent / ("out.csv" if "csv" in options else "out.json")
    assert main(["annotate", str(sample.video), "-o", str(output), "--workdir", str(copy), *options]) == 0
    err = capsys.readouterr().err
    assert [line.split(":")[0] for line in err.splitlines() if ": runs, because" in line] == expected
    assert output.exists()


def test_weights_of_another_training_run_only_what_they_decide(
    sample: Sample, copy: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from dataclasses import replace

    from fercli.models.weights import load_state, read_header, save_classifier

    shipped = next((REPOSITORY / "weights").glob("tsm-*.safetensors"))
    mine = tmp_path / "mine.safetensors"
    header = read_header(shipped)
    heads = tuple(replace(head, temperature=9.0) for head in header.heads)
    save_classifier(mine, load_state(shipped), replace(header, heads=heads))
    output = str(tmp_path / "out.json")
    assert main(["annotate", str(sample.video), "-o", output, "--workdir", str(copy), "--model", str(mine)]) == 0
    err = capsys.readouterr().err
    assert [line.split(":")[0] for line in err.splitlines() if ": runs, because" in line] == ["classify-emotions"]


def test_sigkill_at_random_moments_changes_nothing(sample: Sample, tmp_path: Path) -> None:
    expected = table_digests(sample.workspace)
    workspace, output = tmp_path / "killed.fercli", tmp_path / "killed.json"
    command = [sys.executable, "-m", "fercli.cli.entry", "annotate", str(sample.video), "-o", str(output)]
    command += ["--workdir", str(workspace), "-q"]
    started = time.monotonic()
    subprocess.run(command, cwd=REPOSITORY, check=True)
    whole = time.monotonic() - started
    assert table_digests(workspace) == expected
    shutil.rmtree(workspace)
    output.unlink()
    randomly, kills = random.Random(11), 0
    while kills < KILLS:
        process = subprocess.Popen(command, cwd=REPOSITORY)
        try:
            process.wait(randomly.uniform(0.1, 0.9) * whole)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        assert process.wait() in (0, -signal.SIGKILL)
        if process.returncode == 0:
            assert table_digests(workspace) == expected
            assert output.read_bytes() == sample.output.read_bytes()
            shutil.rmtree(workspace)
            output.unlink()
    subprocess.run(command, cwd=REPOSITORY, check=True)
    assert table_digests(workspace) == expected
    assert output.read_bytes() == sample.output.read_bytes()
    assert not [path.name for path in workspace.iterdir() if path.suffix in (".partial", ".new", ".old")]


def test_a_truncated_video_is_annotated_as_far_as_it_decodes(
    sample: Sample, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.mp4"
    ffmpeg("-i", str(sample.video), "-c", "copy", "-movflags", "+faststart", str(whole))
    broken = cut_short(whole, tmp_path / "broken.mp4", 0.6)
    assert main(["annotate", str(broken), "-o", str(tmp_path / "out.json")]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert any("of 300 frames" in line for line in warnings)
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["segments"] and any("of 300 frames" in line for line in document["warnings"])


def test_no_faces_give_a_valid_empty_result(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = shared_data / "videos" / "pyfeat_no_face.mp4"
    assert main(["annotate", str(video), "-o", str(tmp_path / "out.json")]) == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["persons"] == document["segments"] == document["not_assessable"] == []
    assert "no face was found, so there is nothing to annotate" in capsys.readouterr().err


def test_a_man_who_begins_to_smile(shared_data: Path, tmp_path: Path) -> None:
    """pyfeat_single_face.mp4: one man, neutral to smiling."""
    video = shared_data / "videos" / "pyfeat_single_face.mp4"
    assert main(["annotate", str(video), "-o", str(tmp_path / "out.json"), "-q"]) == 0
    document = json.loads((tmp_path / "out.json").read_text())
    assert len(document["persons"]) == 1
    assert document["segments"][-1]["class"] == "happy"


def test_times_are_those_a_player_shows(shared_data: Path, tmp_path: Path) -> None:
    """The pictures of hamilton_short.mp4 begin at 0.852 s and its sound, with which players begin, at 0.008 s."""
    video = shared_data / "videos" / "hamilton_short.mp4"
    workspace = tmp_path / "hamilton.fercli"
    assert main(["extract-frames", str(video), str(workspace), "--no-images", "-q"]) == 0
    pts = tables.read_table(workspace / "frames" / "frames.parquet", tables.FRAMES)["pts_s"].to_pylist()
    assert pts[0] == pytest.approx(0.844, abs=0.001)
    assert pts[-1] < 0.844 + 275 / 29.97
