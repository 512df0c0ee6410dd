"""VGG Image Annotator 3: a project for its video annotator, with one timeline per person and one box per segment.

Source: https://gitlab.com/vgg/via/-/blob/master/via-3.x.y/CodeDoc.md and `_via_attribute.js`, `_via_file.js` there.
A segment is metadata with z = [start, end] in seconds and no xy, described by the attributes `person` (whose values
are the timelines) and `emotion`; a box is metadata with z = [time] and xy = [2, left, top, width, height], where 2
means a rectangle. VIA does not interpolate, so each segment has one box: the face next to its middle, in pixels of the
video and at its presentation timestamp. VIA shows a dialog for the video when the project is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fercli.formats.face_rows import boxes_inside, middle_faces
from fercli.formats.streams import as_json, joined
from fercli.labels import RECORD_NAMES
from fercli.results.model import Result

TEXT, SELECT = 1, 4
VIDEO, LOCAL = 4, 1
RECTANGLE = 2
OPTIONS = {str(number): name for number, name in enumerate(RECORD_NAMES.values(), start=1)}
OPTION_OF = {emotion: str(number) for number, emotion in enumerate(RECORD_NAMES, start=1)}
SEGMENT_PERSON, SEGMENT_EMOTION, BOX_PERSON, BOX_EMOTION = "1", "2", "3", "4"


def write(result: Result, path: Path) -> None:
    """Write the project, one metadata entry per line; times to the millisecond, pixels with two digits."""
    name = result.video["name"]
    project = {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": name,
            "creator": f"fercli {result.provenance.get('fercli', '')}",
            "created": 0,
            "data_format_version": "3.1.2",
            "vid_list": ["1"],
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {
                "file_content_align": "center",
                "file_metadata_editor_visible": True,
                "spatial_metadata_editor_visible": True,
                "spatial_region_label_attribute_id": BOX_PERSON,
            },
        },
        "attribute": {
            SEGMENT_PERSON: _attribute("person", "FILE1_Z2_XY0", TEXT, {}),
            SEGMENT_EMOTION: _attribute("emotion", "FILE1_Z2_XY0", SELECT, OPTIONS),
            BOX_PERSON: _attribute("person", "FILE1_Z1_XY1", TEXT, {}),
            BOX_EMOTION: _attribute("emotion", "FILE1_Z1_XY1", SELECT, OPTIONS),
        },
        "file": {"1": {"fid": "1", "fname": name, "type": VIDEO, "loc": LOCAL, "src": name}},
        "view": {"1": {"fid_list": ["1"]}},
    }
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(as_json(project)[:-1] + ',\n"metadata": {\n')
        file.writelines(joined(f'"1_{number:08d}": {line}' for number, line in enumerate(_metadata(result))))
        file.write("\n}}\n")


def _metadata(result: Result) -> Iterator[str]:
    faces = result.details().faces
    times = faces["pts_s"].to_numpy()
    boxes = boxes_inside(faces, result.video)
    for segment, row in middle_faces(result, faces):
        emotion = OPTION_OF[segment.emotion]
        span = [round(segment.start_s, 3), round(segment.end_s, 3)]
        yield _entry(span, [], {SEGMENT_PERSON: segment.person, SEGMENT_EMOTION: emotion})
        if row is not None:
            x1, y1, x2, y2 = boxes[row].tolist()
            shape = [RECTANGLE, *(round(number, 2) for number in (x1, y1, x2 - x1, y2 - y1))]
            yield _entry([round(float(times[row]), 3)], shape, {BOX_PERSON: segment.person, BOX_EMOTION: emotion})


def _entry(times: list[float], shape: list[float], values: dict[str, str]) -> str:
    return as_json({"vid": "1", "flg": 0, "z": times, "xy": shape, "av": values})


def _attribute(name: str, anchor: str, kind: int, options: dict[str, str]) -> dict[str, Any]:
    """An attribute for an anchor: Z2_XY0 a span of time, Z1_XY1 a region of one frame."""
    return {
        "aname": name,
        "anchor_id": anchor,
        "type": kind,
        "desc": "",
        "options": options,
        "default_option_id": "",
    }
