"""Label Studio: one task to import, with the segments on the timeline and one moving box per track as predictions.

Source: https://labelstud.io/tags/timelinelabels, /tags/videorectangle and /guide/predictions. The project needs the
labelling interface LABELLING_CONFIG (Settings > Labeling Interface > Code), which takes frame rate and persons from
the task. `video` in the task is the file name: replace it by the URL under which Label Studio serves the video.

Label Studio counts frames from 1 and has no timestamps: the frame at `t` has the number t * fps + 1. The frame numbers
here are computed likewise, from the presentation timestamps and the average frame rate; with a variable frame rate
their times are correct, but they are not the frame numbers of the video. `time` is the presentation timestamp.

A timeline region has the emotion as its label and the person as text; its `end` is its last frame. A box has the
person as its label, moves in straight lines between keyframes, stays within TOLERANCE of the detected face, and ends
with a keyframe that is not `enabled`.

The reader takes Label Studio's JSON export (layout: https://labelstud.io/guide/task_format). The annotation of a task
that was saved last is used, or the predictions if there is no annotation yet. A region of the timeline is joined by its
id with the text that names its person. Boxes are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.formats.annotations import Annotations, Label, mark, number
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
"""Largest deviation of an edge, width or height from the detected box, percent of the side of the frame."""


def write(result: Result, path: Path) -> None:
    """Write the task, one result per line; boxes in percent of the frame, with two digits."""
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
    for place, segment in enumerate(held):
        yield from _timeline_region(f"segment{place}", segment, fps)
    faces = result.details().faces
    boxes = boxes_inside(faces, result.video)
    for track, rows in rows_by_value(faces["track"]).items():
        yield _box_region(result.video, track, faces.take(rows), boxes[rows])


def _timeline_region(name: str, segment: Segment, fps: float) -> Iterator[dict[str, Any]]:
    start = _frame(segment.start_s, fps)
    ranges = [{"start": start, "end": max(start, _frame(segment.end_s, fps) - 1)}]
    human = segment.source == "human"
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


HINT = "in Label Studio: Export > JSON"
SHORT = {"annotation_id", "lead_time"}
"""Keys that only JSON-MIN and CSV have: `convert_to_json_min` in
https://github.com/HumanSignal/label-studio-converter."""


def is_one(content: object) -> bool:
    """Whether it is a task or a list of tasks."""
    tasks = content if isinstance(content, list) else [content]
    return bool(tasks) and all(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks)


def refuse_short(path: Path, keys: Iterable[str]) -> None:
    """Refuse JSON-MIN and CSV, known by their keys: their regions have no id to join labels with persons.

    Raises:
        DatasetError: it is one of these.
    """
    if set(keys) >= SHORT:
        raise DatasetError(
            f"{path} does not name the persons of labels: it is Label Studio's JSON-MIN or CSV",
            hint=f"{HINT}, not JSON-MIN",
        )


def read(path: Path, content: Any) -> Annotations:
    """Read the tasks in a file for which `is_one` is true; places are ids of regions.

    Raises:
        DatasetError: there are several tasks, the frame rate is missing, or a region is invalid.
    """
    tasks = content if isinstance(content, list) else [content]
    if len(tasks) > 1:
        raise DatasetError(f"{path} has {len(tasks)} tasks", hint="export the task of one video only")
    (task,) = tasks
    fps = number(task["data"].get("fps"), 0.0)
    if not 0 < fps < float("inf"):
        raise DatasetError(f"{path}: the task has no fps", hint="keep the data of the task as `fercli export` wrote it")
    try:
        regions, notes = _regions(path, task)
        marks = list(_marks(path, regions, fps))
    except (LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} does not have the layout of Label Studio: {error!r}", hint=HINT) from error
    return Annotations(
        marks,
        has_gaps=True,
        written=lambda start_s, end_s: _on_frames(start_s, end_s, fps),
        sha256=str(task["data"].get("sha256", "")),
        notes=notes,
    )


def _on_frames(start_s: float, end_s: float, fps: float) -> tuple[int, int]:
    """A segment in whole frames, at least one, as in the export."""
    first = max(0, round(start_s * fps))
    end = max(first + 1, round(end_s * fps))
    return round(1000 * first / fps), round(1000 * end / fps)


def _regions(path: Path, task: dict[str, Any]) -> tuple[list[Any], tuple[str, ...]]:
    saved = [found for found in task.get("annotations") or [] if not found.get("was_cancelled")]
    saved.sort(key=lambda found: str(found.get("updated_at", "")))
    if len(saved) > 1:
        return saved[-1].get("result", []), (f"{path} has {len(saved)} annotations: the one saved last is used",)
    chosen = saved or list(task.get("predictions") or [])[-1:]
    if not chosen:
        raise DatasetError(f"{path} has no annotation", hint=HINT, code="labels-missing")
    return chosen[0].get("result", []), ()


def _marks(path: Path, regions: list[dict[str, Any]], fps: float) -> Iterator[Label]:
    persons = {region["id"]: _text(region) for region in regions if region.get("type") == "textarea"}
    for region in regions:
        if region.get("type") == "timelinelabels":
            place = f"{path}: region {region['id']}"
            labels = region["value"].get("timelinelabels") or [""]
            if len(labels) > 1:
                raise DatasetError(f"{place} has {len(labels)} labels: {', '.join(labels)}", hint="keep one of them")
            named = {"class": labels[0], "object": persons.get(region["id"], ""), "score": region.get("score")}
            for frames in region["value"]["ranges"]:
                times = {"start": (frames["start"] - 1) / fps, "end": frames["end"] / fps}
                yield mark({**named, **times}, place)


def _text(region: dict[str, Any]) -> str:
    text = region["value"].get("text", "")
    return str(text[0] if text else "") if isinstance(text, list) else str(text)
