"""ELAN files: times that are shifted, missing, or those of another tier; whose a tier is; what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.formats.annotations import Video
from fercli.formats.reading import read_annotations
from fercli.importers.corrections import import_file
from tests.importers.films import Rows, film, plain, shown

Slots = dict[str, int | None]


def aligned(name: str, start: str, end: str, value: str) -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" TIME_SLOT_REF1="{start}" TIME_SLOT_REF2="{end}">'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def refers(name: str, parent: str, value: str, previous: str = "") -> str:
    before = f' PREVIOUS_ANNOTATION="{previous}"' if previous else ""
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{parent}"{before}>'
        f"<ANNOTATION_VALUE>{value}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def tier(name: str, *annotations: str, parent: str = "", participant: str = "") -> str:
    attributes = f' PARENT_REF="{parent}"' if parent else ""
    attributes += f' PARTICIPANT="{participant}"' if participant else ""
    return f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="t"{attributes}>{"".join(annotations)}</TIER>'


def media(name: str, origin: str = "", mime: str = "video/mp4") -> str:
    shift = f' TIME_ORIGIN="{origin}"' if origin else ""
    return f'<MEDIA_DESCRIPTOR MEDIA_URL="file:///x/{name}" MIME_TYPE="{mime}"{shift}/>'


def eaf(path: Path, slots: Slots, *tiers: str, linked: Iterable[str] = (), units: str = "milliseconds") -> Path:
    times = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="{name}"' + ("/>" if time is None else f' TIME_VALUE="{time}"/>')
        for name, time in slots.items()
    )
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="{units}">{"".join(linked)}'
        f"</HEADER><TIME_ORDER>{times}</TIME_ORDER>{''.join(tiers)}</ANNOTATION_DOCUMENT>",
        encoding="utf-8",
    )
    return path


FOUR: Slots = {"s1": 0, "s2": 800, "s3": 800, "s4": 3000}
ROSS = tier("Ross", aligned("a1", "s1", "s2", "happy"), aligned("a2", "s3", "s4", "sad"))


# Where time 0 of the annotations lies in the video


@pytest.mark.parametrize(("origin", "shift"), [("1000", 1000), ("-250", -250), ("0", 0)])
def test_the_time_origin_of_the_video_is_added(tmp_path: Path, origin: str, shift: int) -> None:
    read = read_annotations(eaf(tmp_path / "a.eaf", FOUR, ROSS, linked=[media("ep.mp4", origin)]))
    assert plain(read.marks) == [("Ross", "happy", shift, 800 + shift), ("Ross", "sad", 800 + shift, 3000 + shift)]
    assert [("TIME_ORIGIN" in note) for note in read.notes] == [True] * (shift != 0)


@pytest.mark.parametrize(
    ("video", "first"), [("ep.mp4", 1000), ("side.mp4", 40), ("", None), ("other.mp4", None), ("Zoe\u0308 1.mp4", 7)]
)
def test_of_several_videos_the_one_that_was_annotated_counts(tmp_path: Path, video: str, first: int | None) -> None:
    linked = [media("ep.mp4", "1000"), media("side.mp4", "40"), media("sound.wav", "90", "audio/x-wav")]
    path = eaf(tmp_path / "a.eaf", FOUR, ROSS, linked=[*linked, media("Zo\u00eb%201.mp4", "7")])
    if first is not None:
        assert read_annotations(path, Video(video)).marks[0].start_ms == first
        return
    with pytest.raises(DatasetError, match=r"a\.eaf shifts ep\.mp4, side\.mp4") as caught:
        read_annotations(path, Video(video))
    assert caught.value.exit_code == 3 and "Linked Files" in caught.value.hint


def test_of_a_video_and_its_sound_the_video_counts(tmp_path: Path) -> None:
    linked = [media("sound.wav", "90", "audio/x-wav"), media("ep.mp4", "1000")]
    assert read_annotations(eaf(tmp_path / "a.eaf", FOUR, ROSS, linked=linked)).marks[0].start_ms == 1000


def test_a_shifted_file_is_imported_shifted_and_twice_changes_nothing(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    slots: Slots = {"s1": 0, "s2": 1000}
    path = eaf(
        tmp_path / "a.eaf",
        slots,
        tier("Ben", aligned("a1", "s1", "s2", "sad")),
        linked=[media("other.mp4"), media("épisode 1.mp4", "20000")],
    )
    import_file(workspace, path)
    assert ("Ben", "sad", 20000, 21000) in shown(workspace)
    done = import_file(workspace, path)
    assert (done.changed, done.added, done.deleted) == (0, 0, 0)


# Time slots without a value


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        # as ELAN does it: whole milliseconds, 0 before the first
        ({"s1": None, "s2": None, "s3": 800, "s4": 3000}, [(266, 532), (800, 3000)]),
        ({"s1": 100, "s2": None, "s3": None, "s4": 700}, [(100, 300), (500, 700)]),
        ({"s1": 100, "s2": None, "s3": 500, "s4": 700}, [(100, 300), (500, 700)]),
    ],
)
def test_slots_without_a_value_lie_evenly_between_their_neighbours(
    tmp_path: Path, slots: Slots, expected: list[tuple[int, int]]
) -> None:
    read = read_annotations(eaf(tmp_path / "a.eaf", slots, ROSS))
    assert [(mark.start_ms, mark.end_ms) for mark in read.marks] == expected


def test_a_subdivision_shares_the_time_of_its_parent_whatever_lies_between_in_other_tiers(tmp_path: Path) -> None:
    slots: Slots = {"s1": 1000, "x1": 1200, "u1": None, "x2": 1700, "u2": None, "s2": 4000}
    inner = (aligned("b1", "s1", "u1", "happy"), aligned("b2", "u1", "u2", "sad"), aligned("b3", "u2", "s2", "angry"))
    path = eaf(
        tmp_path / "a.eaf",
        slots,
        tier("Ross", aligned("a1", "s1", "s2", "well then")),
        tier("speech", aligned("c1", "x1", "x2", "hello")),
        tier("Ross-emotion", *inner, parent="Ross"),
    )
    read = read_annotations(path)
    assert plain(read.marks) == [
        ("Ross", "angry", 3000, 4000),
        ("Ross", "happy", 1000, 2000),
        ("Ross", "sad", 2000, 3000),
    ]


def test_a_subdivision_of_a_subdivision_takes_the_ends_of_what_it_divides(tmp_path: Path) -> None:
    slots: Slots = {"s1": 0, "u1": None, "v1": None, "s2": 4000}
    path = eaf(
        tmp_path / "a.eaf",
        slots,
        tier("Ross", aligned("a1", "s1", "s2", "all")),
        tier("Ross-words", aligned("b1", "s1", "u1", "one"), aligned("b2", "u1", "s2", "two"), parent="Ross"),
        tier("Ross-mood", aligned("c1", "u1", "v1", "sad"), aligned("c2", "v1", "s2", "joy"), parent="Ross-words"),
    )
    assert plain(read_annotations(path).marks) == [("Ross", "happy", 3000, 4000), ("Ross", "sad", 2000, 3000)]


# Annotations that refer to others


SPEECH = tier("Ross", aligned("a1", "s1", "s2", "hello"), aligned("a2", "s3", "s4", "well"))


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ([refers("b1", "a2", "sad")], [("sad", 800, 3000)]),
        ([refers("b1", "a1", "joy"), refers("b2", "a2", "sad")], [("happy", 0, 800), ("sad", 800, 3000)]),
        (
            [refers("b2", "a1", "sad", "b1"), refers("b1", "a1", "joy"), refers("b3", "a1", "angry", "b2")],
            [("angry", 533, 800), ("happy", 0, 266), ("sad", 266, 533)],
        ),
    ],
)
def test_what_refers_to_another_annotation_takes_its_time_and_its_person(
    tmp_path: Path, annotations: list[str], expected: list[tuple[str, int, int]]
) -> None:
    read = read_annotations(eaf(tmp_path / "a.eaf", FOUR, SPEECH, tier("Ross-emo", *annotations, parent="Ross")))
    assert plain(read.marks) == [("Ross", *row) for row in expected]
    assert not read.unusable and any("Ross-emo refers to Ross" in note for note in read.notes)


def test_references_may_be_nested(tmp_path: Path) -> None:
    words = tier("Ross-words", refers("b1", "a1", "one"), refers("b2", "a1", "two", "b1"), parent="Ross")
    mood = tier("Ross-mood", refers("c1", "b2", "sad"), parent="Ross-words")
    read = read_annotations(eaf(tmp_path / "a.eaf", FOUR, SPEECH, words, mood))
    assert plain(read.marks) == [("Ross", "sad", 400, 800)]


@pytest.mark.parametrize(
    ("name", "participant", "person"),
    [("emo@Rachel", "", "Rachel"), ("emo", "Rachel", "Rachel"), ("emo", "R.", "Ross"), ("emo", "", "Ross")],
)
def test_whose_a_dependent_tier_is(tmp_path: Path, name: str, participant: str, person: str) -> None:
    parent = SPEECH.replace('TIER_ID="Ross"', 'TIER_ID="Ross" PARTICIPANT="R."')
    emotions = tier(name, refers("b1", "a1", "sad"), parent="Ross", participant=participant)
    assert [mark.person for mark in read_annotations(eaf(tmp_path / "a.eaf", FOUR, parent, emotions)).marks] == [person]


def test_a_dependent_tier_beside_the_persons_own_is_passed_over_and_said_so(tmp_path: Path) -> None:
    other = tier("second opinion", refers("b1", "a1", "angry"), parent="Ross")
    read = read_annotations(eaf(tmp_path / "a.eaf", FOUR, ROSS, other))
    assert [mark.emotion for mark in read.marks] == ["happiness", "sadness"]
    assert any("second opinion" in note and "skipped" in note for note in read.notes)


def test_comments_under_a_person_are_no_error_of_theirs(tmp_path: Path) -> None:
    read = read_annotations(
        eaf(tmp_path / "a.eaf", FOUR, ROSS, tier("notes", refers("b1", "a1", "loud"), parent="Ross"))
    )
    assert len(read.marks) == 2 and set(read.unusable) == {"notes"}


# What cannot be read


@pytest.mark.parametrize(
    ("slots", "tiers", "message"),
    [
        ({"s1": 0, "s2": None}, [tier("Ross", aligned("a1", "s1", "s2", "joy"))], "'s2' has no time, and no later"),
        ({"s2": 0}, [tier("Ross", aligned("a1", "s1", "s2", "joy"))], "time slot 's1' is not in the file"),
        ({}, [tier("R"), tier("E", refers("a1", "a9", "joy"), parent="R")], "'a9', which is not in the file"),
        ({}, [tier("R"), tier("E", refers("a1", "a1", "joy"), parent="R")], "which refers back to itself"),
        (
            {"s2": 0},
            [tier("R", aligned("a1", "s1", "s2", "hm")), tier("R-emo", refers("b1", "a1", "sad"), parent="R")],
            "tier R-emo, annotation b1: its time slot 's1' is not in the file",
        ),
        ({"s1": 5, "s2": 5}, [tier("Ross", aligned("a1", "s1", "s2", "joy"))], "ends at 0.005 s but starts at 0.005 s"),
    ],
)
def test_what_has_no_time_is_named_in_one_sentence(
    tmp_path: Path, slots: Slots, tiers: list[str], message: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        read_annotations(eaf(tmp_path / "a.eaf", slots, *tiers))
    assert message in caught.value.message and "nan" not in caught.value.message
    assert caught.value.exit_code == 3 and caught.value.hint


def test_numbers_and_units_that_are_none_are_named(tmp_path: Path) -> None:
    for path, message in (
        (eaf(tmp_path / "a.eaf", FOUR, ROSS, units="PAL-frames"), "the times are in PAL-frames"),
        (eaf(tmp_path / "b.eaf", FOUR, ROSS, linked=[media("ep.mp4", "1s")]), "TIME_ORIGIN is '1s'"),
    ):
        with pytest.raises(DatasetError, match=message):
            read_annotations(path)
    text = eaf(tmp_path / "c.eaf", FOUR, ROSS).read_text().replace('"800"', '"0.8"')
    (tmp_path / "c.eaf").write_text(text)
    with pytest.raises(DatasetError, match=r"time slot 's2' is '0\.8', expected milliseconds"):
        read_annotations(tmp_path / "c.eaf")


def test_tiers_that_depend_on_each_other_in_a_circle_end(tmp_path: Path) -> None:
    circle = [tier("A", aligned("a1", "s1", "u1", "joy"), parent="B"), tier("B", parent="A")]
    rows: Rows = plain(read_annotations(eaf(tmp_path / "a.eaf", {"s1": 0, "u1": None, "s2": 900}, *circle)).marks)
    assert [row[1:] for row in rows] == [("happy", 0, 450)]
