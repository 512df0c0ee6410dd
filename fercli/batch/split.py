"""A long stage of one video is split: other workers do pieces of its chunks, and write them into the workspace.

The process that runs the stage waits for them, does what is left, and joins the chunks, so the tables are those of a
run without other workers. Workers that have a video of their own do not take part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fercli.batch.workers import PIECE, Workers, kit_of_worker, new_key, results, without_video
from fercli.chain import STAGES
from fercli.errors import WorkspaceError
from fercli.pipeline import Piece, Share, run_piece
from fercli.progress import Reporter, Silent
from fercli.version import VERSION

if TYPE_CHECKING:
    from distributed import Client

CHUNKS_PER_PIECE = 4
"""Seconds of work, so that a piece is worth sending: see docs/scaling.md. Stages with fewer than two pieces are not
split."""


def share_through(client: Callable[[], Client]) -> Share:
    """For a process that is no worker: all workers do pieces. `client` is called when there are pieces."""

    def share(piece: Piece, left: list[int], reporter: Reporter) -> list[str]:
        pieces = pieces_of(piece, left)
        return _done_by_workers(client(), pieces, len(left), reporter, 0) if pieces else []

    return share


def share_from_worker(number: int) -> Share:
    """For a worker that runs the stages of video `number`: workers without a video do pieces, and it does so itself."""

    def share(piece: Piece, left: list[int], reporter: Reporter) -> list[str]:
        from distributed import get_client, worker_client

        pieces = pieces_of(piece, left)
        if not pieces or not without_video(get_client()):
            return []
        with worker_client() as client:  # gives the place of this task to a piece
            return _done_by_workers(client, pieces, len(left), reporter, -number)

    return share


def pieces_of(piece: Piece, left: list[int]) -> list[Piece]:
    """The pieces of a stage that is worth splitting; else none.

    Args:
        piece: an example.
        left: numbers of the chunks that are left, ascending.
    """
    groups = [left[first : first + CHUNKS_PER_PIECE] for first in range(0, len(left), CHUNKS_PER_PIECE)]
    return [replace(piece, first=own[0], end=own[-1] + 1) for own in groups] if len(groups) > 1 else []


def _done_by_workers(client: Client, pieces: list[Piece], chunks: int, reporter: Reporter, priority: int) -> list[str]:
    """Wait for all pieces; returns the warnings of the stage.

    Raises:
        WorkspaceError: the workers died on a piece, or do not see the workspace.
        FercliError: as the stage.
    """
    from distributed import KilledWorker

    workers = Workers(client)

    def submit(piece: Piece) -> Any:
        options = {"workers": workers.allowed, "priority": priority, "key": new_key(PIECE)}
        return client.submit(_on_worker, piece, VERSION, **options)

    def refused(piece: Piece, problem: str) -> None:
        reporter.warn(problem)

    workers.check()
    warnings: list[str] = []
    with reporter.task(title_of(pieces[0]), chunks, "chunk") as task:
        for piece, result in results(client, pieces, submit, workers, refused):
            if isinstance(result, KilledWorker):
                raise WorkspaceError(
                    f"the workers that worked on {piece.workspace} died, {result.allowed_failures + 1} times in a row",
                    hint="there may be too little memory: try fewer --jobs; finished work is kept",
                    code="worker-lost",
                ) from result
            if isinstance(result, BaseException):
                raise result
            warnings += result
            task.advance(min(CHUNKS_PER_PIECE, piece.end - piece.first))
    return warnings


def title_of(piece: Piece) -> str:
    """The stage of a piece, as in messages."""
    return next(stage.title for stage in STAGES if stage.name == piece.stage)


def _on_worker(piece: Piece, version: str) -> list[str]:
    return run_piece(piece, Silent(), kit_of_worker(version).models)
