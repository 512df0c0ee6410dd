"""Label Studio: one task to import, its predictions being the segments on the timeline and a moving box a track.

Source: https://labelstud.io/tags/timelinelabels, /tags/videorectangle and /guide/predictions. The project needs the
labelling interface LABELLING_CONFIG (Settings > Labeling Interface > Code), which takes frame rate and persons from
the task. `video` in the task is the name of the file: put the address under which Label Studio serves it there.

Label Studio counts frames from 1 and knows no timestamps: it takes the frame at `t` for number t * fps + 1. So do the
frames here, from the presentation timestamps and the average frame rate; with a variable frame rate they are right in
time and not the numbers of the video. `time` is the presentation timestamp.

A timeline region has the emotion as its label and the person as text; its `end` is its last frame. A box has the
person as its label, moves in straight lines between keyframes, stays within TOLERANCE of where the face was seen, and
ends with a keyframe that is not `enabled`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.formats.face_rows import boxes_inside
from fercli.formats.streams import as_json, joined
from fercli.formats.timeline import in_milliseconds
from fercli.geometry import keyframes
from fercli.labels import RECORD_NAMES
from fercli.results.model import Result, Segment
from fercli.tables import rows_by_value

LABELLING_CONFIG = "\n".join(
    [
        "<View>",
        '  <Video name="video" value="$video" framerate="$fps" timelineHeight="200"/>',
        '  <TimelineLabels name="emotion" toName="video">',
        *(f"    <Label value={quoteattr(name)}/>" for name in RECORD_NAMES.values()),
        "  </TimelineLabels>",
        '  <TextArea name="person" toName="video" perRegion="true" editable="true" maxSubmissions="1"/>',
        '  <Labels name="face" toName="video" value="$persons"/>',
        '  <VideoRectangle name="box" toName="video"/>',
        "</View>",
        "",
    ]
)
TOLERANCE = 0.9
"""Largest distance of an edge, width or height from what was seen, percent of the side of the frame."""


def write(result: Result, path: Path) -> None:
    """Write the task, a result a line; boxes in percent of the frame, to two digits."""
    names = [person.name for person in (*result.persons, result.unassigned) if person]
    data = {
        "video": result.video["name"],
        "fps": result.video["fps"],
        "persons": [{"value": name} for name in names],
        "sha256": result.video.get("sha256", ""),
    }
    made_by = f"fercli {result.provenance.get('fercli', '')} {' '.join(result.provenance.get('models', ()))}"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'[{{"data": {as_json(data)},\n"predictions": [{{"model_version": {as_json(made_by)}, "result": [\n')
        file.writelines(joined(map(as_json, _results(result))))
        file.write("\n]}]}]\n")


def _results(result: Result) -> Iterator[dict[str, Any]]:
    fps = result.video["fps"]
    held = [segment for segment in result.all_segments if in_milliseconds([segment])]
    for number, segment in enumerate(held):
        yield from _timeline_region(f"segment{number}", segment, fps)
    faces = result.details().faces
    boxes = boxes_inside(faces, result.video)
    for track, rows in rows_by_value(faces["track"]).items():
        yield _box_region(result.video, track, faces.take(rows), boxes[rows])


def _timeline_region(name: str, segment: Segment, fps: float) -> Iterator[dict[str, Any]]:
    start = _frame(segment.start_s, fps)
    ranges = [{"start": start, "end": max(start, _frame(segment.end_s, fps) - 1)}]
    human = segment.as_record().get("source") == "human"
    region = {"id": name, "to_name": "video", "origin": "manual" if human else "prediction"}
    emotion = {"ranges": ranges, "timelinelabels": [RECORD_NAMES[segment.emotion]]}
    score = {} if segment.score is None else {"score": round(segment.score, 4)}
    yield {**region, "from_name": "emotion", "type": "timelinelabels", "value": emotion, **score}
    yield {**region, "from_name": "person", "type": "textarea", "value": {"ranges": ranges, "text": [segment.person]}}


def _box_region(video: dict[str, Any], track: int, faces: pa.Table, boxes: NDArray[np.float64]) -> dict[str, Any]:
    fps, duration_s = video["fps"], video["duration_s"]
    times = faces["pts_s"].to_numpy()
    frames, seen = np.unique([_frame(pts_s, fps) for pts_s in times], return_index=True)
    corner, size = boxes[seen, :2], boxes[seen, 2:] - boxes[seen, :2]
    percent = np.concatenate([corner, size], axis=1) * 100 / ([video["width"], video["height"]] * 2)
    kept = keyframes(frames, percent, TOLERANCE).tolist()
    sequence = [
        {
            **dict(zip(("x", "y", "width", "height"), percent[place].round(2).tolist(), strict=True)),
            "rotation": 0,
            "frame": int(frames[place]),
            "time": max(0.0, round(float(times[seen[place]]), 3)),
            "enabled": place != kept[-1],
        }
        for place in kept
    ]
    counts = {"framesCount": max(1, round(duration_s * fps)), "duration": duration_s}
    return {
        "id": f"track{track}",
        "from_name": "box",
        "to_name": "video",
        "type": "videorectangle",
        "origin": "prediction",
        "value": {**counts, "sequence": sequence, "labels": [faces["person"][0].as_py()]},
    }


def _frame(pts_s: float, fps: float) -> int:
    return max(1, round(pts_s * fps) + 1)
