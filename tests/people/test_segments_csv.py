"""segments.csv: what is written is read back, and what cannot be meant is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import InputError
from fercli.labels import NOT_ASSESSABLE
from fercli.people.segments_csv import HumanSegment, as_csv, outside, read_segments, rename_person
from fercli.persons.names import UNASSIGNED

HEADER = "person,start,end,class\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_written_by_person_and_time_and_read_back(tmp_path: Path) -> None:
    rows = [
        HumanSegment("Zoë", 1000, 2500, "happiness"),
        HumanSegment('a "b", c', 0, 1, NOT_ASSESSABLE),
        HumanSegment("Zoë", 0, 1000, None),
        HumanSegment(UNASSIGNED, 59_999, 60_000, "contempt"),
    ]
    path = tmp_path / "segments.csv"
    path.write_bytes(as_csv(rows))
    assert path.read_text(encoding="utf-8").splitlines() == [
        "person,start,end,class",
        "Unassigned,59.999,60.000,contemptuous",
        "Zoë,0.000,1.000,",
        "Zoë,1.000,2.500,happy",
        '"a ""b"", c",0.000,0.001,not assessable',
    ]
    read = read_segments(path)
    assert read == [rows[3], rows[2], rows[0], rows[1]]
    assert [row.line for row in read] == [2, 3, 4, 5]


def test_without_a_file_nobody_said_anything(tmp_path: Path) -> None:
    assert read_segments(tmp_path / "segments.csv") == []


def test_what_a_spreadsheet_makes_of_it_is_understood(tmp_path: Path) -> None:
    text = "\ufeffPerson, Start ,end,class\r\nZoe\u0308, 1 ,2.0004,JOY\r\n\r\n,,,\r\n"
    (row,) = read_segments(write(tmp_path / "segments.csv", text))
    assert row == HumanSegment("Zoë", 1000, 2000, "happiness")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: the columns are missing, expected person,start,end,class"),
        ("person;start;end;class\n", ":1: the columns are person;start;end;class, expected"),
        (HEADER + "Ross,0,1,happy\nRoss,1,2\n", ":3: 3 columns, expected"),
        (HEADER + "Ross,0,1,bored\n", ":2: 'bored' is not an emotion; known: angry"),
        (HEADER + "Ross,0:01,2,happy\n", ":2: start is '0:01', expected seconds"),
        (HEADER + "Ross,0,inf,happy\n", ":2: end is 'inf', expected seconds"),
        (HEADER + "Ross,0,1e308,happy\n", ":2: end is '1e308', expected seconds"),
        (HEADER + "Ross,2,1,\n", ":2: ends at 1 s but starts at 2 s"),
        (HEADER + "Ross,1,1.0001,happy\n", ":2: ends at 1 s but starts at 1 s"),
        (HEADER + " ,0,1,happy\n", ":2: the name is empty"),
        (HEADER + "unassigned,0,1,happy\n", ":2: nobody can be called 'unassigned'"),
        (HEADER + 'Ross,0,1,"happy\n', ":2: unexpected end of data"),
        (HEADER + "Ross,0,2,happy\nRoss,1,3,\n", ":3: Ross shows something and nothing here, see line 2"),
        (HEADER + "Ross,1,3,\nBen,0,9,sad\nRoss,0,2,happy\n", ":4: Ross shows something and nothing here, see line 2"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_segments(write(tmp_path / "segments.csv", text))
    assert f"segments.csv{message}" in caught.value.message
    assert "nothing was changed" in caught.value.hint


def test_other_encodings_and_directories_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "segments.csv"
    path.write_bytes(HEADER.encode() + "Zoë,0,1,happy\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"segments\.csv:2: it is not UTF-8"):
        read_segments(path)
    with pytest.raises(InputError, match="is a directory"):
        read_segments(tmp_path)


def test_somebody_may_be_seen_twice_but_rows_that_touch_do_not_overlap(tmp_path: Path) -> None:
    text = HEADER + "Ross,0,2,happy\nRoss,1,3,sad\nRoss,3,4,\nRoss,4,5,happy\n"
    assert len(read_segments(write(tmp_path / "segments.csv", text))) == 4


def test_two_persons_become_one_and_what_one_shows_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", HEADER + "Person 2,0,4,\nRoss,1,2,happy\nRachel,0,1,sad\n")
    rename_person(path, {"Person 2"}, "Ross")
    assert read_segments(path) == [
        HumanSegment("Rachel", 0, 1000, "sadness"),
        HumanSegment("Ross", 0, 1000, None),
        HumanSegment("Ross", 1000, 2000, "happiness"),
        HumanSegment("Ross", 2000, 4000, None),
    ]


def test_a_file_that_does_not_name_the_person_is_not_touched(tmp_path: Path) -> None:
    text = HEADER + "Ross, 1, 2,joy\n"
    path = write(tmp_path / "s.csv", text)
    rename_person(path, {"Rachel"}, "Ross")
    assert path.read_text() == text
    rename_person(tmp_path / "none.csv", {"Rachel"}, "Ross")
    assert not (tmp_path / "none.csv").exists()


@pytest.mark.parametrize(
    ("holes", "left"),
    [
        ([], [(2, 6)]),
        ([(0, 2), (6, 9)], [(2, 6)]),
        ([(3, 4)], [(2, 3), (4, 6)]),
        ([(5, 9), (0, 3), (1, 2.5)], [(3, 5)]),
        ([(2, 4), (4, 6)], []),
    ],
)
def test_what_is_outside_the_holes(holes: list[tuple[float, float]], left: list[tuple[float, float]]) -> None:
    assert outside(2, 6, holes) == left
