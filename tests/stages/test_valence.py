"""estimate-valence: ten moments a second of each track, gaps as gaps, and the course of each expression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from fercli import tables
from fercli.chain import VALENCE
from fercli.config import ValenceParams
from fercli.errors import ConfigError
from fercli.stages.valence import check
from fercli.workspace import Digests, Workspace, why_stale
from tests.formats.samples import nobody
from tests.rated import HAPPY_S, SAD_S, UNSEEN_S, rate, rated, smiling


def series(workspace: Workspace, track: int = 0) -> dict[str, np.ndarray]:
    table = tables.read_table(workspace.table("valence"), tables.VALENCE)
    rows = tables.rows_by_value(table["track"])[track]
    return {name: table[name].to_numpy()[rows] for name in table.column_names}


def test_a_track_has_ten_moments_a_second_from_its_first_to_its_last(tmp_path: Path) -> None:
    workspace = smiling(tmp_path / "w")
    assert rate(workspace) == ({"moments": 100, "courses": 4}, "")
    assert series(workspace)["seconds"] == pytest.approx(np.arange(80) / 10)
    assert series(workspace, 1)["seconds"] == pytest.approx(2 + np.arange(20) / 10)


def test_valence_follows_the_expression_and_is_null_where_the_face_cannot_be_judged(tmp_path: Path) -> None:
    own = series(rated(tmp_path / "w"))
    unseen = (own["seconds"] >= UNSEEN_S[0] - 1e-9) & (own["seconds"] < UNSEEN_S[1] - 1e-9)
    for name in ("valence", "valence_low", "valence_high", "arousal", "arousal_low", "arousal_high", "intensity"):
        assert np.array_equal(np.isnan(own[name]), unseen)
    valence = own["valence"]
    assert np.abs(valence[:15]).max() < 0.1 and valence[25:40].min() > 0.5 and valence[65:].max() < -0.4
    known = ~unseen
    assert (own["valence_low"][known] <= valence[known]).all() and (valence[known] <= own["valence_high"][known]).all()
    assert own["arousal"][65:].max() < 0 < own["arousal"][30]  # sad faces are calm, happy ones are not


def test_intensity_rises_with_the_smile_after_the_probability_stopped_to_rise(tmp_path: Path) -> None:
    own = series(rated(tmp_path / "w"))
    rising = (own["seconds"] >= 0.5) & (own["seconds"] < UNSEEN_S[0] - 1e-9)
    assert spearmanr(own["intensity"][rising], own["seconds"][rising]).statistic > 0.95


def test_each_expression_has_onset_apex_and_offset(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    rows = tables.read_table(workspace.table("courses"), tables.COURSES).to_pylist()
    assert [(row["track"], row["start_s"]) for row in rows] == [(0, HAPPY_S), (0, UNSEEN_S[1]), (0, SAD_S), (1, 2.0)]
    smile = rows[0]
    assert smile["apex_s"] == pytest.approx(3.9)  # the last moment that is known
    assert HAPPY_S - 0.5 < smile["onset_s"] < 3 and smile["offset_s"] == pytest.approx(3.9)
    for row in rows:
        assert row["onset_s"] <= row["apex_s"] <= row["offset_s"] and 0 < row["peak"] <= 1
    assert rows[2]["onset_s"] >= SAD_S  # not in the smile before it


def test_a_face_without_a_mesh_has_ratings_of_its_classes_alone(tmp_path: Path) -> None:
    other = series(rated(tmp_path / "w"), 1)
    shown = 0.9 * -0.63 + 0.1 / 6 * (-0.51 - 0.60 - 0.64 + 0.81 + 0.40)
    assert other["valence"] == pytest.approx(shown, abs=1e-6)
    assert other["intensity"] == pytest.approx(1 - 0.1 / 6, abs=1e-6)


def test_a_wider_filter_is_smoother(tmp_path: Path) -> None:
    workspace = smiling(tmp_path / "w")
    steps = []
    for sigma_s in (0.05, 1.0):
        rate(workspace, ValenceParams(smoothing_s=sigma_s))
        steps.append(np.nanmax(np.abs(np.diff(series(workspace)["valence"]))))
    assert steps[0] > 3 * steps[1]


def test_the_same_workspace_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (rated(tmp_path / name).table("valence").read_bytes() for name in ("a", "b"))
    assert one == other


def test_without_a_face_the_tables_are_empty(tmp_path: Path) -> None:
    nobody(tmp_path / "w")
    workspace = Workspace.open(tmp_path / "w")
    counts, skipped = rate(workspace)
    assert counts == {"moments": 0, "courses": 0} and "no face" in skipped
    assert tables.read_table(workspace.table("valence"), tables.VALENCE).num_rows == 0


def test_it_is_stale_with_another_filter(tmp_path: Path) -> None:
    workspace = rated(tmp_path / "w")
    assert why_stale(workspace, VALENCE, Digests(by_receipts=True)) is None
    assert "smoothing_s" in str(
        why_stale(workspace, VALENCE, Digests(by_receipts=True), ValenceParams(smoothing_s=1.0))
    )


@pytest.mark.parametrize("sigma_s", [0.0, -1.0, float("nan"), 1e9])
def test_a_filter_without_a_width_is_refused(sigma_s: float) -> None:
    with pytest.raises(ConfigError) as caught:
        check(ValenceParams(smoothing_s=sigma_s))
    assert caught.value.code == "option-out-of-range"
