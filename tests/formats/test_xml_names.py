"""Names that XML cannot hold, in both formats that are XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from fercli.escapes import without_forbidden
from fercli.formats import FORMATS
from tests.formats.face_documents import FACES, ROSS, SEGMENTS, VIDEO, ZOE, make_document
from tests.workspaces import person


def test_what_xml_forbids_is_replaced_and_nothing_else() -> None:
    kept = "a\t\n\r <é&#38;> \x7f\x85 \ud7ff\ue000\ufffd\U00010000\U0010ffff"
    assert without_forbidden(kept) == kept
    assert without_forbidden("\0\x01\x0b\x1f\ud800\udfff\ufffe\uffff") == "\ufffd" * 8


@pytest.mark.parametrize("name", ["eaf", "cvat"])
def test_no_name_of_a_video_or_person_breaks_the_file(tmp_path: Path, name: str) -> None:
    odd = "Zoë\x01\x1b"
    result = make_document(
        [tuple(odd if value == ZOE else value for value in face) for face in FACES],
        video={**VIDEO, "name": "film\x02 \udcff.mp4"},
        persons=[person(ROSS, 2, 0.8, {}), person(odd, 1, 0.4, {})],
        segments=[segment for segment in SEGMENTS if segment.person != ZOE],
        gaps=[],
    )
    path = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(result, path)
    root = ElementTree.parse(path).getroot()
    found = {text for node in root.iter() for text in (node.text, *node.attrib.values()) if text}
    assert "Zoë\ufffd\ufffd" in found and any("film\ufffd \ufffd.mp4" in text for text in found)
