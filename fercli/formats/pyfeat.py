"""CSV with the column names of py-feat's `Fex`, so that `feat.utils.io.read_feat` and scripts on top of it run.

Source: `feat/utils/__init__.py` (FEAT_FACEBOX_COLUMNS, FEAT_EMOTION_COLUMNS, FEAT_TIME_COLUMNS) and `feat/detector.py`
of py-feat 0.6 and 0.7, https://github.com/cosanlab/py-feat. As there, a row is a face, `frame` counts from 0 in the
video, the face box is left, top, width, height in pixels, emotions are probabilities under their full names and
`approx_time` is minutes:seconds, which is why `pts_s` has the exact time. `Identity` is the person.

Pitch, Roll and Yaw are degrees, as in 0.6; 0.7 has radians under the same names. They are the angles of R = Rx Ry Rz as
its img2pose has them (`convert_to_euler` of `feat/facepose_detectors/utils.py`): Pitch is positive if the face looks
up, Roll if it is turned clockwise in the picture, Yaw if it looks to the left of the picture, which is the person's
own right. Our own yaw has the other sign. The camera is taken to be far away.

The 68 landmarks x_0 ... y_67 are there if the meshes were kept (`measure-faces --landmarks`).

`valence` and `arousal`, from -1 to 1, follow the emotions if `estimate-valence` has run.

Left out because nothing here measures it: action units, which blendshapes are not, and identity embeddings. `contempt`,
which py-feat does not know, follows `neutral` if the classifier has it: without it the seven do not sum to 1. Frames
without a face have no row; pose and landmarks are empty without a mesh.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli.formats.face_rows import face_ratings, landmark_columns, landmark_names, pose_columns
from fercli.formats.streams import parts, write_csv
from fercli.results.details import Details
from fercli.results.model import Result

BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore")
POSE = ("Pitch", "Roll", "Yaw")
RATED = ("valence", "arousal")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write the faces by frame; pixels to two digits, times to the millisecond, the rest to four digits."""
    details = result.details()
    ratings = {name: values for name, values in face_ratings(result, details.faces).items() if name in RATED}
    schema = _schema(details, [*ratings])
    write_csv(path, _rows(details, result.video["name"], ratings, schema), schema, raw_cells=raw_cells)


def _schema(details: Details, rated: list[str]) -> pa.Schema:
    landmarks = landmark_names() if details.meshes else []
    numbers = [pa.field(name, pa.float64()) for name in (*BOX, *landmarks, *POSE, *details.labels, *rated)]
    time = [pa.field("approx_time", pa.string()), pa.field("pts_s", pa.float64())]
    identity = [pa.field("Identity", pa.string()), pa.field("track", pa.int32())]
    return pa.schema([*numbers, pa.field("frame", pa.int32()), pa.field("input", pa.string()), *time, *identity])


def _rows(
    details: Details, video: str, ratings: dict[str, NDArray[np.float32]], schema: pa.Schema
) -> Iterator[pa.Table]:
    done = 0
    for part in parts(details.faces):
        rows = slice(done, done := done + part.num_rows)
        x1, y1, x2, y2, score, *emotions = (
            pc.cast(part[name], pa.float64()) for name in ("x1", "y1", "x2", "y2", "score", *details.labels)
        )
        box = [pc.round(edge, 2) for edge in (x1, y1, pc.subtract(x2, x1), pc.subtract(y2, y1))]
        down, to_the_left, clockwise = np.degrees(pose_columns(details, rows)).T
        pose = [pa.array(np.round(angle, 4), from_pandas=True) for angle in (-down, clockwise, to_the_left)]
        seconds = [int(pts_s) for pts_s in part["pts_s"].to_pylist()]
        columns = [
            *box,
            pc.round(score, 4),
            *(landmark_columns(details, part["face"]) if details.meshes else []),
            *pose,
            *(pc.round(column, 4) for column in emotions),
            *(pa.array(np.round(values[rows], 4), pa.float64(), from_pandas=True) for values in ratings.values()),
            part["frame"],
            pa.array([video] * part.num_rows, pa.string()),
            pa.array([f"{second // 60:02d}:{second % 60:02d}" for second in seconds], pa.string()),
            pc.round(part["pts_s"], 3),
            part["person"],
            part["track"],
        ]
        yield pa.table(columns, schema=schema)
