"""Find the stale stages of the chain, with reasons, and run them; or a piece of a stage that another process runs."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fercli import chain
from fercli.chain import Plan, Stage, call
from fercli.config import Runtime
from fercli.errors import VideoError, WorkspaceError
from fercli.hashing import output_digests
from fercli.models.loaded import Models
from fercli.progress import Reporter
from fercli.stages.base import StageContext
from fercli.version import VERSION
from fercli.workspace import Receipt, Workspace, hint_for_moved
from fercli.workspace.chunks import Chunks
from fercli.workspace.staleness import Digests, planned_receipt, require_fresh, why_stale
from fercli.writing import OWNER_ONLY_DIRECTORY, write_atomically, writing


@dataclass(frozen=True)
class StageStatus:
    """The status of one stage: `reason` is None if it is fresh."""

    stage: Stage
    reason: str | None
    receipt: Receipt | None


@dataclass(frozen=True)
class Piece:
    """Some chunks of a stage that runs in another process, which waits for them and has locked the workspace.

    Attributes:
        workspace: absolute path of the workspace.
        stage: name of the stage; `params` are its parameters.
        key: digest of the key of the run.
        first, end: the chunks, half-open.
        runtime: device and batch size.
    """

    workspace: Path
    stage: str
    params: Any
    key: str
    first: int
    end: int
    runtime: Runtime


Share = Callable[[Piece, list[int], Reporter], list[str]]
"""Has other processes do chunks of a stage: an example of a piece, the chunks that are left, and the progress callback.
Returns warnings of the stage; chunks that nobody did are left."""


def check(plan: Plan, digests: Digests) -> None:
    """Check a plan before a long run.

    Raises:
        ConfigError, InputError, ModelError: a parameter, a gallery or a network cannot be used.
    """
    for stage, params in plan:
        call(stage.check, params)
        digests.of_weights(stage, params)


def run(
    workspace: Workspace,
    plan: Plan,
    runtime: Runtime,
    reporter: Reporter,
    *,
    force: bool = False,
    models: Models | None = None,
    digests: Digests | None = None,
    share: Share | None = None,
) -> list[Receipt]:
    """Run the stale stages of a plan in order, and report the reason of each; returns the receipts of all stages in it.

    Args:
        workspace: already locked by the caller.
        plan: stages with their parameters.
        runtime: device and batch size.
        reporter: callback for notes, progress and warnings.
        force: run all of them, also fresh ones.
        models: loaded networks, for a caller that runs several plans.
        digests: digests of networks and galleries, for the same.
        share: has other processes do a part of long stages.

    Raises:
        ConfigError, InputError, ModelError: as `check`.
        MissingStage: an earlier stage outside the plan has not run, or is stale itself.
        WorkspaceError: something cannot be read, or the directory of a stage to be run is a link.
    """
    digests, models = digests or Digests(), models or Models()
    check(plan, digests)
    planned_names = {stage.name for stage, _ in plan}
    needed = chain.needed_for(*(name for stage, _ in plan for name in stage.reads))
    before = [stage for stage in needed if stage.name not in planned_names]
    require_fresh(workspace, before, plan[0][0].command, digests)
    _require_replaceable(workspace, plan, digests, force=force)
    receipts = []
    for stage, params in plan:
        planned = planned_receipt(workspace, stage, params, digests)
        reason = "force was given" if force else why_stale(workspace, stage, digests, planned=planned)
        found = workspace.receipt(stage.name)
        if reason is None and found is not None:
            if stage.lacks is not None and call(stage.lacks, workspace, params):
                reporter.note(f"{stage.title}: its tables are up to date, images are added")
                _complete_stage(workspace, stage, params, runtime, reporter, models)
            else:
                reporter.note(f"{stage.title}: up to date")
            receipts.append(found)
            continue
        reporter.note(f"{stage.title}: runs, because {reason}")
        receipts.append(_run_stage(workspace, stage, params, planned, runtime, reporter, models, share))
        digests.forget(workspace.path / stage.name)
    return receipts


def status(workspace: Workspace, *, verify: bool = False) -> list[StageStatus]:
    """Compare every stage with its receipt. A stage after a stale one is judged by its own inputs. Optional stages that
    never ran are left out.

    Args:
        verify: see `Digests`.
    """
    digests = Digests(verify=verify)
    return [
        StageStatus(stage, why_stale(workspace, stage, digests), workspace.receipt(stage.name))
        for stage in chain.STAGES
        if not stage.optional or (workspace.path / stage.name / "receipt.json").exists()
    ]


def _require_replaceable(workspace: Workspace, plan: Plan, digests: Digests, *, force: bool) -> None:
    """Check, before the first stage runs, that the output of every stage that may run can be replaced."""
    for number, (stage, _) in enumerate(plan):
        try:
            workspace.require_replaceable(stage.name)
        except WorkspaceError:
            if force or any(why_stale(workspace, one, digests, params) for one, params in plan[: number + 1]):
                raise


def _run_stage(
    workspace: Workspace,
    stage: Stage,
    params: Any,
    planned: Receipt,
    runtime: Runtime,
    reporter: Reporter,
    models: Models,
    share: Share | None,
) -> Receipt:
    _require_video(workspace, stage)
    partial = workspace.path / f"{stage.name}.partial"
    out = partial / "out"
    with writing(partial):
        _keep_only_matching_chunks(partial, planned)
        partial.chmod(OWNER_ONLY_DIRECTORY)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
    started = time.monotonic()
    key = _digest(planned.key_file())
    context = StageContext(workspace, out, _chunks(partial, key), runtime, reporter, models)
    if share is not None:
        piece = Piece(workspace.path.absolute(), stage.name, params, key, 0, 0, runtime)
        context.share = _of_stage(share, piece, reporter)
    with writing(out):
        counts = call(stage.run, context, params)
        if context.skipped:
            reporter.note(f"{stage.title}: skipped, because {context.skipped}")
        receipt = Receipt(
            **planned.key(),
            outputs=output_digests(out),
            counts=counts,
            warnings=context.warnings,
            training_data=context.training_data,
            skipped=context.skipped,
            seconds=round(time.monotonic() - started, 3),
            runtime=asdict(runtime),
            fercli=VERSION,
        )
        write_atomically(out / "receipt.json", (json.dumps(asdict(receipt), indent=2) + "\n").encode())
        workspace.swap_in(stage.name, out)
        # A process whose piece was done again by another one may still write; the next run removes what it leaves.
        shutil.rmtree(partial, ignore_errors=share is not None)
    return receipt


def _of_stage(share: Share, piece: Piece, reporter: Reporter) -> Callable[[list[int]], list[str]]:
    return lambda left: share(piece, left, reporter)


def run_piece(piece: Piece, reporter: Reporter, models: Models) -> list[str]:
    """Do some chunks of a stage that another process runs; returns the warnings of the stage.

    Raises:
        WorkspaceError: that process has no such stage running in this workspace; for example because the workspace is
            not on a disk that both processes see.
    """
    partial = piece.workspace / f"{piece.stage}.partial"
    try:
        key = _digest((partial / "key.json").read_bytes())
    except OSError:
        key = ""
    if key != piece.key:
        raise WorkspaceError(
            f"{socket.gethostname()} cannot see the workspace {piece.workspace} as the process that shares its work",
            hint="put the folder of outputs on a disk that all workers share, or start workers on one machine",
            code="workspace-not-shared",
        )
    workspace = Workspace.open(piece.workspace)
    stage = next(stage for stage in chain.STAGES if stage.name == piece.stage)
    _require_video(workspace, stage)
    context = StageContext(workspace, partial / "out", _chunks(partial, key), piece.runtime, reporter, models)
    context.piece = range(piece.first, piece.end)
    with writing(partial):
        call(stage.run, context, piece.params)
    return context.warnings


def _chunks(partial: Path, key: str) -> Chunks:
    """The chunks of one key: a process of a run with another key, which was killed, cannot add to them."""
    return Chunks(partial / f"chunks-{key[:16]}")


def _digest(key_file: bytes) -> str:
    return hashlib.sha256(key_file).hexdigest()


def _complete_stage(
    workspace: Workspace, stage: Stage, params: Any, runtime: Runtime, reporter: Reporter, models: Models
) -> None:
    """Write outputs that are not part of the key beside the tables of a fresh stage; tables and receipt are not
    changed."""
    workspace.require_replaceable(stage.name)
    _require_video(workspace, stage)
    partial = workspace.path / f"{stage.name}.partial"
    out = partial / "out"
    with writing(out):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(OWNER_ONLY_DIRECTORY)
        out.mkdir()
        for file in (workspace.path / stage.name).iterdir():
            if file.is_file():
                shutil.copy2(file, out / file.name)
        context = StageContext(workspace, out, _chunks(partial, ""), runtime, reporter, models)
        call(stage.complete or chain.nothing, context, params)
        workspace.swap_in(stage.name, out)
        shutil.rmtree(partial)


def _require_video(workspace: Workspace, stage: Stage) -> None:
    video = Path(workspace.video.path)
    if "video" in stage.reads and not video.exists():
        raise VideoError(
            f"{stage.title} needs the video, but {video} is missing",
            hint=hint_for_moved(video),
            code="video-missing",
        )


def _keep_only_matching_chunks(partial: Path, planned: Receipt) -> None:
    """Finished pieces can only be used by a run with the same key."""
    key_file = partial / "key.json"
    key = planned.key_file()
    if not key_file.exists() or key_file.read_bytes() != key:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(OWNER_ONLY_DIRECTORY)
        write_atomically(key_file, key)
