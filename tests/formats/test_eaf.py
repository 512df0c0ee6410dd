"""Read back with pympi, which also wrote it, and with a plain XML parser, which checks the rules of EAF 3.0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pympi.Elan import Eaf

from fercli.formats.eaf import write
from fercli.labels import RECORD_NAMES
from tests.formats.samples import COMMAS, LATE, ZOE, awkward, nobody, said


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(awkward(tmp_path / "w"), tmp_path / "out.eaf")
    return tmp_path / "out.eaf"


def test_all_segments_and_gaps_are_read_back(path: Path, tmp_path: Path) -> None:
    eaf = Eaf(path)
    found = [
        (eaf.get_parameters_for_tier(tier)["PARTICIPANT"], value, start, end)
        for tier in eaf.get_tier_names()
        for start, end, value in eaf.get_annotation_data_for_tier(tier)
    ]
    result = awkward(tmp_path / "again")
    assert sorted(found) == sorted(said([*result.segments, *result.gaps]))
    assert (ZOE, "not assessable", 10_200, 10_900) in found


def test_tiers_are_persons_and_none_overlaps_itself(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    slots = {slot.get("TIME_SLOT_ID"): int(slot.attrib["TIME_VALUE"]) for slot in root.iter("TIME_SLOT")}
    assert [tier.get("TIER_ID") for tier in root.iter("TIER")] == ["Ross", "Ross (2)", ZOE, COMMAS, "Unassigned"]
    for tier in root.iter("TIER"):
        edges = [
            slots[annotation.get(reference)]
            for annotation in tier.iter("ALIGNABLE_ANNOTATION")
            for reference in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")
        ]
        assert edges == sorted(edges)


def test_all_references_lead_somewhere_and_all_numbers_are_given_once(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    kinds = {kind.get("LINGUISTIC_TYPE_ID"): kind for kind in root.iter("LINGUISTIC_TYPE")}
    vocabularies = {vocabulary.get("CV_ID"): vocabulary for vocabulary in root.iter("CONTROLLED_VOCABULARY")}
    (used,) = {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")}
    entries = vocabularies[kinds[used].get("CONTROLLED_VOCABULARY_REF")]
    values = [value.text for value in entries.iter("CVE_VALUE")]
    assert values == list(RECORD_NAMES.values())
    assert {annotation.findtext("ANNOTATION_VALUE") for annotation in root.iter("ALIGNABLE_ANNOTATION")} <= {*values}
    assert {value.get("LANG_REF") for value in entries.iter("CVE_VALUE")} == {
        language.get("LANG_ID") for language in root.iter("LANGUAGE")
    }
    numbers = [annotation.get("ANNOTATION_ID") for annotation in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(numbers) == len(set(numbers)) == 8


def test_the_video_is_linked_and_can_be_told_from_another(path: Path) -> None:
    eaf = Eaf(path)
    (media,) = eaf.get_linked_files()
    assert (media["MEDIA_URL"], media["RELATIVE_MEDIA_URL"]) == ("file:///épisode 1.mp4", "./épisode 1.mp4")
    assert str(Path(LATE.path).parent) not in path.read_text(encoding="utf-8")  # where it lies is not told
    assert media["MIME_TYPE"] == "video/mp4"
    assert eaf.get_properties() == [("video sha256", LATE.sha256)]


def test_a_video_without_faces_is_a_file_without_tiers(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.eaf")
    assert list(Eaf(tmp_path / "out.eaf").get_tier_names()) == []


def test_an_old_file_is_replaced_and_no_copy_is_left(path: Path, tmp_path: Path) -> None:
    write(nobody(tmp_path / "n"), path)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["out.eaf"]
    assert list(Eaf(path).get_tier_names()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((f"a{suffix}", "video/MP2T") for suffix in (".ts", ".TS", ".m2ts", ".mts")),
        *(
            ("a.3gp", "video/3gpp"),
            ("a.mkv", "video/x-matroska"),
            ("a.webm", "video/webm"),
            ("a.avi", "video/x-msvideo"),
        ),
        *(("a.mov", "video/quicktime"), ("a.mpg", "video/mpeg"), ("a.vob", "video/mpeg"), ("a.mxf", "application/mxf")),
        *(("a.mp4", "video/mp4"), ("a.xyz", "unknown"), ("a", "unknown")),
    ],
)
def test_the_type_of_the_video_does_not_depend_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    monkeypatch.setattr("mimetypes.guess_type", lambda *_: ("text/vnd.trolltech.linguist", None))
    made = awkward(tmp_path / "w")
    write(replace(made, video={**made.video, "name": name}), tmp_path / "out.eaf")
    (descriptor,) = ElementTree.parse(tmp_path / "out.eaf").getroot().iter("MEDIA_DESCRIPTOR")
    assert descriptor.get("MIME_TYPE") == expected
