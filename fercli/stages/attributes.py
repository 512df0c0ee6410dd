"""measure-faces: faces -> head pose, openings of eyes and mouth, and blendshapes, from a face mesh.

Each face is turned upright by its landmarks first, so yaw and pitch do not depend on the roll. Where the mesh finds no
face, all values are null.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import AttributesParams
from fercli.labels import BLENDSHAPES
from fercli.models.registry import find_model, weights_key
from fercli.stages.base import NO_FACE, StageContext, require_ranges

NETWORKS = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))
"""Names and tasks of the networks."""
SCHEMAS = {"attributes": tables.ATTRIBUTES}


def run(context: StageContext, params: AttributesParams) -> dict[str, Any]:
    """Measure all faces, a row group of crops at a time; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: a network cannot be used.
        CorruptTable, InputError: a crop cannot be read.
    """
    from fercli.models.face_mesh import FaceMesh

    check(params)
    rolls = tables.read_table(context.workspace.table("faces"), tables.FACES)["roll"].to_pylist()
    if not rolls:
        context.skip(NO_FACE, SCHEMAS)
        return {"faces": 0, "without_mesh": 0}
    mesh = FaceMesh(*(context.models.load(find_model(name, task)) for name, task in NETWORKS))
    with context.reporter.task("measure-faces", len(rolls), "face") as task:
        for number, part in enumerate(tables.read_parts(context.workspace.table("crops"), tables.CROPS)):
            if number >= context.chunks.done:
                context.chunks.commit({"attributes": _measure(context, mesh, part, rolls, params)}, SCHEMAS)
            task.advance(part.num_rows)
    counts = context.chunks.merge(context.out, SCHEMAS)
    found = tables.read_table(context.out / "attributes.parquet", tables.ATTRIBUTES)
    return {"faces": counts["attributes"], "without_mesh": found["yaw"].null_count}


def weights(params: AttributesParams) -> dict[str, str]:
    """The networks and the sha256 of their files."""
    keys = [weights_key(find_model(name, task)) for name, task in NETWORKS]
    return {name: digest for key in keys for name, digest in key.items()}


def check(params: AttributesParams) -> None:
    """Raises ConfigError for a parameter that is out of range."""
    require_ranges(params, ("min_flag", 0 <= params.min_flag <= 1, "from 0 to 1"))


def _measure(
    context: StageContext, mesh: Any, crops: pa.Table, rolls: list[float | None], params: AttributesParams
) -> pa.Table:
    """The rows of the faces with these crops."""
    from fercli.media.images import decode_jpeg, upright
    from fercli.models.face_mesh import eye_openings, head_pose, mesh_view, mouth_opening

    view = mesh_view(context.workspace.crop_scale)
    faces = crops["face"].to_pylist()
    turned = [rolls[face] or 0.0 for face in faces]
    pictures = (upright(decode_jpeg(jpeg.as_py()), roll, 0) for jpeg, roll in zip(crops["jpeg"], turned, strict=True))
    found = mesh.measure([view.cut(picture) for picture in pictures])
    rows = []
    measured = zip(faces, turned, found.points, found.flag, found.blendshapes, strict=True)
    for face, roll, points, flag, shapes in measured:
        row = {"face": face, "flag": float(flag)}
        if flag >= params.min_flag:
            yaw, pitch, left_over = head_pose(points)
            pose = {"yaw": yaw, "pitch": pitch, "roll": _in_circle(roll + left_over)}
            eyes = dict(zip(("eye_left", "eye_right"), eye_openings(points), strict=True))
            row |= pose | eyes | {"mouth": mouth_opening(points)} | _named(shapes)
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES)


def _named(shapes: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(BLENDSHAPES, shapes.tolist(), strict=True))


def _in_circle(degrees: float) -> float:
    """The same angle in (-180, 180]."""
    return 180 - (180 - degrees) % 360
