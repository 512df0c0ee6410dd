"""Why a finished workspace shows nobody, and what to try."""

from __future__ import annotations

from fercli.chain import STAGE_OF
from fercli.errors import command
from fercli.workspace import Workspace


def why_nobody(workspace: Workspace) -> str:
    """One sentence, from the counts of the receipts: no face, none that could be followed, or everybody is ignored."""
    faces, tracks = (_count(workspace, table) for table in ("faces", "tracks"))
    if tracks:
        again = command("people", "restore", workspace.path, "WHO")
        return f"everybody is left out; to take somebody in again, run: {again}"
    if not faces:
        return "no face was found, so there is nothing to annotate"
    found = "1 face was" if faces == 1 else f"{faces} faces were"
    again = command("track", workspace.path, "--min-faces", 1)
    return f"{found} found, none of them followed long enough: try a higher --fps, or run: {again}"


def _count(workspace: Workspace, table: str) -> int:
    receipt = workspace.receipt(STAGE_OF[table].name)
    found = receipt.counts.get(table, 0) if receipt else 0
    return found if isinstance(found, int) else 0
