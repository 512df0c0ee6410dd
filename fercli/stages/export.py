"""export: the finished tables -> one file in a format other people read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fercli.config import ExportParams
from fercli.stages.base import Stage, StageContext


def file_name(params: ExportParams) -> str:
    """Name of the exported file inside the workspace."""
    from fercli.exporters import EXPORTERS

    return f"annotations{EXPORTERS[params.format].suffix}"


def run(context: StageContext, params: ExportParams) -> dict[str, Any]:
    """Gather the document and write it."""
    from fercli.exporters import EXPORTERS
    from fercli.exporters.document import gather
    from fercli.people.naming import who_is_who

    who = who_is_who(context.workspace)
    for problem in who.problems:
        context.warn(problem)
    document = replace(gather(context.workspace, who), raw_cells=params.raw_cells)
    for loss in EXPORTERS[params.format].losses(document):
        context.warn(f"{params.format}: {loss}")
    EXPORTERS[params.format].write(document, context.out / file_name(params))
    return {"segments": len(document.segments), "persons": len(document.persons)}


STAGE = Stage(
    name="export",
    directory="5-export",
    version=5,
    params=ExportParams,
    needs=(
        "frames",
        "faces",
        "tracks",
        "people",
        "emotions",
        "segments",
        "corrections",
        "human_segments",
        "provenance",
    ),
    run=run,
)
