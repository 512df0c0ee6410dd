"""`fercli show` of hand-made workspaces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from fercli import tables
from fercli.cli.entry import main
from tests.edits.film import make_film as make_short_film
from tests.fake_speech import add_speaker, add_speech
from tests.importers.films import film
from tests.rated import rated, smiling
from tests.views.report.film import DOUBTFUL, make_film, make_film_of_nobody
from tests.workspaces import segments_table


def test_json_has_everything_that_the_text_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(make_film(tmp_path / "film.fercli").path)
    assert main(["show", place]) == 0
    text = capsys.readouterr().out
    assert main(["show", place, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for person in [*document["persons"], document["unassigned"]]:
        assert f"{person['name']}  " in text and f"{person['screen_time_s']:.1f} s" in text
    (doubt,) = document["doubtful"]
    assert doubt == f"Person 2: doubtful for 2.0 s: {DOUBTFUL}"
    assert doubt in text
    assert document["unassigned"]["name"] == "Unassigned"


def test_json_says_where_no_person_is_unassigned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_short_film(tmp_path / "film.fercli")
    people = tables.read_table(workspace.table("persons")).to_pylist()
    people[-1]["person"] = "Person 4"
    tables.write_table(
        workspace.table("persons"), [pa.Table.from_pylist(people, schema=tables.PERSONS)], tables.PERSONS
    )
    assert main(["show", str(workspace.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unassigned"] is None


def test_a_segment_of_no_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_short_film(tmp_path / "film.fercli")
    moment = segments_table([(1, 0.5, 0.5, "happiness", 0.8, "", 1)])
    tables.write_table(workspace.table("segments"), [moment], tables.SEGMENTS)
    assert main(["show", str(workspace.path)]) == 0
    assert "happy 0 %" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("faces", "tracks", "said"),
    [
        (0, 0, "no face was found, so there is nothing to annotate"),
        (1, 0, "1 face was found, but no track is long enough: try a higher --fps, or run: fercli track"),
        (6, 0, "6 faces were found, but no track is long enough: try a higher --fps, or run: fercli track"),
        (6, 2, "all persons are ignored; to restore one, run: fercli people restore"),
    ],
)
def test_why_no_person_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], faces: int, tracks: int, said: str
) -> None:
    film = make_film_of_nobody(tmp_path / "film.fercli")
    for directory, counts in (("faces", {"faces": faces}), ("tracks", {"tracks": tracks})):
        file = film.path / directory / "receipt.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "counts": counts}))
    assert main(["show", str(film.path)]) == 0
    assert said in (shown := capsys.readouterr().out)
    assert ("--min-faces 1" in shown) == (faces > 0 and not tracks)
    assert main(["people", str(film.path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith(said)


def test_one_is_no_plural(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = make_film(tmp_path / "film.fercli")
    assert main(["people", "rename", str(film.path), "Person 2", "Zoe", "-q"]) == 0
    assert main(["people", "ignore", str(film.path), "Zoe", "-q"]) == 0
    file = film.path / "frames" / "receipt.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "counts": {"frames_decoded": 1, "shots": 2}}))
    capsys.readouterr()
    assert main(["show", str(film.path)]) == 0
    assert "1 person, 4 segments" in capsys.readouterr().out
    assert main(["status", str(film.path)]) == 0
    assert "1 frame decoded, 2 shots" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 80])
def test_a_narrow_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    place = str(make_film(tmp_path / "film.fercli").path)
    assert main(["people", "rename", place, "Person 2", "Maximiliane Theodora von und zu Hohenstein-Gre", "-q"]) == 0
    capsys.readouterr()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    assert main(["show", place]) == 0
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("Unassigned  ") for line in lines)
    assert sum("Maximiliane Theodor" in line and "aaaaaa" in line for line in lines) == 1
    assert any(line.split() == ["0:05", "0:14"] for line in lines)
    assert "not assessable" in lines[-1]


def test_it_shows_who_talks_how_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = add_speech(film(tmp_path / "w"), [(1.0, 2.0, "Hello there."), (2.5, 3.0, "Hi."), (8.0, 8.5, "What?")])
    assert main(["show", str(workspace.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["speakers"] == []
    add_speaker(workspace, 0.0, 2.2, "Person 1")
    add_speaker(workspace, 8.0, 9.0)
    assert main(["show", str(workspace.path)]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Person", "1", "1.0", "s", "2", "1"] in shown
    assert ["off", "screen", "0.5", "s", "1", "1"] in shown and ["unknown", "0.5", "s", "1", "1"] in shown
    assert main(["show", str(workspace.path), "--json"]) == 0
    speakers = json.loads(capsys.readouterr().out)["speakers"]
    assert speakers[0] == {"name": "Person 1", "seconds": 1.0, "words": 2, "turns": 1} and len(speakers) == 3


def test_valence_is_shown_with_its_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = rated(tmp_path / "w")
    assert main(["show", str(workspace.path)]) == 0
    out = capsys.readouterr().out
    assert main(["show", str(workspace.path), "--json"]) == 0
    means = json.loads(capsys.readouterr().out)["valence"]
    assert list(means) == ["Ross", "Rachel"] and means["Rachel"] < -0.5 < means["Ross"]
    assert f"mean valence (derived): Ross {means['Ross']:+.2f}, Rachel {means['Rachel']:+.2f}" in out
    assert main(["show", str(smiling(tmp_path / "plain").path)]) == 0
    assert "valence" not in capsys.readouterr().out
