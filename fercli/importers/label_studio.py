"""Label Studio's JSON export of a task that `fercli.formats.label_studio` made.

Of a task the annotation saved last counts, or the predictions where nobody has annotated it yet. A region of the
timeline is joined by its id with the text that says whose it is. Boxes are passed over.

Layout: https://labelstud.io/guide/task_format and /tags/timelinelabels. Frames count from 1, both ends included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fercli.errors import DatasetError
from fercli.importers.marks import Annotations, Mark, mark, number

HINT = "in Label Studio: Export > JSON"
SHORT = {"annotation_id", "lead_time"}
"""Keys of JSON-MIN and CSV alone: `convert_to_json_min` in https://github.com/HumanSignal/label-studio-converter."""


def is_one(content: object) -> bool:
    """Whether it is a list of tasks, or one of them."""
    tasks = content if isinstance(content, list) else [content]
    return bool(tasks) and all(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks)


def refuse_short(path: Path, keys: Iterable[str]) -> None:
    """Refuse JSON-MIN and CSV, known by their keys: regions have no id there that joins labels with persons.

    Raises:
        DatasetError: it is one of these.
    """
    if set(keys) >= SHORT:
        raise DatasetError(
            f"{path} does not say which person a label belongs to: it is Label Studio's JSON-MIN or CSV",
            hint=f"{HINT}, not JSON-MIN",
        )


def read(path: Path, content: Any) -> Annotations:
    """Read the tasks in a file, which `is_one`; places are ids of regions.

    Raises:
        DatasetError: there are several tasks, it does not say how many frames a second it counts, or a region in it is
            not usable.
    """
    tasks = content if isinstance(content, list) else [content]
    if len(tasks) > 1:
        raise DatasetError(f"{path} has {len(tasks)} tasks", hint="export the task of one video alone")
    (task,) = tasks
    fps = number(task["data"].get("fps"), 0.0)
    if not 0 < fps < float("inf"):
        raise DatasetError(f"{path}: the task has no fps", hint="keep the data of the task as `fercli export` wrote it")
    try:
        regions, notes = _regions(path, task)
        marks = list(_marks(path, regions, fps))
    except (LookupError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path} is not laid out as Label Studio does it: {error!r}", hint=HINT) from error
    return Annotations(
        marks,
        has_gaps=True,
        written=lambda start_s, end_s: _on_frames(start_s, end_s, fps),
        sha256=str(task["data"].get("sha256", "")),
        notes=notes,
    )


def _on_frames(start_s: float, end_s: float, fps: float) -> tuple[int, int]:
    """A segment as the exporter puts it on whole frames, at least one."""
    first = max(0, round(start_s * fps))
    end = max(first + 1, round(end_s * fps))
    return round(1000 * first / fps), round(1000 * end / fps)


def _regions(path: Path, task: dict[str, Any]) -> tuple[list[Any], tuple[str, ...]]:
    saved = [found for found in task.get("annotations") or [] if not found.get("was_cancelled")]
    saved.sort(key=lambda found: str(found.get("updated_at", "")))
    if len(saved) > 1:
        return saved[-1].get("result", []), (f"{path} has {len(saved)} annotations: the one saved last counts",)
    chosen = saved or list(task.get("predictions") or [])[-1:]
    if not chosen:
        raise DatasetError(f"{path} has no annotation", hint=HINT)
    return chosen[0].get("result", []), ()


def _marks(path: Path, regions: list[dict[str, Any]], fps: float) -> Iterator[Mark]:
    persons = {region["id"]: _text(region) for region in regions if region.get("type") == "textarea"}
    for region in regions:
        if region.get("type") == "timelinelabels":
            place = f"{path}: region {region['id']}"
            labels = region["value"].get("timelinelabels") or [""]
            if len(labels) > 1:
                raise DatasetError(f"{place} has {len(labels)} labels: {', '.join(labels)}", hint="leave it one")
            named = {"class": labels[0], "object": persons.get(region["id"], ""), "score": region.get("score")}
            for frames in region["value"]["ranges"]:
                times = {"start": (frames["start"] - 1) / fps, "end": frames["end"] / fps}
                yield mark({**named, **times}, place)


def _text(region: dict[str, Any]) -> str:
    text = region["value"].get("text", "")
    return str(text[0] if text else "") if isinstance(text, list) else str(text)
