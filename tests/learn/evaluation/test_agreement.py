"""Cohen's kappa over time, against scikit-learn on a grid of milliseconds and against hand-made figures."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from fercli.cli.entry import main
from fercli.errors import DatasetError
from fercli.learn.evaluation.agreement import NOTHING, Row, agreement_of, compare
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.importers.films import film
from tests.workspaces import add_receipt

_NAMES = ["anger", "happiness", "sadness", "not assessable"]


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    found: list[Row] = []
    for person in ("Ross", "Rachel"):
        ends = sorted(draw(st.sets(st.integers(0, 300), min_size=2, max_size=8)))
        for start, end in itertools.pairwise(ends):
            found.append((person, start, end, draw(st.sampled_from(_NAMES))))
    return found


def on_a_grid(annotation: list[Row]) -> list[str]:
    """The class of every millisecond of Ross, then of Rachel."""
    grid = {person: [NOTHING] * 300 for person in ("Ross", "Rachel")}
    for person, start, end, name in annotation:
        grid[person][start:end] = [name] * (end - start)
    return grid["Ross"] + grid["Rachel"]


@settings(max_examples=100, deadline=None)
@given(rows(), rows())
def test_kappa_is_that_of_scikit_learn(one: list[Row], other: list[Row]) -> None:
    pairs = [pair for pair in zip(on_a_grid(one), on_a_grid(other), strict=True) if set(pair) != {NOTHING}]
    a, b = zip(*pairs, strict=True)
    found = compare(one, other)
    assert found.overall.seconds == pytest.approx(len(pairs) / 1000)
    assert found.overall.agreement == pytest.approx(np.mean([x == y for x, y in pairs]))
    if len(set(a) | set(b)) == 1:
        assert found.overall.kappa is None
    else:
        assert found.overall.kappa == pytest.approx(cohen_kappa_score(a, b), abs=1e-9)
        for name, own in found.per_class.items():
            truth = cohen_kappa_score([x == name for x in a], [y == name for y in b])
            assert own.kappa == (None if np.isnan(truth) else pytest.approx(truth, abs=1e-9))


def test_figures_by_hand() -> None:
    one: list[Row] = [("Ross", 0, 40_000, "anger"), ("Ross", 40_000, 80_000, "sadness")]
    other: list[Row] = [("Ross", 0, 60_000, "anger"), ("Ross", 60_000, 80_000, "sadness"), ("Ben", 0, 10, "anger")]
    found = compare(one, other)
    assert found.per_person["Ross"].agreement == 0.75 and found.per_person["Ross"].kappa == pytest.approx(0.5)
    interval = found.per_person["Ross"].interval
    assert interval is not None and interval[0] < 0.5 < interval[1]
    assert found.per_person["Ben"].kappa == 0 and found.per_person["Ben"].interval is None
    assert found.only_one == ["Ben"]
    assert found.per_class["sadness"].seconds == 40.0
    assert compare(one, one).overall.kappa == 1.0


def test_two_annotators_of_one_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = film(tmp_path / "a"), annotate(film(tmp_path / "b"), "Person 1,0,4,sad")
    assert agreement_of(first.path, first.path).overall.kappa == 1.0
    found = agreement_of(first.path, second.path)
    assert found.overall.agreement == pytest.approx(8 / 12) and found.per_person["Person 2"].agreement == 1.0
    assert main(["evaluate", "agreement", str(first.path), str(second.path)]) == 0
    assert "Person 1" in (shown := capsys.readouterr().out) and "kappa" in shown
    assert main(["evaluate", "agreement", str(first.path), str(second.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overall"]["kappa"] == pytest.approx(found.overall.kappa)
    (tmp_path / "c.csv").write_text("object,start,end,class\nPerson 1,0,4,happy\n")
    assert agreement_of(tmp_path / "c.csv", first.path).per_class["happiness"].kappa == 1.0


def test_of_two_videos_there_is_no_agreement(tmp_path: Path) -> None:
    first, second = film(tmp_path / "a"), film(tmp_path / "b")
    file = second.path / "workspace.json"
    file.write_text(file.read_text().replace(first.video.sha256, "cd" * 32))
    for directory in ("frames", "faces", "tracks", "persons", "emotions"):
        add_receipt(Workspace.open(second.path), directory)
    with pytest.raises(DatasetError) as caught:
        agreement_of(first.path, second.path)
    assert caught.value.code == "video-differs"
