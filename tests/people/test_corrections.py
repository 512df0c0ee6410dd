"""people.toml: what is read from it, what is refused and where, and that editing keeps every other byte."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit

from fercli.errors import ConfigError, InputError
from fercli.people.corrections import Correction, Seen
from fercli.people.people_toml import CorrectionsFile
from fercli.persons.names import clean_name

HAND_MADE = """\
# Season 1, episode 3

[[person]]   # the tall one
was = "Person 2"
name = "Zoe\u0308"  # with two dots
seen = [
  12.4,
  311, 120,
]

# not hers, ask Bob
[[track]]
track = 17
ignore = true

[[person]]
name = "Ross"
was = 'Person 5'
"""


def read(path: Path, text: str | bytes) -> list[Correction]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CorrectionsFile(path).entries


def test_entries_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path / "people.toml", HAND_MADE) == [
        Correction("Person 2", "Zoë", False, Seen(12.4, 311, 120), 3),
        Correction(17, None, True, None, 12),
        Correction("Person 5", "Ross", False, None, 16),
    ]


def test_no_file_and_an_empty_one_say_nothing(tmp_path: Path) -> None:
    assert CorrectionsFile(tmp_path / "people.toml").entries == []
    assert read(tmp_path / "people.toml", "# nothing yet\n\n") == []


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + HAND_MADE.replace("\n", "\r\n")
    assert [entry.line for entry in read(tmp_path / "people.toml", text)] == [3, 12, 16]


def test_a_new_file_is_what_a_person_would_write(tmp_path: Path) -> None:
    file = CorrectionsFile(tmp_path / "people.toml")
    file.put(Correction("Person 2", 'Zoë "Z"', seen=Seen(12.4, 311, 120)))
    file.put(Correction(17, None, ignore=True))
    assert file.content.decode() == (
        "# Corrections to who is who. `fercli people` writes this file; you may edit it too.\n\n"
        '[[person]]\nwas = "Person 2"\nname = "Zoë \\"Z\\""\nseen = [12.4, 311, 120]\n\n'
        "[[track]]\ntrack = 17\nignore = true\n"
    )
    assert tomlkit.parse(file.content).unwrap()["track"] == [{"track": 17, "ignore": True}]


def test_an_edit_changes_its_own_lines_and_no_others(tmp_path: Path) -> None:
    first, second, third = read(tmp_path / "people.toml", HAND_MADE)
    file = CorrectionsFile(tmp_path / "people.toml")
    file.put(Correction("Person 2", "Phoebe", False, first.seen), first)
    file.put(Correction(17, "Joey", False, Seen(1.5, 2, 3)), second)
    file.put(Correction("Person 9", "Monica"))
    assert file.content.decode() == (
        HAND_MADE.replace('"Zoe\u0308"', '"Phoebe"').replace("ignore = true", 'name = "Joey"\nseen = [1.5, 2, 3]')
        + '\n[[person]]\nwas = "Person 9"\nname = "Monica"\n'
    )
    assert third in file.entries


def test_an_unchanged_file_is_the_same_to_the_byte(tmp_path: Path) -> None:
    read(tmp_path / "people.toml", HAND_MADE.replace("\n", "\r\n") + "# no line end")
    assert CorrectionsFile(tmp_path / "people.toml").content == (tmp_path / "people.toml").read_bytes()


def test_removing_keeps_the_comments_in_front(tmp_path: Path) -> None:
    _, second, _ = read(tmp_path / "people.toml", HAND_MADE)
    file = CorrectionsFile(tmp_path / "people.toml")
    file.remove(second)
    left = file.content.decode()
    assert "# not hers, ask Bob" in left and "[[track]]" not in left and 'name = "Ross"' in left


def test_an_entry_after_a_last_line_without_end_begins_a_line(tmp_path: Path) -> None:
    read(tmp_path / "people.toml", '[[track]]\ntrack = 1\nname = "A"')
    file = CorrectionsFile(tmp_path / "people.toml")
    file.put(Correction(2, "B"))
    assert tomlkit.parse(file.content).unwrap()["track"] == [{"track": 1, "name": "A"}, {"track": 2, "name": "B"}]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('[[person]]\nwas = "A"\nname = = "B"\n', 3, "Unexpected character"),
        ('[[person]]\nwas = "A\n', 2, "not allowed in strings"),
        ('\n[[person]]\nwas = "A"\nwas = "B"\n', 2, "already exists"),
        ('[[person]\nwas = "A"\n', 1, "neither"),
        ('[person]\nwas = "A"\nname = "B"\n', 1, r"neither \[\[person\]\] nor \[\[track\]\]"),
        ('[[persons]]\nwas = "A"\nname = "B"\n', 1, "neither"),
        ('# a\nwas = "A"\n', 2, "before the first"),
        ('[[person]]\nwas = "A"\nname = "B"\nsean = [1, 2, 3]\n', 4, "no key 'sean'"),
        ('[[track]]\nwas = "A"\nname = "B"\n', 2, "no key 'was'"),
        ('# one\n[[person]]\nname = "B"\n', 2, "was is missing"),
        ('[[track]]\nname = "B"\n', 1, "track is missing"),
        ('[[person]]\nwas = 2\nname = "B"\n', 2, "was is 2, not a text"),
        ('[[track]]\ntrack = "17"\nname = "B"\n', 2, "not the number of a track"),
        ('[[track]]\ntrack = true\nname = "B"\n', 2, "not the number of a track"),
        ('[[track]]\ntrack = -1\nname = "B"\n', 2, "not the number of a track"),
        ("[[track]]\ntrack = 1\nname = 5\n", 3, "name is 5, not a text"),
        ('[[track]]\ntrack = 1\nname = " "\n', 3, "the name is empty"),
        ('[[track]]\ntrack = 1\nname = "unassigned"\n', 3, "nobody can be called"),
        ('[[track]]\ntrack = 1\nignore = "yes"\n', 3, "not true or false"),
        ("[[track]]\ntrack = 1\nignore = false\n", 1, "neither a name nor ignore"),
        ('[[track]]\ntrack = 1\nname = "B"\nseen = [1, 2]\n', 4, r"not \[seconds, x, y\]"),
        ('[[track]]\ntrack = 1\nname = "B"\nseen = [nan, 2, 3]\n', 4, r"not \[seconds, x, y\]"),
        ('[[track]]\ntrack = 1\nname = "B"\nseen = "here"\n', 4, r"not \[seconds, x, y\]"),
        ('[[track]]\ntrack = 1\nname = "B"\n\n[[track]]\ntrack = 1\nname = "C"\n', 5, "on line 1 already"),
        ('[[person]]\nwas = "A"\nname = "B"\n[[person]]\nwas = "A"\nignore = true\n', 4, "on line 1 already"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_file_and_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    with pytest.raises(InputError, match=rf"people\.toml:{line}: .*{reason}") as caught:
        read(tmp_path / "people.toml", text)
    assert "nothing was changed" in caught.value.hint


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"people\.toml:3: it is not UTF-8"):
        read(tmp_path / "people.toml", b'[[person]]\nwas = "A"\nname = "Zo\xeb"\n')


def test_a_directory_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "people.toml").mkdir()
    with pytest.raises(InputError, match=r"people\.toml is a directory"):
        CorrectionsFile(tmp_path / "people.toml")


def test_the_same_number_may_mean_two_faces_that_were_seen(tmp_path: Path) -> None:
    text = '[[track]]\ntrack = 1\nname = "B"\nseen = [1, 2, 3]\n\n[[track]]\ntrack = 1\nname = "C"\nseen = [9, 2, 3]\n'
    assert [entry.name for entry in read(tmp_path / "people.toml", text)] == ["B", "C"]


def test_names_are_trimmed_and_composed() -> None:
    assert clean_name(" Zoe\u0308 ") == "Zo\u00eb"


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0915\u094d\u200d\u0937",
        "Jean\u00a0Valjean",
        "Ali \u200e(2)",
        "Zo\u00eb\ue000",
    ],
)
def test_names_of_any_script_with_its_joiners_and_blanks_stay_as_they_are(tmp_path: Path, name: str) -> None:
    assert clean_name(f" {name}\u00a0") == name
    file = CorrectionsFile(tmp_path / "people.toml")
    file.put(Correction("Person 2", name))
    assert read(tmp_path / "people.toml", file.content)[0].name == name


@pytest.mark.parametrize("name", ["", "  ", "\u00a0", "\u200d\u200b", "Unassigned", "UNASSIGNED", "Unassigned\u00a0"])
def test_names_of_nobody(name: str) -> None:
    with pytest.raises(ConfigError, match=r"the name is empty|nobody can be called"):
        clean_name(name)


@pytest.mark.parametrize("character", ["\n", "\a", "\x7f", "\ud800", "\u2028", "\u2029", "\ufffe", "\u202e", "\u2067"])
def test_characters_that_spoil_the_text_around_a_name(character: str) -> None:
    with pytest.raises(ConfigError, match="cannot be printed"):
        clean_name(f"Ro{character}ss")
