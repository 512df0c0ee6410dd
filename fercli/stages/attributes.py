"""measure-faces: faces -> head pose, openings of eyes and mouth, and blendshapes, from a face mesh.

Each face is turned upright by its landmarks first, so yaw and pitch do not depend on the roll. Where the mesh finds no
face, all values are null. The points of the mesh are kept if they are asked for.
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
SCHEMAS = {"attributes": tables.ATTRIBUTES, "meshes": tables.MESHES}


def run(context: StageContext, params: AttributesParams) -> dict[str, Any]:
    """Measure all faces, a row group of crops at a time; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: a network cannot be used.
        CorruptTable, InputError: a crop cannot be read.
    """
    from fercli.models.face_mesh import FaceMesh

    check(params)
    faces = tables.read_table(context.workspace.table("faces"), tables.FACES)
    if not faces.num_rows:
        context.skip(NO_FACE, SCHEMAS)
        return {"faces": 0, "without_mesh": 0, "meshes": 0}
    crops = context.workspace.table("crops")
    sizes = tables.part_sizes(crops)
    left = context.chunks_left(len(sizes))
    if left:
        mesh = FaceMesh(*(context.models.load(find_model(name, task)) for name, task in NETWORKS))
        with context.reporter.task("measure-faces", faces.num_rows, "face") as task:
            task.advance(faces.num_rows - sum(sizes[number] for number in left))
            for number, part in zip(left, tables.read_parts(crops, tables.CROPS, only=left), strict=True):
                context.chunks.commit(number, _measure(context, mesh, part, faces, params), SCHEMAS)
                task.advance(part.num_rows)
    if context.piece is not None:
        return {}
    counts = context.chunks.merge(context.out, SCHEMAS)
    found = tables.read_table(context.out / "attributes.parquet", tables.ATTRIBUTES)
    return {"faces": counts["attributes"], "without_mesh": found["yaw"].null_count, "meshes": counts["meshes"]}


def weights(params: AttributesParams) -> dict[str, str]:
    """The networks and the sha256 of their files."""
    keys = [weights_key(find_model(name, task)) for name, task in NETWORKS]
    return {name: digest for key in keys for name, digest in key.items()}


def check(params: AttributesParams) -> None:
    """Raises ConfigError for a parameter that is out of range."""
    require_ranges(params, ("min_flag", 0 <= params.min_flag <= 1, "from 0 to 1"))


def _measure(
    context: StageContext, mesh: Any, crops: pa.Table, faces: pa.Table, params: AttributesParams
) -> dict[str, pa.Table]:
    """The rows of the faces with these crops."""
    from fercli.media.images import decode_jpeg, upright
    from fercli.models.face_mesh import mesh_view
    from fercli.models.mesh_points import in_frame

    view, pixel_aspect = mesh_view(context.workspace.crop_scale), context.workspace.video.pixel_aspect
    own = faces.take(crops["face"])
    turned = [roll or 0.0 for roll in own["roll"].to_pylist()]
    boxes = np.stack([own[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1)
    sides, views = [], []
    for jpeg, roll in zip(crops["jpeg"], turned, strict=True):
        picture = decode_jpeg(jpeg.as_py())
        sides.append(len(picture))
        views.append(view.cut(upright(picture, roll, 0)))
    found = mesh.measure(views)
    rows, kept = [], []
    for place, face in enumerate(crops["face"].to_pylist()):
        row = {"face": face, "flag": float(found.flag[place])}
        if found.flag[place] >= params.min_flag:
            points = found.points[place]
            row |= _measurements(points, turned[place]) | _named(found.blendshapes[place])
            if params.keep_landmarks:
                placed = in_frame(points, view, sides[place], turned[place], boxes[place], pixel_aspect)
                kept.append({"face": face, "points": placed.ravel()})
        rows.append(row)
    return {
        "attributes": pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES),
        "meshes": pa.Table.from_pylist(kept, schema=tables.MESHES),
    }


def _measurements(points: NDArray[np.float32], turned: float) -> dict[str, float]:
    from fercli.models.face_mesh import eye_openings, head_pose, mouth_opening

    yaw, pitch, left_over = head_pose(points)
    left, right = eye_openings(points)
    pose = {"yaw": yaw, "pitch": pitch, "roll": _in_circle(turned + left_over)}
    return {**pose, "eye_left": left, "eye_right": right, "mouth": mouth_opening(points)}


def _named(shapes: NDArray[np.float32]) -> dict[str, float]:
    return dict(zip(BLENDSHAPES, shapes.tolist(), strict=True))


def _in_circle(degrees: float) -> float:
    """The same angle in (-180, 180]."""
    return 180 - (180 - degrees) % 360
