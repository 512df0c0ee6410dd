"""MOTChallenge: one line per face, `frame,id,left,top,width,height,conf,x,y,z`, for TrackEval and motmetrics.

Source: https://motchallenge.net/instructions/. Frames, ids and the coordinates of the upper left pixel count from 1,
and x, y, z are -1 in two dimensions. Frames are those of the video, so a sampled video has gaps between them. `id` is
the number of the person (`identity_numbers`); names, emotions and times are lost. `conf` is the score of the detector.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli.formats.face_rows import EDGES, identity_numbers
from fercli.formats.streams import ROWS
from fercli.results.model import Result


def write(result: Result, path: Path) -> None:
    """Write the faces by frame, pixels with two digits."""
    faces = result.details().faces
    x1, y1, x2, y2 = (faces[name].to_numpy().astype(np.float64) for name in EDGES)
    frame = faces["frame"].to_numpy() + 1
    columns = [frame, identity_numbers(result, faces), x1 + 1, y1 + 1, x2 - x1, y2 - y1, faces["score"].to_numpy()]
    with path.open("w", encoding="ascii", newline="\n") as file:
        for first in range(0, faces.num_rows, ROWS):
            rows = zip(*(column[first : first + ROWS].tolist() for column in columns), strict=True)
            file.writelines(_line(*row) for row in rows)


def _line(frame: int, number: int, left: float, top: float, width: float, height: float, score: float) -> str:
    return f"{frame},{number},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n"
