from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console

from fercli.cli.strip import LETTERS, MOST, strips
from fercli.labels import EMOTIONS_8, RECORD_NAMES
from fercli.results.model import Result, Segment
from tests.workspaces import no_details, person


def segment(person: str, emotion: str, start_s: float, end_s: float) -> Segment:
    return Segment(start_s, end_s, emotion, person, 0, 0.9, (0, 0, 1, 1), "")


def document(*segments: Segment, start_s: float = 0.0, duration_s: float = 10.0) -> Result:
    persons = [person(name, 1, 1.0, {}) for name in dict.fromkeys(s.person for s in segments)]
    video = {"start_s": start_s, "duration_s": duration_s}
    seen = [s for s in segments if s.emotion != "not assessable"]
    return Result(video, persons, None, seen, [s for s in segments if s not in seen], {}, [], no_details)


def lines(film: Result, columns: int = 26) -> list[str]:
    """With a margin of 6 there are 20 cells left."""
    return [line.plain for line in strips(film, columns)]


def test_a_letter_stands_for_the_emotion_that_fills_most_of_its_time() -> None:
    film = document(
        segment("Ross", "happiness", 0.0, 2.6),
        segment("Ross", "anger", 2.6, 5.0),
        segment("Zoe", "not assessable", 8, 10),
    )
    assert lines(film) == [
        "      0:00            0:10",
        "Ross  hhhhhaaaaa",
        "Zoe                   ----",
        "      a angry   h happy",
        "      - not assessable",
    ]


def test_time_begins_with_the_video() -> None:
    film = document(segment("Ross", "neutral", 65.0, 70.0), start_s=60.0, duration_s=3610.0)
    assert lines(film)[0] == "      1:00         1:01:10"


def test_names_of_wide_letters_keep_the_strips_in_line() -> None:
    film = document(segment("\u674e\u660e", "neutral", 0.0, 10.0), segment("Ross", "fear", 0.0, 10.0))
    assert lines(film)[1:3] == ["\u674e\u660e  " + "n" * 20, "Ross  " + "f" * 20]


def test_only_the_first_persons_get_a_strip_and_the_others_are_counted() -> None:
    film = document(*(segment(f"P{k}", "neutral", 0.0, 1.0) for k in range(MOST + 3)))
    shown = lines(film)
    assert [line.split()[0] for line in shown[1 : MOST + 1]] == [f"P{k}" for k in range(MOST)]
    assert shown[MOST + 1] == "and 3 more"
    assert not any("more" in line for line in lines(document(segment("Ross", "fear", 0.0, 1.0))))


@pytest.mark.parametrize("columns", [40, 60, 80])
@pytest.mark.parametrize("name", ["Maximiliane Theodora von und zu Hohenstein-Gre", "\u674e\u660e" * 20])
def test_a_long_name_leaves_room_for_the_time(name: str, columns: int) -> None:
    strip = document(
        *(segment(who, emotion, k, k + 1) for who in (name, "Ross") for k, emotion in enumerate(EMOTIONS_8))
    )
    ruler, long, short, *legend = strips(strip, columns)
    assert max(line.cell_len for line in (ruler, long, short, *legend)) <= columns
    assert ruler.plain.split() == ["0:00", "0:10"]
    assert long.plain.startswith(name[:3]) and "\u2026 " in long.plain
    assert "".join(dict.fromkeys(long.plain.split()[-1])) == "".join(LETTERS[emotion] for emotion in EMOTIONS_8)
    assert cell_len(long.plain[: -len(long.plain.split()[-1])]) == len(short.plain) - len(short.plain.split()[-1])
    words = "   ".join(line.plain.strip() for line in legend).split("   ")
    assert words == [f"{LETTERS[name]} {RECORD_NAMES[name]}" for name in LETTERS if name in EMOTIONS_8]


def test_no_person_is_nothing() -> None:
    assert lines(document()) == []


def test_every_emotion_has_a_letter_of_its_own() -> None:
    assert set(LETTERS) == {*EMOTIONS_8, "not assessable"}
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_the_legend_colours_letters_and_nothing_between_them() -> None:
    legend = strips(document(segment("Ross", "anger", 0, 5), segment("Ross", "sadness", 5, 10)), 60)[-1]
    assert legend.plain.strip() == "a angry   s sad"
    drawn = legend.render(Console(color_system="truecolor"))
    assert [piece.text for piece in drawn if piece.style and piece.style.bgcolor] == ["a", "s"]
