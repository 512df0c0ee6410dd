from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from fercli.formats import FORMATS
from fercli.formats.timeline import in_milliseconds, lanes, losses, tiers
from fercli.results.details import Details
from fercli.results.model import Result, Segment
from tests.formats.samples import PERSONS, awkward, nobody
from tests.workspaces import person

ROSS = Segment(1.0, 2.0, "happiness", "Ross", 0, 0.9, (0, 0, 1, 1), "")


SIZE = {"sha256": "", "fps": 25.0, "duration_s": 5.0, "start_s": -3.0, "width": 64, "height": 48}


def no_faces() -> Details:
    schema = pa.schema(
        [*((name, pa.int64()) for name in ("face", "frame", "track")), ("person", pa.string())]
        + [(name, pa.float64()) for name in ("pts_s", "end_s", "x1", "y1", "x2", "y2", "score")]
    )
    return Details((), schema.empty_table(), pa.table({}))


def at(start_s: float, end_s: float, person: str = "Ross") -> Segment:
    return replace(ROSS, start_s=start_s, end_s=end_s, person=person)


def document_of(*persons: str) -> Result:
    people = [person(name, 1, 1.0, {}) for name in persons]
    return Result({}, people, None, [], [], {}, [], details=lambda: pytest.fail("a timeline needs no boxes"))


def spans(found: list[Segment]) -> list[tuple[int, int]]:
    return [(interval.start_ms, interval.end_ms) for interval in found]


def test_times_are_rounded_to_milliseconds_and_sorted() -> None:
    assert spans(in_milliseconds([at(2.0006, 3.0), at(0.0004, 1.9996)])) == [(0, 2000), (2001, 3000)]


def test_nothing_is_before_zero_and_nothing_is_empty() -> None:
    assert spans(in_milliseconds([at(-0.08, 0.5), at(-1.0, -0.5), at(1.0001, 1.0004)])) == [(0, 500)]


def test_what_a_timeline_cannot_hold_is_counted() -> None:
    odd = [at(-0.08, 0.5), at(-1.0, -0.5), at(-2.0, -1.5), at(1.0001, 1.0004), at(2.0, 2.004), at(3.0, 4.0)]
    assert [sentence.split(" ", 1)[0] for sentence in losses(odd, 1)] == ["2", "1", "1"]
    assert [sentence.split(" ", 1)[0] for sentence in losses(odd, 10)] == ["2", "1", "2"]
    assert losses([at(0.0, 0.5), at(1.0, 2.0)], 1) == []


def test_every_format_with_a_timeline_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Whatever is not in the file is in the warnings."""
    kept, before, gap = at(1.0, 2.0, "Kept"), at(-1.0, -0.5, "Before"), at(-3.0, -2.0, "Gap")
    result = replace(document_of("Kept", "Before", "Gap"), video={"name": "v.mp4", **SIZE}, segments=[before, kept])
    result = replace(result, gaps=[replace(gap, emotion="not assessable", score=None)], details=no_faces)
    for name, exporter in FORMATS.items():
        if exporter.unit_ms:
            said = exporter.losses(result)
            assert [sentence.split(" ", 1)[0] for sentence in said] == ["2" if exporter.gaps else "1"], name
            exporter.write(result, tmp_path / name)
            text = (tmp_path / name).read_text(encoding="utf-8")
            assert "-0.5" not in text and "-500" not in text
        else:
            assert exporter.losses(result) == []


def test_the_caption_has_the_person_and_the_short_name() -> None:
    assert in_milliseconds([ROSS])[0].caption == "Ross: happy"


def test_segments_that_touch_share_a_tier() -> None:
    (tier,) = tiers(document_of("Ross"), [at(0.0, 1.0), at(1.0, 2.0)])
    assert (tier.name, spans(tier.segments)) == ("Ross", [(0, 1000), (1000, 2000)])


def test_segments_that_overlap_go_to_further_tiers_of_the_same_person() -> None:
    found = tiers(document_of("Ross"), [at(0.0, 3.0), at(1.0, 2.0), at(1.5, 4.0), at(2.0, 5.0)])
    assert [(tier.name, tier.person, spans(tier.segments)) for tier in found] == [
        ("Ross", "Ross", [(0, 3000)]),
        ("Ross (2)", "Ross", [(1000, 2000), (2000, 5000)]),
        ("Ross (3)", "Ross", [(1500, 4000)]),
    ]


def test_no_two_tiers_have_one_name() -> None:
    found = tiers(document_of("Ross", "Ross (2)"), [at(0.0, 3.0), at(1.0, 2.0), at(0.0, 1.0, "Ross (2)")])
    assert [(tier.name, tier.person) for tier in found] == [
        ("Ross", "Ross"),
        ("Ross (3)", "Ross"),
        ("Ross (2)", "Ross (2)"),
    ]


def test_everyone_has_a_tier_in_order_of_screen_time_and_unassigned_comes_last(tmp_path: Path) -> None:
    result = awkward(tmp_path / "a")
    assert [tier.person for tier in tiers(result, [])] == [*PERSONS, "Unassigned"]
    assert tiers(nobody(tmp_path / "b"), []) == []


def test_spans_that_overlap_lie_in_different_lanes_in_whatever_order_they_come() -> None:
    assert lanes([(0, 2000), (1000, 3000), (2000, 4000), (500, 600)]) == [0, 1, 0, 1]
    assert lanes([]) == []


def test_there_are_never_more_lanes_than_allowed_and_the_one_free_soonest_is_taken() -> None:
    assert lanes([(0, 100), (0, 50), (10, 20), (60, 70)], most=2) == [1, 0, 0, 0]
