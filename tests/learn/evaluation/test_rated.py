"""Ratings over time against reference ratings: `fercli evaluate out.json --truth ratings.csv`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fercli
from fercli.cli.entry import main
from fercli.errors import DatasetError
from fercli.formats import FORMATS
from fercli.formats.ratings import Rated
from fercli.learn.evaluation.rated import at_moments, score_ratings
from fercli.results.load import load
from tests.rated import END_S, UNSEEN_S, rated, smiling


def truth(path: Path, rows: list[tuple[float, float]], person: str = "Ross", name: str = "valence") -> Path:
    lines = [f"seconds,{name},object", *(f"{time},{value},{person}" for time, value in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def document(folder: Path) -> Path:
    FORMATS["json"].write(load(rated(folder / "w")), folder / "out.json")
    return folder / "out.json"


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["evaluate", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_its_own_ratings_agree_entirely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = document(tmp_path)
    FORMATS["csv-ratings"].write(fercli.open(tmp_path / "w"), tmp_path / "own.csv")
    found = evaluated(capsys, str(out), "--truth", str(tmp_path / "own.csv"))["ratings"]
    assert set(found) == {"valence", "arousal", "intensity"}
    for one in found.values():
        assert one["persons"]["Ross"]["ccc"] == pytest.approx(1, abs=1e-4) and "Rachel" in one["persons"]
    ross = found["valence"]["persons"]["Ross"]
    assert ross["n"] == 70 and ross["covered"] == 1


def test_a_workspace_and_its_document_have_the_same_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(k / 4, float(np.sin(k))) for k in range(round(4 * END_S))]
    out, reference = document(tmp_path), truth(tmp_path / "t.csv", rows)
    of_file = evaluated(capsys, str(out), "--truth", str(reference))["ratings"]["valence"]["pooled"]
    of_workspace = evaluated(capsys, str(tmp_path / "w"), "--truth", str(reference))["ratings"]["valence"]["pooled"]
    assert of_file["n"] == of_workspace["n"] > 60
    assert of_file["ccc"] == pytest.approx(of_workspace["ccc"], abs=0.002) and -1 < of_file["ccc"] < 0.5


def test_gaps_do_not_count_and_coverage_says_so(tmp_path: Path) -> None:
    rows = [(k / 10, 0.1 * (k % 3)) for k in range(round(10 * END_S))]
    found, notes = score_ratings(document(tmp_path), truth(tmp_path / "t.csv", rows))
    unseen = 10 * (UNSEEN_S[1] - UNSEEN_S[0])
    assert found["valence"].agreement.pooled.n == 10 * END_S - unseen and not notes
    assert found["valence"].covered == {"Ross": pytest.approx(1 - unseen / (10 * END_S))}


def test_names_are_compared_without_case_and_others_are_named(tmp_path: Path) -> None:
    rows = [(k / 10, 0.1 * (k % 3)) for k in range(60)]
    found, _ = score_ratings(document(tmp_path), truth(tmp_path / "t.csv", rows, "ROSS"))
    assert list(found["valence"].covered) == ["Ross"]
    with pytest.raises(DatasetError) as caught:
        score_ratings(tmp_path / "out.json", truth(tmp_path / "t.csv", rows, "Joey"))
    assert caught.value.code == "ratings-unusable" and "Joey" in (caught.value.hint or "")


def test_a_truth_without_names_is_refused_for_several_persons(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("seconds,valence\n0,0\n1,1\n")
    with pytest.raises(DatasetError) as caught:
        score_ratings(document(tmp_path), tmp_path / "t.csv")
    assert caught.value.code == "ratings-unusable" and "Ross" in (caught.value.hint or "")


def test_a_document_without_ratings_says_how_to_make_them(tmp_path: Path) -> None:
    FORMATS["json"].write(load(smiling(tmp_path / "w")), tmp_path / "out.json")
    reference = truth(tmp_path / "t.csv", [(0, 0), (1, 1)])
    for annotation in (tmp_path / "out.json", tmp_path / "w"):
        with pytest.raises(DatasetError) as caught:
            score_ratings(annotation, reference)
        assert caught.value.code == "ratings-missing" and "--with valence" in (caught.value.hint or "")


def test_times_that_do_not_meet_are_no_score(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        score_ratings(document(tmp_path), truth(tmp_path / "t.csv", [(100, 0), (101, 1)]))
    assert caught.value.code == "ratings-unusable" and "in common" in (caught.value.hint or "")


def test_labels_are_scored_as_ever_and_lasting_is_for_them_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = document(tmp_path)
    FORMATS["csv"].write(fercli.open(tmp_path / "w"), tmp_path / "labels.csv")
    assert main(["evaluate", str(out), "--truth", str(tmp_path / "labels.csv")]) == 0
    reference = truth(tmp_path / "t.csv", [(0, 0), (1, 1)])
    assert main(["evaluate", str(out), "--truth", str(reference), "--lasting", "2"]) == 2
    assert "error[option-conflict]" in capsys.readouterr().err


def test_the_table_has_every_person_and_both_conventions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(k / 10, 0.1 * (k % 3)) for k in range(60)]
    assert main(["evaluate", str(document(tmp_path)), "--truth", str(truth(tmp_path / "t.csv", rows))]) == 0
    out = capsys.readouterr().out
    assert all(text in out for text in ("CCC", "Ross", "mean of persons", "all moments"))


def test_reference_values_are_interpolated_over_short_distances_alone() -> None:
    rated = Rated("valence", "", np.array([0.0, 0.5, 1.0, 3.0, 3.5]), np.array([0.0, 1.0, 0.0, 1.0, 0.0]))
    found = at_moments(rated, np.array([-0.1, 0.0, 0.25, 0.75, 2.0, 3.25, 3.5, 3.6]))
    assert np.isnan(found[[0, 4, 7]]).all() and found[[1, 2, 3, 5, 6]].tolist() == [0.0, 0.5, 0.5, 0.5, 0.0]


def test_what_was_not_rated_is_not_invented() -> None:
    rated = Rated("valence", "", np.arange(11) / 10, np.array([0.5] * 3 + [np.nan] * 5 + [0.5] * 3))
    found = at_moments(rated, np.arange(11) / 10)
    assert np.isnan(found[3:8]).all() and (found[[0, 1, 2, 8, 9, 10]] == 0.5).all()
