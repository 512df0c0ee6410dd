"""CSV with the column names of py-feat's `Fex`, so that `feat.utils.io.read_feat` and scripts on top of it run.

Source: `feat/utils/__init__.py` (FEAT_FACEBOX_COLUMNS, FEAT_EMOTION_COLUMNS, FEAT_TIME_COLUMNS) and `feat/detector.py`
of py-feat 0.6 and 0.7, https://github.com/cosanlab/py-feat. As there, a row is a face, `frame` counts from 0 in the
video, the face box is left, top, width, height in pixels, emotions are probabilities under their full names and
`approx_time` is minutes:seconds, which is why `pts_s` has the exact time. `Identity` is the person.

Left out because nothing here measures it: action units, pose (Pitch, Roll, Yaw), the 68 landmarks x_0 ... y_67 (five
points are not a part of them) and identity embeddings. `contempt`, which py-feat does not know, follows `neutral` if
the classifier has it: without it the seven do not sum to 1. Frames without a face have no row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fercli.formats.streams import parts, write_csv
from fercli.results.details import Details
from fercli.results.model import Result

BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write the faces by frame; pixels to two digits, times to the millisecond, the rest to four digits."""
    details = result.details()
    write_csv(path, _rows(details, result.video["name"]), _schema(details), raw_cells=raw_cells)


def _schema(details: Details) -> pa.Schema:
    numbers = [pa.field(name, pa.float64()) for name in (*BOX, *details.labels)]
    time = [pa.field("approx_time", pa.string()), pa.field("pts_s", pa.float64())]
    identity = [pa.field("Identity", pa.string()), pa.field("track", pa.int32())]
    return pa.schema([*numbers, pa.field("frame", pa.int32()), pa.field("input", pa.string()), *time, *identity])


def _rows(details: Details, video: str) -> Iterator[pa.Table]:
    for part in parts(details.faces):
        x1, y1, x2, y2, score, *emotions = (
            pc.cast(part[name], pa.float64()) for name in ("x1", "y1", "x2", "y2", "score", *details.labels)
        )
        box = [pc.round(edge, 2) for edge in (x1, y1, pc.subtract(x2, x1), pc.subtract(y2, y1))]
        seconds = [int(pts_s) for pts_s in part["pts_s"].to_pylist()]
        columns = [
            *box,
            *(pc.round(column, 4) for column in (score, *emotions)),
            part["frame"],
            pa.array([video] * part.num_rows, pa.string()),
            pa.array([f"{second // 60:02d}:{second % 60:02d}" for second in seconds], pa.string()),
            pc.round(part["pts_s"], 3),
            part["person"],
            part["track"],
        ]
        yield pa.table(columns, schema=_schema(details))
