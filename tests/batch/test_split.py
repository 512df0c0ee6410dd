"""A stage of one video that is split into pieces: by hand, and between processes of which one is killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fercli import chain, pipeline
from fercli.batch.cluster import local_engine, open_share
from fercli.batch.events import Event, EventReporter
from fercli.batch.outcome import DONE, Outcome
from fercli.batch.split import CHUNKS_PER_PIECE, pieces_of
from fercli.batch.work import Kit, Order, Task
from fercli.config import Runtime
from fercli.errors import WorkspaceError
from fercli.models.loaded import Models
from fercli.pipeline import Piece, run_piece
from fercli.progress import Silent
from fercli.workspace import Workspace
from tests.batch.test_run import tasks_of
from tests.failing import fails
from tests.fake_stages import FRAMES_PER_CHUNK, N_FRAMES, STAGES, FakeParams, Log, facts

CHUNKS = N_FRAMES // FRAMES_PER_CHUNK
PLAN = [(stage, FakeParams()) for stage in STAGES]


@pytest.fixture(autouse=True)
def fake_chain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(chain, "STAGES", STAGES)
    yield
    Log.path = None


def workspace_of(folder: Path) -> Workspace:
    video = folder / "video.mp4"
    video.write_bytes(b"abc")
    return Workspace.create(folder / "video.fercli", facts(video))


def run(workspace: Workspace, share: pipeline.Share | None = None) -> dict[str, Any]:
    """The bytes of all tables, and the receipts without times."""
    with workspace.lock():
        pipeline.run(workspace, PLAN, Runtime(), Silent(), share=share)
    found: dict[str, Any] = {
        str(p.relative_to(workspace.path)): p.read_bytes() for p in workspace.path.rglob("*.parquet")
    }
    for file in workspace.path.rglob("receipt.json"):
        found[str(file.relative_to(workspace.path))] = json.loads(file.read_text()) | {"seconds": 0}
    assert not list(workspace.path.glob("*.partial"))
    return found


@pytest.fixture
def serial(tmp_path: Path) -> dict[str, Any]:
    """What a run without other processes writes; from the same video, because its path is in no table."""
    (tmp_path / "serial").mkdir()
    return run(workspace_of(tmp_path / "serial"))


def test_pieces_in_any_order_give_the_bytes_of_a_serial_run(tmp_path: Path, serial: dict[str, Any]) -> None:
    Log.path = tmp_path / "log"

    def backwards(piece: Piece, left: list[int], reporter: Any) -> list[str]:
        pieces = pieces_of(piece, left)
        Log.add(f"{len(pieces)} pieces")
        for one in pieces[::-1]:
            assert run_piece(one, Silent(), Models()) == []
        return []

    found = run(workspace_of(tmp_path), backwards)
    assert found == serial
    log = Log.path.read_text().splitlines()
    done = [line for line in log if line.startswith("chunk")]
    assert done == [f"chunk {n}" for n in (4, 5, 6, 7, 0, 1, 2, 3)] and "2 pieces" in log


def test_what_nobody_has_done_is_done_by_the_process_that_waits(tmp_path: Path, serial: dict[str, Any]) -> None:
    def one_of_two(piece: Piece, left: list[int], reporter: Any) -> list[str]:
        run_piece(pieces_of(piece, left)[1], Silent(), Models())
        return []

    assert run(workspace_of(tmp_path), one_of_two) == serial


def test_after_a_kill_finished_chunks_are_kept_and_the_rest_is_split_again(
    tmp_path: Path, serial: dict[str, Any]
) -> None:
    workspace, asked = workspace_of(tmp_path), []

    def killed(piece: Piece, left: list[int], reporter: Any) -> list[str]:
        asked.append(left)
        if len(asked) > 1:
            return []
        run_piece(pieces_of(piece, left)[1], Silent(), Models())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(workspace, killed)
    assert run(workspace, killed) == serial
    assert asked == [[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3]]


def test_a_short_stage_is_not_split() -> None:
    piece = Piece(Path("/w"), "faces", None, "", 0, 0, Runtime())
    assert pieces_of(piece, list(range(CHUNKS_PER_PIECE))) == []
    left = [0, 2, 3, 4, 9, 10]
    assert [(one.first, one.end) for one in pieces_of(piece, left)] == [(0, 5), (9, 11)]


def test_a_process_that_does_not_see_the_running_stage_refuses_a_piece(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path)
    run(workspace)
    piece = Piece(workspace.path, "faces", FakeParams(), "another key", 0, 4, Runtime())
    with fails(WorkspaceError, "workspace-not-shared", str(workspace.path)):
        run_piece(piece, Silent(), Models())
    (workspace.path / "faces.partial").mkdir()
    (workspace.path / "faces.partial" / "key.json").write_text("{}")
    with fails(WorkspaceError, "workspace-not-shared"):
        run_piece(piece, Silent(), Models())


def test_a_killed_process_of_an_older_run_adds_nothing_to_a_run_with_other_parameters(tmp_path: Path) -> None:
    workspace, pieces = workspace_of(tmp_path), []

    def keep(piece: Piece, left: list[int], reporter: Any) -> list[str]:
        pieces.append(piece)
        return []

    with workspace.lock():
        pipeline.run(workspace, PLAN, Runtime(), Silent(), share=keep)
    other = [(stage, FakeParams(2)) for stage in STAGES]

    def late(piece: Piece, left: list[int], reporter: Any) -> list[str]:
        if piece.stage == "faces":
            with fails(WorkspaceError, "workspace-not-shared"):
                run_piece(pieces_of(pieces[0], left)[0], Silent(), Models())
        return []

    with workspace.lock():
        pipeline.run(workspace, other, Runtime(), Silent(), share=late)
    assert len(pieces) == 1


def annotate(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """Runs the fake chain on a worker, which has it by `tests.batch.fake_worker`."""
    workspace = Workspace.create(task.place.workspace.absolute(), facts(task.job.video))
    with workspace.lock():
        pipeline.run(workspace, PLAN, Runtime(), reporter, share=kit.share)
    return Outcome(task.job.source, DONE, outputs=(str(os.getpid()),))


@pytest.fixture
def workers_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Has workers run the fake chain, and write down which process does which chunk."""
    import dask
    import distributed  # noqa: F401  # its defaults have to be there before one is changed and changed back

    monkeypatch.setenv("FERCLI_FAKE_LOG", str(tmp_path / "log"))
    with dask.config.set({"distributed.worker.preload": ["tests.batch.fake_worker"]}):
        yield tmp_path / "log"


@pytest.mark.slow
def test_workers_share_one_video_and_one_that_is_killed_costs_its_chunk(
    tmp_path: Path, serial: dict[str, Any], workers_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERCLI_FAKE_KILL", "chunk 6")
    (task,) = tasks_of(tmp_path, "a")
    events: list[Event] = []
    with local_engine(3, "cpu") as engine:
        ((_, outcome),) = engine(annotate, [task], Order((), ("json",)), events.append)
    assert outcome.state == DONE, outcome
    done = [line.split(" by ") for line in workers_log.read_text().splitlines()]
    chunks = [what for what, _ in done if what.startswith("chunk")]
    assert sorted(set(chunks)) == [f"chunk {n}" for n in range(CHUNKS)]
    assert len({who for what, who in done if what.startswith("chunk")}) >= 2
    assert chunks.count("chunk 6") == 2 and len(chunks) <= CHUNKS + 2
    tables = {p.name: p.read_bytes() for p in task.place.workspace.rglob("*.parquet")}
    assert tables["faces.parquet"] == serial["faces/faces.parquet"]
    assert tables["crops.parquet"] == serial["faces/crops.parquet"]
    assert ("detect-faces", CHUNKS, "chunk") in {(event.text, event.total, event.unit) for event in events}


@pytest.mark.slow
def test_one_video_in_this_process_has_its_pieces_done_by_workers(
    tmp_path: Path, serial: dict[str, Any], workers_log: Path
) -> None:
    Log.path = tmp_path / "own"
    with open_share(2, "", "cpu") as share:
        assert run(workspace_of(tmp_path), share) == serial
    assert "chunk" not in Log.path.read_text()
    done = [line.split(" by ")[0] for line in workers_log.read_text().splitlines()]
    assert sorted(done) == [f"chunk {n}" for n in range(CHUNKS)]


def test_without_jobs_there_are_no_other_processes() -> None:
    for jobs in (0, 1):
        with open_share(jobs, "", "cpu") as share:
            assert share is None
