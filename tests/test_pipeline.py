"""Staleness, resuming, and what survives a SIGKILL, over the fake chain."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fercli import chain, pipeline, tables
from fercli.config import Runtime
from fercli.errors import (
    ConfigError,
    FercliError,
    InputError,
    MissingStage,
    OutputError,
    VideoError,
    WeightsError,
    WorkspaceLocked,
)
from fercli.hashing import digest
from fercli.models import loaded
from fercli.models.loaded import Models
from fercli.models.spec import ModelSpec
from fercli.progress import Silent
from fercli.stages.base import StageContext
from fercli.workspace import FileState, Workspace, require_tables, staleness
from tests import fake_stages
from tests.fake_stages import FRAMES_PER_CHUNK, N_FRAMES, STAGES, WEIGHTS, FakeParams, Log, facts, run_chain

ALL = [stage.title for stage in STAGES]
TABLES = ("frames", "faces", "crops", "tracks", "embeddings", "persons", "emotions", "segments")
KILLS = 25


class Talk(Silent):
    """A reporter that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def ran(self) -> list[str]:
        return [note.split(":")[0] for note in self.notes if ": runs, because" in note]

    def why(self, stage: str) -> str:
        return next(note for note in self.notes if note.startswith(f"{stage}: ")).removeprefix(f"{stage}: ")


@pytest.fixture(autouse=True)
def fake_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "STAGES", STAGES)


@pytest.fixture
def finished(video: Path, tmp_path: Path) -> Workspace:
    workspace = Workspace.create(tmp_path / "episode.fercli", facts(video))
    run_chain(workspace)
    return workspace


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    Log.path = tmp_path / "log.txt"
    yield Log.path
    Log.path = None


def again(workspace: Workspace, **values: int) -> Talk:
    talk = Talk()
    run_chain(workspace, talk, **values)
    return talk


def test_first_run_runs_everything_and_second_nothing(video: Path, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w.fercli", facts(video))
    assert again(workspace).ran() == ALL
    talk = again(workspace)
    assert talk.ran() == []
    assert talk.notes == [f"{name}: up to date" for name in ALL]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        # the fake frames do not depend on the parameter, so nothing after them has to run
        ("extract_frames", ["extract-frames"]),
        ("detect_faces", ["detect-faces", "track", "persons", "classify-emotions"]),
        # the fake emotions read tracks, which stay as they were, and no embeddings
        ("track", ["track", "persons"]),
        ("persons", ["persons"]),
        ("classify_emotions", ["classify-emotions"]),
    ],
)
def test_a_changed_parameter_runs_exactly_what_depends_on_it(
    finished: Workspace, changed: str, expected: list[str]
) -> None:
    talk = again(finished, **{changed: 2})
    assert talk.ran() == expected
    assert talk.why(expected[0]) == "runs, because value was 1 and is now 2"
    assert again(finished, **{changed: 2}).ran() == []


def test_changed_weights_run_their_stage(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WEIGHTS, "fake-net", "1" * 64)
    talk = again(finished)
    assert talk.ran() == ["classify-emotions"]
    assert "the weights of fake-net have changed" in talk.why("classify-emotions")


def test_a_changed_byte_of_the_video_runs_everything_that_sees_it(finished: Workspace, video: Path) -> None:
    video.write_bytes(b"\x02not really a video")
    talk = again(Workspace.create(finished.path, facts(video)))
    assert talk.ran() == ["extract-frames", "detect-faces", "track", "persons", "classify-emotions"]
    assert "the video has changed" in talk.why("extract-frames")


def test_a_new_stage_version_runs_it(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = tuple(replace(stage, version=2) if stage.name == "tracks" else stage for stage in STAGES)
    monkeypatch.setattr(chain, "STAGES", newer)
    monkeypatch.setattr(fake_stages, "STAGES", newer)
    talk = again(finished)
    assert talk.ran() == ["track"]
    assert "version 1 before, 2 now" in talk.why("track")


@pytest.mark.parametrize("table", TABLES)
def test_an_altered_or_missing_table_is_made_again(finished: Workspace, table: str) -> None:
    path = finished.table(table)
    stage = chain.STAGE_OF[table].title
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    talk = again(finished)
    assert talk.ran() == [stage]
    assert talk.why(stage) == f"runs, because {path.parent.name}/{path.name} was altered"
    path.unlink()
    talk = again(finished)
    assert talk.ran() == [stage]
    assert "is missing" in talk.why(stage)
    assert path.read_bytes() == before


def test_device_and_batch_are_no_reason_to_run(finished: Workspace) -> None:
    talk = Talk()
    with finished.lock():
        pipeline.run(finished, [(stage, FakeParams()) for stage in STAGES], Runtime("cpu", 7), talk)
    assert talk.ran() == []


def test_force_runs_fresh_stages(finished: Workspace) -> None:
    talk = Talk()
    with finished.lock():
        pipeline.run(finished, [(STAGES[2], FakeParams())], Runtime(), talk, force=True)
    assert talk.ran() == ["track"]


def test_a_stage_alone_needs_the_earlier_ones_fresh(video: Path, tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w.fercli", facts(video))
    with pytest.raises(MissingStage, match="track needs extract-frames first: it has not run yet") as caught:
        pipeline.run(workspace, [(STAGES[2], FakeParams())], Runtime(), Silent())
    assert caught.value.hint == f"run: fercli extract-frames {video.resolve()} {workspace.path}"


def test_a_stage_alone_refuses_stale_input(finished: Workspace) -> None:
    finished.table("faces").unlink()
    with pytest.raises(MissingStage, match=r"faces/faces\.parquet is missing") as caught:
        pipeline.run(finished, [(STAGES[4], FakeParams())], Runtime(), Silent())
    assert caught.value.hint == f"with the options you gave it before, run: fercli detect-faces {finished.path}"


def test_status_names_each_reason(finished: Workspace, video: Path) -> None:
    assert [row.reason for row in pipeline.status(finished)] == [None] * len(STAGES)
    video.write_bytes(b"\x03changed")
    reasons = {row.stage.title: row.reason for row in pipeline.status(finished)}
    assert reasons["extract-frames"] == reasons["detect-faces"] == "the video has changed"
    assert reasons["track"] is None


def test_a_video_whose_file_is_unchanged_is_not_read_unless_asked(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.create(tmp_path / "w", facts(video), FileState.of(video))
    run_chain(workspace)
    read: list[Path] = []

    def noting(path: Path) -> str:
        read.append(path)
        return digest(path)

    monkeypatch.setattr(staleness, "digest", noting)
    assert [row.reason for row in pipeline.status(workspace)] == [None] * len(STAGES)
    assert video not in read
    state = video.stat()
    content = video.read_bytes()
    video.write_bytes(bytes([content[0] + 1]) + content[1:])
    os.utime(video, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert [row.reason for row in pipeline.status(workspace)] == [None] * len(STAGES)
    reasons = {row.stage.name: row.reason for row in pipeline.status(workspace, verify=True)}
    assert reasons["frames"] == "the video has changed" and read.count(video) == 1


def test_a_video_that_is_gone_only_stops_the_stages_that_need_it(finished: Workspace, video: Path) -> None:
    video.unlink()
    assert [row.reason for row in pipeline.status(finished)] == [None] * len(STAGES)
    with finished.lock():
        pipeline.run(finished, [(STAGES[2], FakeParams(5))], Runtime(), Silent())
        with pytest.raises(VideoError, match=r"detect-faces needs the video, but .* is missing"):
            pipeline.run(finished, [(STAGES[1], FakeParams(5))], Runtime(), Silent())


def test_a_failed_stage_leaves_the_old_result_and_its_chunks(
    finished: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest(finished.path / "faces")

    def fail_late(line: str) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        if line == "chunk 3":
            raise KeyboardInterrupt

    monkeypatch.setattr(Log, "add", fail_late)
    with pytest.raises(KeyboardInterrupt):
        again(finished, detect_faces=2)
    assert digest(finished.path / "faces") == before
    monkeypatch.undo()
    monkeypatch.setattr(chain, "STAGES", STAGES)
    log.unlink()
    again(finished, detect_faces=2)
    assert log.read_text().split("\n")[0] == "chunk 3"
    assert not list(finished.path.glob("*.partial"))


def test_chunks_of_other_parameters_are_not_used(
    finished: Workspace, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(line: str) -> None:
        if line == "chunk 3":
            raise KeyboardInterrupt

    monkeypatch.setattr(Log, "add", stop)
    with pytest.raises(KeyboardInterrupt):
        again(finished, detect_faces=2)
    monkeypatch.undo()
    monkeypatch.setattr(chain, "STAGES", STAGES)
    again(finished, detect_faces=3)
    assert log.read_text().startswith("chunk 0")
    assert finished.receipt("faces").params == {"value": 3}  # type: ignore[union-attr]


def test_a_full_disk_keeps_the_old_result_and_says_so(finished: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(finished.path / "tracks")

    def full(line: str) -> None:
        raise OSError(28, "No space left on device", "tracks.parquet")

    monkeypatch.setattr(Log, "add", full)
    with pytest.raises(OutputError, match=r"cannot write tracks\.parquet: No space left on device") as caught:
        again(finished, track=2)
    assert "free some space" in caught.value.hint
    assert digest(finished.path / "tracks") == before


def test_two_processes_do_not_work_in_one_workspace(finished: Workspace) -> None:
    code = "import sys; from pathlib import Path; from fercli.workspace import Workspace\n"
    code += "with Workspace.open(Path(sys.argv[1])).lock(): print('locked', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(finished.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(WorkspaceLocked, match="another fercli process"), finished.lock():
            pass
        other.stdin.close()
    with finished.lock():
        pass


def table_digests(workspace: Path) -> dict[str, str]:
    return {str(path.relative_to(workspace)): digest(path) for path in sorted(workspace.rglob("*.parquet"))}


@pytest.mark.slow
def test_sigkill_at_random_moments_loses_at_most_one_chunk(finished: Workspace, video: Path, tmp_path: Path) -> None:
    expected = table_digests(finished.path)
    chunks = N_FRAMES // FRAMES_PER_CHUNK
    randomly = random.Random(7)
    kills = rounds = 0
    while kills < KILLS:
        rounds += 1
        workspace, log = tmp_path / f"killed-{rounds}.fercli", tmp_path / f"log-{rounds}.txt"
        command = [sys.executable, "-m", "tests.fake_stages", str(video), str(workspace), str(log)]
        deaths = 0
        while True:
            process = subprocess.Popen(command, cwd=Path(__file__).parent.parent, env={**os.environ})
            started = time.monotonic()
            while process.poll() is None and not log.exists() and time.monotonic() - started < 60:
                time.sleep(0.005)
            time.sleep(randomly.uniform(0, 0.25))
            if process.poll() is None and kills < KILLS:
                process.send_signal(signal.SIGKILL)
                deaths += 1
                kills += 1
            if process.wait() == 0:
                break
        done = log.read_text().splitlines()
        assert table_digests(workspace) == expected
        assert not list(workspace.glob("*.partial")) + list(workspace.glob("*.new")) + list(workspace.glob("*.old"))
        repeated = sum(line.startswith("chunk") for line in done) - chunks
        assert 0 <= repeated <= deaths, f"{repeated} chunks done again after {deaths} kills"
        again_whole = len([line for line in done if not line.startswith("chunk")]) - (len(STAGES) - 1)
        assert 0 <= again_whole <= deaths


def test_receipts_tell_how_a_result_was_made(finished: Workspace) -> None:
    receipt = json.loads((finished.path / "emotions" / "receipt.json").read_text())
    assert receipt["stage"] == "classify-emotions"
    assert receipt["inputs"]["faces"] == digest(finished.table("faces"))
    assert receipt["weights"] == WEIGHTS
    assert receipt["outputs"]["segments.parquet"] == digest(finished.table("segments"))


@pytest.mark.parametrize("gone", [WeightsError("no weights file mine.safetensors"), InputError("no gallery at people")])
def test_a_network_or_gallery_that_is_gone_makes_no_result_worse(
    finished: Workspace, monkeypatch: pytest.MonkeyPatch, gone: FercliError
) -> None:
    def missing(params: FakeParams) -> dict[str, str]:
        raise gone

    changed = [replace(stage, weights=missing, outside=missing) for stage in STAGES]
    monkeypatch.setattr(chain, "STAGES", changed)
    assert [row.reason for row in pipeline.status(finished)] == [None] * len(STAGES)
    finished.table("tracks").unlink()
    assert [row.stage.title for row in pipeline.status(finished) if row.reason] == [
        "track",
        "persons",
        "classify-emotions",
    ]


@pytest.mark.parametrize("what", ["check", "weights"])
def test_what_cannot_be_used_in_the_last_stage_is_found_before_the_first_runs(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def refuse(params: FakeParams) -> dict[str, str]:
        raise ConfigError("a value of 2 cannot be used")

    changed = [replace(stage, **{what: refuse}) if stage is STAGES[-1] else stage for stage in STAGES]  # type: ignore[arg-type]
    workspace = Workspace.create(tmp_path / "w", facts(video))
    with pytest.raises(ConfigError, match="a value of 2"):
        pipeline.run(workspace, [(stage, FakeParams()) for stage in changed], Runtime(), Silent())
    assert not (workspace.path / "frames").exists()


def test_what_reads_a_result_needs_it_fresh(finished: Workspace) -> None:
    require_tables(finished, "segments", what="export", hashed=True)
    finished.table("faces").unlink()
    with pytest.raises(MissingStage, match=r"export needs detect-faces first: faces/faces\.parquet is missing"):
        require_tables(finished, "segments", what="export", hashed=True)
    require_tables(finished, "frames", what="a reader of frames", hashed=True)


@pytest.mark.parametrize("wrong", [{"batch": -1}, {"batch": -5}, {"device": "gpu"}])
def test_what_nothing_can_be_run_with(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        Runtime(**wrong)
    assert caught.value.hint


def test_a_stage_that_does_not_apply_says_why_in_its_receipt(
    finished: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def skipping(context: StageContext, params: FakeParams) -> dict[str, Any]:
        context.skip("the video has no sound", {"segments": tables.SEGMENTS})
        return {"segments": 0}

    changed = replace(STAGES[4], run=skipping, version=2)
    monkeypatch.setattr(chain, "STAGES", (*STAGES[:4], changed))
    with finished.lock():
        (receipt,) = pipeline.run(finished, [(changed, FakeParams())], Runtime(), Silent())
    assert receipt.skipped == "the video has no sound"
    assert finished.receipt("emotions") == receipt
    assert tables.read_table(finished.table("segments"), tables.SEGMENTS).num_rows == 0
    assert [row.reason for row in pipeline.status(finished)] == [None] * len(STAGES)


def test_two_runs_with_the_same_models_load_a_network_once(
    finished: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []

    def load(spec: ModelSpec, given: str, device: str) -> object:
        loads.append(spec.name)
        return object()

    def using(context: StageContext, params: FakeParams) -> dict[str, Any]:
        context.models.load(ModelSpec("net", "detector", "module:load", "", "", ""))
        return fake_stages._emotions(context, params)

    monkeypatch.setattr(loaded, "load_model", load)
    stage, models = replace(STAGES[4], run=using), Models()
    with finished.lock():
        for value in (2, 3):
            pipeline.run(finished, [(stage, FakeParams(value))], Runtime(), Silent(), models=models)
    assert loads == ["net"]
