"""Which stages of the chain are stale and why, and a for-loop that runs them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import fercli
from fercli import chain
from fercli.chain import Stage, call
from fercli.config import Runtime
from fercli.errors import InputError, MissingStage, ModelError, VideoError, WorkspaceError, reason_of
from fercli.hashing import digest, output_digests
from fercli.progress import Reporter
from fercli.required import hint_for_moved, run_hint
from fercli.stages.base import StageContext
from fercli.typed import build
from fercli.workspace import Receipt, Workspace
from fercli.workspace.chunks import Chunks
from fercli.writing import OWNER_ONLY_DIRECTORY, write_atomically, writing


class Digests:
    """sha256 of files, each read once while one command runs; `forget` what a stage has just written.

    Args:
        verify: read the video even if size, modification time and inode say that it is unchanged.
    """

    def __init__(self, *, verify: bool = False) -> None:
        self._known: dict[Path, str] = {}
        self._verify = verify

    def of_video(self, workspace: Workspace) -> str:
        """Digest of the video; the one it had, if it is unchanged or gone.

        Raises:
            VideoError: it cannot be read.
        """
        if workspace.video_unchanged and not self._verify:
            return workspace.video.sha256
        try:
            return self.of(Path(workspace.video.path)) or workspace.video.sha256
        except WorkspaceError as error:
            raise VideoError(error.message, hint=error.hint) from error

    def of(self, path: Path) -> str:
        """Digest of a file or directory; empty if it is not there.

        Raises:
            WorkspaceError: it cannot be read.
        """
        if path not in self._known:
            try:
                if not path.exists():
                    return ""
                self._known[path] = digest(path)
            except OSError as error:
                raise WorkspaceError(
                    f"cannot read {error.filename or path}: {reason_of(error)}", hint="check its permissions"
                ) from error
        return self._known[path]

    def forget(self, directory: Path) -> None:
        """Drop what is known of a directory and everything in it."""
        self._known = {path: value for path, value in self._known.items() if not path.is_relative_to(directory)}


@dataclass(frozen=True)
class StageStatus:
    """Where one stage stands: `reason` is None when it is fresh."""

    stage: Stage
    reason: str | None
    receipt: Receipt | None


def check(plan: list[tuple[Stage, Any]]) -> None:
    """Find out before hours of work what can be known to be wrong with a plan.

    Raises:
        ConfigError, InputError, ModelError: a parameter, a gallery or a network cannot be used.
    """
    for stage, params in plan:
        call(stage.check, params)
        call(stage.weights, params)


def run(
    workspace: Workspace, plan: list[tuple[Stage, Any]], runtime: Runtime, reporter: Reporter, *, force: bool = False
) -> list[Receipt]:
    """Run the stale stages of a plan in order, and say why each runs; returns the receipt of every stage in it.

    Args:
        workspace: already locked by the caller.
        plan: stages with their parameters.
        runtime: device and batch size.
        reporter: gets notes, progress and warnings.
        force: run all of them, stale or not.

    Raises:
        ConfigError, InputError, ModelError: as `check`.
        MissingStage: an earlier stage outside the plan has not run, or is stale itself.
        WorkspaceError: something cannot be read, or the directory of a stage that has to run is a link.
    """
    check(plan)
    digests = Digests()
    first = plan[0][0]
    _require_fresh(workspace, chain.STAGES[: chain.STAGES.index(first)], first.command, digests)
    _require_replaceable(workspace, plan, digests, force=force)
    receipts = []
    for stage, params in plan:
        planned = _planned(workspace, stage, params, digests)
        found = workspace.receipt(stage.name)
        reason = "you asked for it" if force else _difference(workspace, stage, planned, found, digests)
        if reason is None and found is not None:
            reporter.note(f"{stage.command}: up to date")
            receipts.append(found)
            continue
        reporter.note(f"{stage.command}: runs, because {reason}")
        receipts.append(_run_stage(workspace, stage, params, planned, runtime, reporter))
        digests.forget(workspace.path / stage.name)
    return receipts


def status(workspace: Workspace, *, verify: bool = False) -> list[StageStatus]:
    """Compare every stage with what its receipt says made it. A stage after a stale one is judged by its own inputs.

    Args:
        verify: see `Digests`.
    """
    digests = Digests(verify=verify)
    return [
        StageStatus(stage, _staleness(workspace, stage, digests), workspace.receipt(stage.name))
        for stage in chain.STAGES
    ]


def _staleness(workspace: Workspace, stage: Stage, digests: Digests) -> str | None:
    """Staleness under the parameters the stage last ran with."""
    receipt = workspace.receipt(stage.name)
    if receipt is None:
        return _without_receipt(workspace, stage)
    try:
        params: Any = build(stage.params, receipt.params)
    except (TypeError, ValueError):
        return "its parameters are of another version of fercli"
    return _difference(workspace, stage, _again(workspace, stage, params, receipt, digests), receipt, digests)


def _without_receipt(workspace: Workspace, stage: Stage) -> str:
    there = (workspace.path / stage.name / "receipt.json").exists()
    return "its receipt cannot be read" if there else "it has not run yet"


def require(workspace: Workspace, table: str, what: str) -> None:
    """Refuse to go on where a table is missing or stale.

    Args:
        table: that is needed.
        what: needs it, for the message.

    Raises:
        MissingStage: names the first stage that has to run.
    """
    _require_fresh(workspace, chain.needed_for(table), what, Digests())


def _require_fresh(workspace: Workspace, stages: Iterable[Stage], what: str, digests: Digests) -> None:
    for stage in stages:
        reason = _staleness(workspace, stage, digests)
        if reason is not None:
            raise MissingStage(f"{what} needs {stage.command} first: {reason}", hint=run_hint(workspace, stage))


def _require_replaceable(workspace: Workspace, plan: list[tuple[Stage, Any]], digests: Digests, *, force: bool) -> None:
    """Before the first stage runs: every stage that runs, or may run after one that does, can be swapped in."""
    for number, (stage, _) in enumerate(plan):
        try:
            workspace.require_replaceable(stage.name)
        except WorkspaceError:
            if force or any(_is_stale(workspace, one, params, digests) for one, params in plan[: number + 1]):
                raise


def _is_stale(workspace: Workspace, stage: Stage, params: Any, digests: Digests) -> bool:
    found, planned = workspace.receipt(stage.name), _planned(workspace, stage, params, digests)
    return _difference(workspace, stage, planned, found, digests) is not None


def _planned(workspace: Workspace, stage: Stage, params: Any, digests: Digests) -> Receipt:
    """The receipt the stage would get if it ran now, as far as it can be known before."""
    inputs = {need: _input_digest(workspace, need, digests) for need in stage.reads} | call(stage.outside, params)
    return Receipt(stage.command, stage.version, asdict(params), inputs, call(stage.weights, params))


def _again(workspace: Workspace, stage: Stage, params: Any, found: Receipt, digests: Digests) -> Receipt:
    """The same with the parameters of a receipt. A network or a gallery that is gone counts as the one it was: what was
    made with it is no worse for that."""
    outside = {name: value for name, value in found.inputs.items() if name not in stage.reads}
    gone = replace(stage, weights=lambda params: found.weights, outside=lambda params: outside)
    try:
        return _planned(workspace, stage, params, digests)
    except (ModelError, InputError):
        return _planned(workspace, gone, params, digests)


def _input_digest(workspace: Workspace, need: str, digests: Digests) -> str:
    if need == "video":
        return digests.of_video(workspace)
    return digests.of(workspace.table(need))


def _difference(
    workspace: Workspace, stage: Stage, planned: Receipt, found: Receipt | None, digests: Digests
) -> str | None:
    """One sentence on why a stage has to run; None if it does not. Cheap comparisons come first."""
    if found is None:
        return _without_receipt(workspace, stage)
    if found.version != planned.version:
        return f"this fercli does it differently (version {found.version} before, {planned.version} now)"
    if found.inputs.get("video") != planned.inputs.get("video"):
        return "the video is another one now"
    for name, value in planned.params.items():
        if name not in found.params or found.params[name] != value:
            return f"{name} was {found.params.get(name)!r} and is now {value!r}"
    for name, value in planned.weights.items():
        if found.weights.get(name) != value:
            return f"the weights of {name} are not the ones used before"
    for name, value in planned.inputs.items():
        if found.inputs.get(name) != value:
            return f"its input {name} changed"
    for name, value in found.outputs.items():
        current = digests.of(workspace.path / stage.name / name)
        if current != value:
            return f"{stage.name}/{name} was altered" if current else f"{stage.name}/{name} is missing"
    return None


def _run_stage(
    workspace: Workspace, stage: Stage, params: Any, planned: Receipt, runtime: Runtime, reporter: Reporter
) -> Receipt:
    if "video" in stage.reads and not Path(workspace.video.path).exists():
        raise VideoError(
            f"{stage.command} needs the video, and {workspace.video.path} is gone",
            hint=hint_for_moved(Path(workspace.video.path)),
        )
    partial = workspace.path / f"{stage.name}.partial"
    out = partial / "out"
    with writing(partial):
        _keep_only_matching_chunks(partial, planned)
        partial.chmod(OWNER_ONLY_DIRECTORY)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
    started = time.monotonic()
    context = StageContext(workspace, out, Chunks(partial / "chunks"), runtime, reporter)
    with writing(out):
        counts = call(stage.run, context, params)
        receipt = Receipt(
            **planned.key(),
            outputs=output_digests(out),
            counts=counts,
            warnings=context.warnings,
            seconds=round(time.monotonic() - started, 3),
            runtime=asdict(runtime),
            fercli=fercli.__version__,
        )
        write_atomically(out / "receipt.json", (json.dumps(asdict(receipt), indent=2) + "\n").encode())
        workspace.swap_in(stage.name, out)
        shutil.rmtree(partial)
    return receipt


def _keep_only_matching_chunks(partial: Path, planned: Receipt) -> None:
    """Finished pieces are only worth something to a run with the very same key."""
    key_file = partial / "key.json"
    key = planned.key_file()
    if not key_file.exists() or key_file.read_bytes() != key:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(OWNER_ONLY_DIRECTORY)
        write_atomically(key_file, key)
