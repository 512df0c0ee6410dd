"""One line of the log: what is written is read back, and what is no edit is refused with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.edits.edit import Anchor, Edit, TimedWord, Unusable, as_line, parse

AT = Anchor(12.4, (310.0, 80.0, 402.5, 190.0))
OTHER = Anchor(3.0, (1.0, 2.0, 3.0, 4.0))
BY: dict[str, Any] = {"by": "annotator-2", "on": "2026-11-25T14:03:00Z"}
EDITS = [
    Edit("rename", **BY, at=(AT,), person="Person 2", to="Ross", file="a.csv"),
    Edit("rename", **BY, person="Narrator", to="Zoë"),
    Edit("merge", **BY, at=(AT, OTHER), persons=("Person 2", "Person 1"), to="Person 2"),
    Edit("split", **BY, at=(AT,), person="Unassigned", to="Ross", rest=OTHER, joins=AT),
    Edit("ignore", **BY, person="Unassigned"),
    Edit("restore", **BY, at=(AT,), person="Ross"),
    Edit("set-emotion", **BY, at=(AT,), person="Ross", start_ms=1001, end_ms=2500, emotion="happiness", beside=True),
    Edit("set-emotion", **BY, person="Ross", start_ms=0, end_ms=1, emotion="not assessable", file="b.eaf"),
    Edit("clear", **BY, person="Ross", start_ms=-500, end_ms=1),
    Edit("set-text", **BY, person="Ross", start_ms=0, end_ms=900, text="Hi there.", beside=True, file="a.vtt"),
    Edit("set-words", **BY, at=(AT,), person="Ross", start_ms=0, end_ms=900, words=(TimedWord(0, 400, "Hi"),)),
    Edit("set-words", **BY, start_ms=0, end_ms=900, words=(), file="a.eaf"),
    Edit("set-speaker", **BY, start_ms=0, end_ms=900),
    Edit("undo", **BY, of=3),
    Edit("erased", **BY),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.kind)
def test_an_edit_is_read_back_as_it_was_written(edit: Edit) -> None:
    line = as_line(edit)
    assert "\n" not in line
    assert parse(line, 7) == Edit(**{**vars(edit), "number": 7})


def test_the_line_is_what_the_documentation_says() -> None:
    assert json.loads(as_line(EDITS[0])) == {
        "edit": "rename",
        "at": {"time_s": 12.4, "box": [310, 80, 402.5, 190]},
        "person": "Person 2",
        "to": "Ross",
        "file": "a.csv",
        **BY,
    }
    assert json.loads(as_line(EDITS[6]))["class"] == "happy"


def line(kind: str = "rename", **values: Any) -> str:
    fields = {"at": {"time_s": 1, "box": [0, 0, 9, 9]}, "person": "Person 2", "to": "Ross", **BY, **values}
    return json.dumps({"edit": kind, **{name: value for name, value in fields.items() if value != "none"}})


def emotion(**values: Any) -> str:
    return line("set-emotion", **{"to": "none", "start_s": 1, "end_s": 2, "class": "sad", **values})


def words_line(words: object) -> str:
    return line("set-words", to="none", start_s=1, end_s=2, words=words)


REFUSED = {
    words_line("Hi"): "words is 'Hi', not a list",
    words_line(["Hi"]): "a word is 'Hi'",
    words_line([{"text": "Hi", "seconds": 1}]): "a word is",
    words_line([{"text": " ", "seconds": 1, "end": 2}]): "text is ' '",
    words_line([{"text": "Hi", "seconds": 2, "end": 1}]): "ends at 1 s but starts at 2 s",
    "": "not JSON",
    "[1]": "not a JSON object",
    '{"edit": "rename"': "not JSON",
    "[" * 100_000: "not JSON",
    '{"edit": "rename", "edit": "undo"}': "'edit' occurs twice",
    "{}": "no edit",
    line("rewind"): "edit is 'rewind'",
    line(to="none"): "rename without to",
    line(by="none"): "rename without by",
    line(colour="red"): "no field 'colour'",
    line("undo", at="none", person="none", to="none", of=7): "of is 7",
    line("undo", at="none", person="none", to="none", of=True): "of is True",
    line(by=""): "by is ''",
    line(by=3): "by is 3",
    line(by="a\nb"): "by is",
    line(on="yesterday"): "on is 'yesterday'",
    line(on="2026-13-25T14:03:00Z"): "on is",
    line(to=" "): "to: the name is empty",
    line(to="unassigned"): "to: 'unassigned' is reserved",
    line(person=5): "person is 5",
    line(at=[1]): "at is",
    line(at={"time_s": 1}): "at is",
    line(at={"time_s": "1", "box": [0, 0, 9, 9]}): "time_s of at is '1'",
    line(at={"time_s": 1, "box": [0, 0, 9]}): "the box of at",
    line(at={"time_s": 1, "box": [9, 0, 0, 9]}): "which is empty",
    line(at={"time_s": 1, "box": [0, 0, 9, True]}): "the box of at is True",
    line().replace('"time_s": 1', '"time_s": 1e999'): "time_s",
    line().replace('"time_s": 1', '"time_s": NaN'): "NaN is not a number",
    line().replace('"time_s": 1', f'"time_s": 1{"0" * 400}'): "time_s",
    line(
        "merge", person="none", persons=["A", "B"], at=[{"time_s": 1, "box": [0, 0, 9, 9]}]
    ): "1 anchors and 2 persons",
    line("merge", person="none", persons=[], at=[{"time_s": 1, "box": [0, 0, 9, 9]}]): "persons is []",
    line("split", at=[]): "at is []",
    emotion(end_s=1): "ends at 1 s but starts at 1 s",
    emotion(**{"class": "bored"}): "'bored' is not an emotion",
    emotion(**{"class": 4}): "4 is not an emotion",
    emotion(start_s="x"): "start_s is 'x'",
    emotion(beside="yes"): "beside is 'yes'",
}


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_edit_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(Unusable) as caught:
        parse(text, 7)
    assert REFUSED[text] in str(caught.value) and len(str(caught.value)) < 300


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EDITS), st.sampled_from([*sorted(vars(EDITS[0])), "class", "start_s", "edit"]), _JSON)
def test_any_value_in_any_field_is_an_edit_or_unusable(edit: Edit, field: str, value: Any) -> None:
    try:
        parse(json.dumps({**json.loads(as_line(edit)), field: value}), 5)
    except Unusable as reason:
        assert str(reason)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EDITS).map(as_line), st.integers(0, 400), st.text(max_size=3), st.integers(0, 3))
def test_a_line_with_damage_is_an_edit_or_unusable(text: str, place: int, piece: str, gone: int) -> None:
    try:
        parse(text[:place] + piece + text[place + gone :], 5)
    except Unusable as reason:
        assert str(reason)
