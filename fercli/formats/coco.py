"""COCO object detection: one image per frame with a face, one annotation per face, one category per emotion.

Source: https://cocodataset.org/#format-data (object detection). `file_name` is that of an image written by
`extract-frames` or `annotate --keep-frames`. All ids count from 1 and depend only on the numbers of frame and face; the
categories are the same for every video. Additional fields beside the standard ones: `frame` and `pts_s` of an image,
`attributes` of an annotation. Frames without a face are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fercli.formats.face_rows import shown_emotions
from fercli.formats.streams import as_json, joined, parts
from fercli.labels import RECORD_NAMES
from fercli.results.details import Details
from fercli.results.model import Result

CATEGORIES = {emotion: number for number, emotion in enumerate(RECORD_NAMES, start=1)}
"""Canonical emotion -> id of its category."""


def write(result: Result, path: Path) -> None:
    """Write frames and faces; pixels to two digits, times to the millisecond, probabilities to four digits."""
    details = result.details()
    named = [
        {"id": number, "name": RECORD_NAMES[emotion], "supercategory": "emotion"}
        for emotion, number in CATEGORIES.items()
    ]
    info = {"description": result.video["name"], "version": result.provenance.get("fercli", "")}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{"info": {as_json(info)},\n"licenses": [],\n"categories": {as_json(named)},\n"images": [\n')
        file.writelines(joined(map(as_json, _images(result, details))))
        file.write('\n],\n"annotations": [\n')
        file.writelines(joined(map(as_json, _annotations(result, details))))
        file.write("\n]}\n")


def _images(result: Result, details: Details) -> Iterator[dict[str, Any]]:
    size = {"width": result.video["width"], "height": result.video["height"]}
    frames, first = np.unique(details.faces["frame"].to_numpy(), return_index=True)
    times = details.faces["pts_s"].to_numpy()[first]
    for frame, pts_s in zip(frames.tolist(), times.tolist(), strict=True):
        name = f"{frame:06d}.jpg"
        yield {"id": frame + 1, **size, "file_name": name, "frame": frame, "pts_s": round(pts_s, 3)}


def _annotations(result: Result, details: Details) -> Iterator[dict[str, Any]]:
    emotions = iter(shown_emotions(result, details.faces))
    for part in parts(details.faces):
        for face in part.drop_columns(["landmarks"]).to_pylist():
            emotion = next(emotions)
            width, height = face["x2"] - face["x1"], face["y2"] - face["y1"]
            probability = face.get(emotion)
            yield {
                "id": face["face"] + 1,
                "image_id": face["frame"] + 1,
                "category_id": CATEGORIES[emotion],
                "bbox": [round(number, 2) for number in (face["x1"], face["y1"], width, height)],
                "area": round(width * height, 2),
                "segmentation": [],
                "iscrowd": 0,
                "attributes": {
                    "person": face["person"],
                    "track": face["track"],
                    "score": None if probability is None else round(probability, 4),
                    "detector_score": round(face["score"], 4),
                },
            }
