"""CSV that begins as OpenFace 2 writes it, so that scripts that read its columns by name run.

Source: https://github.com/TadasBaltrusaitis/OpenFace/wiki/Output-Format and the header `frame,face_id,timestamp,
confidence,success` of OpenFace 2.2. A row is a face; `frame` counts from 1 in the video, `timestamp` is in seconds,
`face_id` is the number of the person from 0 (`identity_numbers`), `confidence` the detector's, and `success` 1 in every
row: a face was found and followed. Our own columns follow: the person, the box in pixels, and the probability of each
emotion under its short name, empty where the face was not assessable.

pose_Rx, pose_Ry, pose_Rz are radians, the angles of R = Rx Ry Rz in camera coordinates (x to the right, y downwards, z
away): pose_Rx is positive if the face looks down, pose_Ry if it looks to the left of the picture, which is the person's
own right, pose_Rz if it is turned clockwise in the picture (`Euler2RotationMatrix` of OpenFace's RotationHelpers.h; so
say its users, https://github.com/TadasBaltrusaitis/OpenFace/issues/966). Our own yaw and pitch have the other sign. The
camera is taken to be far away, where OpenFace guesses a focal length, so faces at the edge of the picture differ.

The 68 landmarks x_0 ... y_67, in pixels, are there if the meshes were kept (`measure-faces --landmarks`).

Left out because it is not measured: action units (AU01_r ... AU45_c), which blendshapes are not, gaze, where
the head is (pose_Tx ...), landmarks in millimetres (X_0 ... Z_67) and the parameters of the shape. Frames without a
face have no row, where OpenFace has one with `success` 0; pose and landmarks are empty without a mesh.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli.formats.face_rows import EDGES, identity_numbers, landmark_columns, landmark_names, pose_columns
from fercli.formats.streams import parts, write_csv
from fercli.labels import RECORD_NAMES
from fercli.results.details import Details
from fercli.results.model import Result

POSE = ("pose_Rx", "pose_Ry", "pose_Rz")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write the faces by frame; times to the millisecond, pixels to two digits, the rest to four."""
    details = result.details()
    write_csv(
        path,
        _rows(details, identity_numbers(result, details.faces) - 1),
        _schema(details),
        raw_cells=raw_cells,
    )


def _schema(details: Details) -> pa.Schema:
    landmarks = landmark_names() if details.meshes else []
    numbers = (*EDGES, *(RECORD_NAMES[label] for label in details.labels))
    return pa.schema(
        [
            ("frame", pa.int32()),
            ("face_id", pa.int64()),
            ("timestamp", pa.float64()),
            ("confidence", pa.float64()),
            ("success", pa.int8()),
            *((name, pa.float64()) for name in (*POSE, *landmarks)),
            ("person", pa.string()),
            *((name, pa.float64()) for name in numbers),
        ]
    )


def _rows(details: Details, face_ids: NDArray[np.int64]) -> Iterator[pa.Table]:
    schema = _schema(details)
    done = 0
    for part in parts(details.faces):
        rows = slice(done, done := done + part.num_rows)
        columns = [
            pc.add(part["frame"], pa.scalar(1, pa.int32())),
            pa.array(face_ids[rows]),
            pc.round(part["pts_s"], 3),
            _rounded(part["score"], 4),
            pa.array(np.ones(part.num_rows, np.int8)),
            *(pa.array(np.round(angle, 4), from_pandas=True) for angle in pose_columns(details, rows).T),
            *(landmark_columns(details, part["face"]) if details.meshes else []),
            part["person"],
            *(_rounded(part[name], 2) for name in EDGES),
            *(_rounded(part[label], 4) for label in details.labels),
        ]
        yield pa.table(columns, schema=schema)


def _rounded(column: pa.ChunkedArray, digits: int) -> pa.ChunkedArray:
    return pc.round(pc.cast(column, pa.float64()), digits)
