"""CVAT for video 1.1: one CVAT track per track, with the person as label and the emotion as a mutable attribute.

Source: https://docs.cvat.ai/docs/manual/advanced/xml_format/ ("Interpolation"). Frames are those of the video, from 0;
every detected face is a keyframe, CVAT interpolates between them, and a box that is `outside` follows the last one.
CVAT only accepts labels of the task: create the task with the labels and the attribute `emotion` (select, mutable) that
are listed in `meta`, then upload the file as "CVAT 1.1". Timestamps are lost.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from fercli.escapes import without_forbidden
from fercli.formats.face_rows import boxes_inside, shown_emotions
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.model import Result
from fercli.tables import rows_by_value


def write(result: Result, path: Path) -> None:
    """Write the tracks in order; pixels with two digits, clipped to the frame."""
    faces = result.details().faces
    frames, persons = faces["frame"].to_numpy(), faces["person"]
    boxes = boxes_inside(faces, result.video)
    emotions = shown_emotions(result, faces)
    size = max(round(result.video["duration_s"] * result.video["fps"]), int(frames.max(initial=-1)) + 1)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n')
        file.write(_text(_meta(result, size)))
        for track, rows in rows_by_value(faces["track"]).items():
            label = {"id": str(track), "label": persons[int(rows[0])].as_py(), "source": "auto"}
            element = ElementTree.Element("track", label)
            for row in rows:
                _add_box(element, int(frames[row]), boxes[row], emotions[row])
            after = int(frames[rows[-1]]) + 1
            if after < size:
                _add_box(element, after, boxes[rows[-1]], emotions[rows[-1]], outside=True)
            file.write(_text(element))
        file.write("</annotations>\n")


def _add_box(
    track: ElementTree.Element, frame: int, box: NDArray[np.float64], emotion: str, *, outside: bool = False
) -> None:
    edges = {name: f"{edge:.2f}" for name, edge in zip(("xtl", "ytl", "xbr", "ybr"), box.tolist(), strict=True)}
    flags = {"outside": str(int(outside)), "occluded": "0", "keyframe": "1"}
    element = ElementTree.SubElement(track, "box", {"frame": str(frame), **flags, **edges, "z_order": "0"})
    ElementTree.SubElement(element, "attribute", {"name": "emotion"}).text = RECORD_NAMES[emotion]


def _meta(result: Result, size: int) -> ElementTree.Element:
    video = result.video
    names = [person.name for person in (*result.persons, result.unassigned) if person]
    emotion = {
        "name": "emotion",
        "mutable": "True",
        "input_type": "select",
        "default_value": NOT_ASSESSABLE,
        "values": "\n".join(RECORD_NAMES.values()),
    }
    task = {
        "id": "0",
        "name": video["name"],
        "size": str(size),
        "mode": "interpolation",
        "overlap": "0",
        "start_frame": "0",
        "stop_frame": str(max(size - 1, 0)),
        "frame_filter": "",
        "labels": [("label", {"name": name, "attributes": [("attribute", emotion)]}) for name in names],
        "original_size": {"width": str(video["width"]), "height": str(video["height"])},
    }
    return _element("meta", {"task": task, "source": video["name"]})


def _element(name: str, content: Any) -> ElementTree.Element:
    """An element with text, with children by name (dict), or with children of one name (list of pairs)."""
    element = ElementTree.Element(name)
    if isinstance(content, str):
        element.text = content
    else:
        element.extend(_element(*child) for child in (content.items() if isinstance(content, dict) else content))
    return element


def _text(element: ElementTree.Element) -> str:
    ElementTree.indent(element)
    return without_forbidden(ElementTree.tostring(element, encoding="unicode")) + "\n"
