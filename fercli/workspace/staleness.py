"""Whether a stage must run, and why: the only place that decides it.

A stage is stale if its version, parameters, networks, inputs or outputs differ from its receipt. Contents are compared
by sha256. The sha256 of a table is computed from the file if alterations matter; or taken from the receipt beside it,
without reading the file, if it only matters that tables belong together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from fercli import chain
from fercli.chain import STAGE_OF, Stage, call
from fercli.errors import InputError, MissingStage, ModelError, VideoError, WorkspaceError, reason_of
from fercli.hashing import digest
from fercli.tables import SCHEMAS, read_table
from fercli.typed import build
from fercli.workspace.receipts import Receipt
from fercli.workspace.store import Workspace

NEVER_RAN = "it has not run yet"


class Digests:
    """sha256 of inputs and outputs of stages; each file is read once in the life of the object: in one command.

    Args:
        verify: read the video even if its size, modification time and inode are unchanged.
        by_receipts: read only receipts: tables, networks and galleries are assumed to be as recorded.
    """

    def __init__(self, *, verify: bool = False, by_receipts: bool = False) -> None:
        self._known: dict[Path, str] = {}
        self._receipts: dict[Path, Receipt | None] = {}
        self._of_params: dict[tuple[str, str, Any], Any] = {}
        self._verify = verify
        self.by_receipts = by_receipts

    def of_input(self, workspace: Workspace, name: str) -> str:
        """Digest of an input of a stage: a table, or the video; empty if it is missing.

        Raises:
            VideoError, WorkspaceError: it cannot be read.
        """
        if name == "video":
            return self._of_video(workspace)
        path = workspace.table(name)
        return self.of_output(workspace, STAGE_OF[name].name, path.name)

    def of_output(self, workspace: Workspace, directory: str, name: str) -> str:
        """Digest of an output of a stage; empty if it is missing.

        Raises:
            WorkspaceError: it cannot be read.
        """
        path = workspace.path / directory / name
        if not self.by_receipts:
            return self._of_file(path)
        if path.parent not in self._receipts:
            self._receipts[path.parent] = workspace.receipt(directory)
        receipt = self._receipts[path.parent]
        return receipt.outputs.get(name, "") if receipt is not None and path.exists() else ""

    def of_weights(self, stage: Stage, params: Any) -> dict[str, str]:
        """The networks of a stage, by name; raises ModelError if one cannot be used."""
        networks: dict[str, str] = self._once("weights", stage, params)
        return networks

    def of_also(self, stage: Stage, params: Any) -> Iterable[str]:
        """The tables that a stage reads if they are there; raises ModelError if a network cannot be used."""
        tables: Iterable[str] = self._once("also", stage, params)
        return tables

    def of_outside(self, stage: Stage, params: Any) -> dict[str, str]:
        """What a stage reads outside the workspace, by name; raises InputError if it cannot be read."""
        found: dict[str, str] = self._once("outside", stage, params)
        return found

    def _once(self, what: str, stage: Stage, params: Any) -> Any:
        key = (what, stage.name, params)
        if key not in self._of_params:
            self._of_params[key] = call(getattr(stage, what), params)
        return self._of_params[key]

    def forget(self, directory: Path) -> None:
        """Forget the digests of a directory and its files, because a stage has just written it."""
        self._known = {path: value for path, value in self._known.items() if not path.is_relative_to(directory)}
        self._receipts.pop(directory, None)

    def _of_video(self, workspace: Workspace) -> str:
        """The recorded digest, if the video is unchanged or missing."""
        if self.by_receipts or (workspace.video_unchanged and not self._verify):
            return workspace.video.sha256
        try:
            return self._of_file(Path(workspace.video.path)) or workspace.video.sha256
        except WorkspaceError as error:
            raise VideoError(error.message, hint=error.hint, code=error.code) from error

    def _of_file(self, path: Path) -> str:
        if path not in self._known:
            try:
                if not path.exists():
                    return ""
                self._known[path] = digest(path)
            except OSError as error:
                raise WorkspaceError(
                    f"cannot read {error.filename or path}: {reason_of(error)}",
                    hint="check its permissions",
                    code="file-unreadable",
                ) from error
        return self._known[path]


def why_stale(
    workspace: Workspace, stage: Stage, digests: Digests, params: Any | None = None, *, planned: Receipt | None = None
) -> str | None:
    """Why a stage must run, in one sentence; None if it is fresh. Cheap comparisons come first.

    Args:
        workspace: the workspace of the stage.
        stage: the stage, judged by its own inputs, even if earlier stages are stale.
        digests: digests of contents.
        params: parameters of the next run; by default those of the last run.
        planned: result of `planned_receipt` for them, if the caller has it already.

    Raises:
        VideoError, WorkspaceError: a file cannot be read.
        InputError, ModelError: the networks or the gallery of `params` cannot be used.
    """
    found = workspace.receipt(stage.name)
    if found is None:
        there = (workspace.path / stage.name / "receipt.json").exists()
        return "its receipt cannot be read" if there else NEVER_RAN
    if planned is None and params is None:
        try:
            params = build(stage.params, found.params)
        except (TypeError, ValueError):
            return "its parameters belong to another version of fercli"
        planned = _planned_again(workspace, stage, params, found, digests)
    planned = planned or planned_receipt(workspace, stage, params, digests)
    return _difference(planned, found) or _altered(workspace, stage, found, digests)


def planned_receipt(workspace: Workspace, stage: Stage, params: Any, digests: Digests) -> Receipt:
    """The receipt of a stage if it ran now, as far as it is known in advance; errors as `why_stale`."""
    tables = (*stage.reads, *digests.of_also(stage, params))
    inputs = {name: digests.of_input(workspace, name) for name in tables} | digests.of_outside(stage, params)
    return Receipt(stage.title, stage.version, _key_params(params), inputs, digests.of_weights(stage, params))


def require_tables(workspace: Workspace, *tables: str, what: str = "", hashed: bool = False) -> None:
    """Refuse a workspace in which a table is missing or was made from other tables than the present ones.

    Faces and tracks have numbers that change with every run. The small tables that define frames, faces and tracks are
    always checked here.

    Args:
        workspace: the workspace.
        tables: the required tables.
        what: the name of what needs them, for the message; by default the workspace.
        hashed: whether to compare the files, or only the receipts.

    Raises:
        MissingStage: a stage must run; the message names the first one. CorruptTable: one of those small tables has
        invalid values.
    """
    require_fresh(workspace, chain.needed_for(*tables), what or str(workspace.path), Digests(by_receipts=not hashed))
    for table in ("frames", "tracks"):
        if workspace.table(table).is_file():
            read_table(workspace.table(table), SCHEMAS[table])


def require_fresh(workspace: Workspace, stages: Iterable[Stage], what: str, digests: Digests) -> None:
    """As `require_tables`, for some stages; raises MissingStage."""
    for stage in stages:
        reason = why_stale(workspace, stage, digests)
        if reason is not None:
            raise MissingStage(f"{what} needs {stage.command} first: {reason}", hint=workspace.run_hint(stage))


def _planned_again(workspace: Workspace, stage: Stage, params: Any, found: Receipt, digests: Digests) -> Receipt:
    """A missing network or gallery counts as unchanged: its results are still valid."""
    if not digests.by_receipts:
        try:
            return planned_receipt(workspace, stage, params, digests)
        except (ModelError, InputError):
            pass
    tables = list(dict.fromkeys((*stage.reads, *(name for name in found.inputs if name in STAGE_OF))))
    inputs = {name: digests.of_input(workspace, name) for name in tables}
    outside = {name: value for name, value in found.inputs.items() if name not in tables}
    return Receipt(stage.title, stage.version, _key_params(params), inputs | outside, found.weights)


def _key_params(params: Any) -> dict[str, Any]:
    """The parameters that affect the tables."""
    no_key = {field.name for field in fields(params) if not field.metadata.get("key", True)}
    return {name: value for name, value in asdict(params).items() if name not in no_key}


def _difference(planned: Receipt, found: Receipt) -> str | None:
    if found.version != planned.version:
        return f"the stage has changed in this fercli (version {found.version} before, {planned.version} now)"
    if found.inputs.get("video") != planned.inputs.get("video"):
        return "the video has changed"
    for name, value in planned.params.items():
        if name not in found.params or found.params[name] != value:
            return f"{name} was {found.params.get(name)!r} and is now {value!r}"
    for name, value in planned.weights.items():
        if found.weights.get(name) != value:
            return f"the weights of {name} have changed"
    for name, value in planned.inputs.items():
        if found.inputs.get(name) != value:
            return f"its input {name} changed"
    return None


def _altered(workspace: Workspace, stage: Stage, found: Receipt, digests: Digests) -> str | None:
    for name, value in found.outputs.items():
        current = digests.of_output(workspace, stage.name, name)
        if current != value:
            return f"{stage.name}/{name} was altered" if current else f"{stage.name}/{name} is missing"
    return None
