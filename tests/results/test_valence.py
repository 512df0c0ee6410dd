"""Ratings over time and courses of expressions, in a result and in the document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fercli
from fercli.cli.entry import main
from fercli.edits.erase import erase
from fercli.formats import FORMATS
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.conftest import VALIDATOR
from tests.edits.by_hand import annotate
from tests.rated import HAPPY_S, SAD_S, UNSEEN_S, rated, smiling


def document(workspace: Workspace, folder: Path) -> dict[str, Any]:
    FORMATS["json"].write(load(workspace), folder / "out.json")
    found: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(found)
    return found


def test_a_result_has_the_ratings_of_each_track_as_signals(tmp_path: Path) -> None:
    rated(tmp_path / "w")
    signals = [one for one in fercli.open(tmp_path / "w").signals if one.source]
    assert [(one.name, one.track, one.person, one.source) for one in signals] == [
        (name, track, person, "derived")
        for track, person in enumerate(("Ross", "Rachel"))
        for name in ("valence", "arousal", "intensity")
    ]
    valence = signals[0]
    assert valence.values.shape == (80, 3) and [one.name for one in valence.columns] == [
        "valence",
        "valence_low",
        "valence_high",
    ]
    assert valence.end_s - valence.start_s == pytest.approx(0.1)
    assert np.isnan(valence.values[40:50]).all() and np.isfinite(valence.values[:40]).all()
    table = fercli.open(tmp_path / "w").to_arrow("signals").to_pylist()
    assert sum(row["signal"] == "valence" for row in table) == 3 * 100


def test_the_document_has_the_signals_and_the_courses(tmp_path: Path) -> None:
    found = document(rated(tmp_path / "w"), tmp_path)
    first = found["signals"][0]
    assert list(first) == ["name", "object", "track", "source", "seconds", "values", "low", "high"]
    assert first["name"] == "valence" and first["object"] == "Ross" and first["source"] == "derived"
    assert first["seconds"][:3] == [0.0, 0.1, 0.2] and first["values"][40:50] == [None] * 10
    assert len({len(first[name]) for name in ("seconds", "values", "low", "high")}) == 1
    intensity = found["signals"][2]
    assert intensity["name"] == "intensity" and "low" not in intensity
    shown = {one["seconds"]: one for one in found["segments"] if one["object"] == "Ross"}
    assert "apex" not in shown[0.0]  # neutral
    happy = shown[HAPPY_S]
    assert happy["onset"] < happy["apex"] == pytest.approx(3.9) and 0 < happy["intensity"] <= 1


def test_without_the_stage_the_document_is_as_before(tmp_path: Path) -> None:
    found = document(smiling(tmp_path / "w"), tmp_path)
    assert "signals" not in found and not any("apex" in one for one in found["segments"])


def test_ratings_of_older_emotions_are_left_out_with_a_warning(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    receipt = workspace.path / "valence" / "receipt.json"
    content = json.loads(receipt.read_text())
    content["inputs"]["emotions"] = "0" * 64
    receipt.write_text(json.dumps(content))
    found = document(workspace, tmp_path)
    assert "signals" not in found and not any("apex" in one for one in found["segments"])
    assert any("valence is left out" in text and "estimate-valence" in text for text in found["warnings"])


def test_a_manual_annotation_has_no_course_and_what_is_left_keeps_its_own(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    annotate(workspace, "Ross,2,3,fear")
    found = [one for one in load(workspace).all_segments if one.person == "Ross" and one.start_s < UNSEEN_S[0]]
    assert [(one.emotion, one.course is not None) for one in found] == [
        ("neutral", False),
        ("fear", False),
        ("happiness", True),
    ]
    annotate(workspace, "Ross,3.5,4,fear")  # over the apex
    left = [one for one in load(workspace).segments if one.emotion == "happiness" and one.end_s < UNSEEN_S[0]]
    assert [one.course for one in left] == [None]


def test_derived_valence_follows_a_class_that_is_set_by_hand(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    predicted = document(workspace, tmp_path)["signals"]
    annotate(
        workspace, "Ross,2,3,anger", "Ross,4,4.5,anger"
    )  # predicted as happiness; from 4 to 5 nothing is assessable
    valence, arousal, intensity = (one for one in document(workspace, tmp_path)["signals"] if one["object"] == "Ross")
    for signal, norm, before in ((valence, -0.51, predicted[0]), (arousal, 0.59, predicted[1])):
        assert signal["source"] == "derived" and signal["by_hand"] == [[2.0, 3.0], [4.0, 4.5]]
        assert signal["values"][20:30] == [norm] * 10 and signal["values"][40:45] == [norm] * 5
        assert signal["low"][20] == pytest.approx(norm - 0.125) and signal["high"][20] == pytest.approx(norm + 0.125)
        others = [*range(20), *range(30, 40), *range(45, 80)]
        assert [signal["values"][k] for k in others] == [before["values"][k] for k in others]
    assert intensity == predicted[2]  # it is what the face does, whatever it means
    rachel = [one for one in document(workspace, tmp_path)["signals"] if one["object"] == "Rachel"]
    assert rachel == predicted[3:]


def test_where_a_class_is_taken_away_by_hand_nothing_is_derived_and_two_have_their_mean(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    annotate(workspace, "Ross,1,2,", "Ross,2,3,not assessable", "Ross,6,7,anger", "Ross,6,7,happiness")
    valence = document(workspace, tmp_path)["signals"][0]
    assert valence["values"][10:30] == valence["low"][10:30] == [None] * 20
    assert valence["values"][60] == pytest.approx((0.81 - 0.51) / 2)
    assert valence["high"][60] - valence["low"][60] > 1  # they contradict each other
    assert valence["by_hand"] == [[1.0, 3.0], [6.0, 7.0]]
    assert main(["edits", "undo", str(workspace.path), "4"]) == 0
    assert document(workspace, tmp_path)["signals"][0]["values"][60] == -0.51


def test_an_ignored_person_has_no_ratings(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    assert main(["people", "ignore", str(workspace.path), "Ross"]) == 0
    assert {one["object"] for one in document(workspace, tmp_path)["signals"]} == {"Rachel"}


def test_ratings_of_an_erased_person_are_erased(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    erase(workspace, "Ross")
    found = document(workspace, tmp_path)
    assert {one["object"] for one in found["signals"]} == {"Rachel"}
    assert SAD_S not in [one["seconds"] for one in found["segments"]]
