"""Read back by splitting lines at the commas that the header counts, and with pysubs2, which also wrote it."""

from __future__ import annotations

from pathlib import Path

from pysubs2 import Color, SSAFile

from fercli.colours import COLOURS
from fercli.formats.ass import write
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from tests.formats.samples import COMMAS, awkward, nobody, said

SHOWN = {COMMAS: "(李), 明, jr./N"}


def dialogues(path: Path) -> list[dict[str, str]]:
    events = path.read_text(encoding="utf-8").split("[Events]\n")[1].splitlines()
    names = events[0].removeprefix("Format: ").split(", ")
    lines = [line.removeprefix("Dialogue: ").split(",", len(names) - 1) for line in events[1:]]
    return [dict(zip(names, line, strict=True)) for line in lines]


def hundredths(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 6000 + round(float(seconds) * 100)


def test_all_segments_are_read_back_to_the_hundredth_of_a_second(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(result, tmp_path / "out.ass")
    found = [
        (line["Text"], line["Style"], hundredths(line["Start"]), hundredths(line["End"]))
        for line in dialogues(tmp_path / "out.ass")
    ]
    expected = [
        (f"{SHOWN.get(person, person)}: {emotion}", emotion, round(start / 10), round(end / 10))
        for person, emotion, start, end in said(result.segments)
    ]
    assert sorted(found) == sorted(expected)


def test_the_name_field_is_the_person(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.ass")
    names = {line["Name"] for line in dialogues(tmp_path / "out.ass")}
    assert names == {"Ross", 'Zoë & "Bob" <b>', "{李}; 明; jr.\\N", "Unassigned"}


def test_every_emotion_has_a_style_in_its_colour(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.ass")
    subtitles = SSAFile.load(str(tmp_path / "out.ass"))
    assert len(subtitles) == 0
    colours = {name: style.primarycolor for name, style in subtitles.styles.items()}
    assert colours == {
        name: Color(*COLOURS[emotion]) for emotion, name in RECORD_NAMES.items() if emotion != NOT_ASSESSABLE
    }
    # The format writes blue, green, red.
    assert "\nStyle: happy,Arial,20,&H0042E4F0," in (tmp_path / "out.ass").read_text(encoding="utf-8")
