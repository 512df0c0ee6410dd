from __future__ import annotations

from fercli.cli.strip import LETTERS, MOST, strips
from fercli.exporters.document import Document, Person, Segment
from fercli.labels import EMOTIONS_8
from tests.workspaces import no_details


def segment(person: str, emotion: str, start_s: float, end_s: float) -> Segment:
    return Segment(emotion, start_s, end_s, person, 0, 0.9, (0, 0, 1, 1), "")


def document(*segments: Segment, start_s: float = 0.0, duration_s: float = 10.0) -> Document:
    persons = [Person(name, 1, 1.0, {}) for name in dict.fromkeys(s.person for s in segments)]
    video = {"start_s": start_s, "duration_s": duration_s}
    seen = [s for s in segments if s.emotion != "not assessable"]
    return Document(video, persons, None, seen, [s for s in segments if s not in seen], {}, [], no_details)


def lines(film: Document, width: int = 10) -> list[str]:
    return [line.plain for line in strips(film, width)]


def test_a_letter_stands_for_the_emotion_that_fills_most_of_its_time() -> None:
    film = document(
        segment("Ross", "happiness", 0.0, 2.6),
        segment("Ross", "anger", 2.6, 5.0),
        segment("Zoe", "not assessable", 8, 10),
    )
    assert lines(film) == [
        "      0:00  0:10",
        "Ross  hhhaa",
        "Zoe           --",
        "      a angry   h happy   - not assessable",
    ]


def test_time_begins_with_the_video() -> None:
    film = document(segment("Ross", "neutral", 65.0, 70.0), start_s=60.0, duration_s=3610.0)
    assert lines(film, 20)[0] == "      1:00         1:01:10"


def test_names_of_wide_letters_keep_the_strips_in_line() -> None:
    film = document(segment("\u674e\u660e", "neutral", 0.0, 10.0), segment("Ross", "fear", 0.0, 10.0))
    assert lines(film)[1:3] == ["\u674e\u660e  nnnnnnnnnn", "Ross  ffffffffff"]


def test_only_the_first_persons_get_a_strip() -> None:
    film = document(*(segment(f"P{k}", "neutral", 0.0, 1.0) for k in range(MOST + 3)))
    assert len(lines(film)) == MOST + 2


def test_nobody_is_nothing() -> None:
    assert lines(document()) == []


def test_every_emotion_has_a_letter_of_its_own() -> None:
    assert set(LETTERS) == {*EMOTIONS_8, "not assessable"}
    assert len(set(LETTERS.values())) == len(LETTERS)
