"""The evaluator weighted estimator and delays, with planted weights and delays."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from examples.make_stories import Floats, latent, ratings_of
from fercli.cli.entry import main
from fercli.errors import DatasetError
from fercli.learn.datasets.over_time.delays import earlier, find_delay, find_delays, mutual_information
from fercli.learn.datasets.over_time.raters import estimate
from fercli.learn.datasets.over_time.rating_files import read_ratings
from fercli.learn.evaluation.concordance import ccc


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_weights_are_the_correlations_with_the_mean() -> None:
    """Grimm and Kroschel's formulas, written with numpy's correlation."""
    ratings = ratings_of(latent(400, _rng()), [0.1, 0.3, 0.6, 1.0], _rng(1))
    stacked = np.stack(list(ratings.values()))
    expected = np.array([np.corrcoef(values, stacked.mean(axis=0))[0, 1] for values in stacked])
    found = estimate(ratings)
    np.testing.assert_allclose(list(found.weights.values()), expected, atol=1e-9)
    np.testing.assert_allclose(found.values, expected @ stacked / expected.sum(), atol=1e-9)
    np.testing.assert_allclose(found.spread, stacked.std(axis=0), atol=1e-9)


def test_planted_weights_are_recovered() -> None:
    """Of unit variance with noise of a known variance, r_k = (1 + s_k²/K) / sqrt((1 + s_k²)(1 + Σ s²/K²))."""
    rng, spreads = _rng(), np.array([0.2, 0.5, 1.0, 2.0])
    signal = rng.normal(size=200_000)
    ratings = {f"{spread}": signal + rng.normal(0, spread, len(signal)) for spread in spreads}
    k = len(spreads)
    planted = (1 + spreads**2 / k) / np.sqrt((1 + spreads**2) * (1 + (spreads**2).sum() / k**2))
    np.testing.assert_allclose(list(estimate(ratings).weights.values()), planted, atol=0.01)


def test_it_is_nearer_to_the_truth_than_the_plain_mean() -> None:
    truth = latent(600, _rng())
    ratings = ratings_of(truth, [0.1, 0.1, 0.9, 0.9, 0.9], _rng(1))
    plain = np.mean(list(ratings.values()), axis=0)
    found = estimate(ratings)
    assert ((found.values - truth) ** 2).mean() < 0.95 * ((plain - truth) ** 2).mean()


def test_a_rater_against_all_others_does_not_count() -> None:
    truth = latent(300, _rng())
    ratings = {**ratings_of(truth, [0.1, 0.1, 0.1], _rng(1)), "against": -truth, "asleep": np.zeros(300)}
    found = estimate(ratings)
    assert found.weights["against"] == found.weights["asleep"] == 0
    assert ccc(found.values, truth) > 0.97


def test_moments_without_a_rating() -> None:
    ratings = ratings_of(latent(50, _rng()), [0.1, 0.1], _rng(1))
    ratings["r0"][:10] = np.nan
    ratings["r1"][5:15] = np.nan
    found = estimate(ratings)
    assert np.isnan(found.values).tolist() == [5 <= k < 10 for k in range(50)]
    np.testing.assert_allclose(found.values[:5], ratings["r1"][:5])
    assert np.isnan(found.spread).sum() == 15


def test_human_agreement_leaves_the_rater_out() -> None:
    ratings = ratings_of(latent(300, _rng()), [0.1, 0.2, 0.6], _rng(1))
    found = estimate(ratings)
    rest = estimate({name: values for name, values in ratings.items() if name != "r2"})
    assert found.agreement["r2"] == pytest.approx(ccc(ratings["r2"], rest.values), abs=1e-12)
    assert found.human_agreement == pytest.approx(np.mean(list(found.agreement.values())))
    assert math.isnan(estimate({"alone": ratings["r0"]}).human_agreement)


def test_ratings_must_be_of_one_length() -> None:
    for wrong in ({}, {"a": np.zeros(2), "b": np.zeros(3)}):
        with pytest.raises(ValueError, match="equally long"):
            estimate(wrong)


@pytest.mark.parametrize("criterion", ["ccc", "mutual-information"])
def test_planted_delays_are_found(criterion: str) -> None:
    """Relative to the fastest rater, who is not the first."""
    truth = latent(600, _rng(3))
    ratings = ratings_of(truth, [0.1, 0.1, 0.1, 0.1], _rng(1), [6, 2, 9, 4])
    assert find_delays(ratings, 12, criterion) == {"r0": 4, "r1": 0, "r2": 7, "r3": 2}


def test_mutual_information_finds_a_delay_where_the_relation_is_not_linear() -> None:
    truth = latent(800, _rng(3))
    seen = np.concatenate([np.full(5, truth[0]), truth[:-5]])
    assert find_delay(seen, np.abs(truth) ** 0.5, 12, "mutual-information") == 5


def test_a_signal_of_the_video_gives_absolute_delays() -> None:
    truth = latent(600, _rng(3))
    ratings = ratings_of(truth, [0.1, 0.1], _rng(1), [6, 3])
    assert find_delays(ratings, 12, "ccc", truth + _rng(2).normal(0, 0.2, 600)) == {"r0": 6, "r1": 3}


def test_mutual_information_of_what_is_independent_and_what_is_the_same() -> None:
    one, other = _rng().normal(size=(2, 20_000))
    assert mutual_information(one, other) < 0.01
    assert mutual_information(one, one) == pytest.approx(math.log(8), abs=0.01)
    assert math.isnan(mutual_information(np.array([np.nan]), np.array([1.0])))


def test_earlier_leaves_a_gap_at_the_end() -> None:
    np.testing.assert_array_equal(earlier(np.array([1.0, 2.0, 3.0]), 2), [3.0, np.nan, np.nan])


def _write(path: Path, columns: dict[str, Floats], delimiter: str = ",") -> Path:
    rows = zip(*columns.values(), strict=True)
    lines = [delimiter.join(columns), *(delimiter.join("" if np.isnan(v) else f"{v:.5f}" for v in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_writes_truth_weights_and_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratings = ratings_of(latent(900, _rng(3)), [0.1, 0.1, 0.3], _rng(1), [4, 0, 0])
    path = _write(tmp_path / "results_1_1.csv", {"time": np.arange(900) / 2, **ratings})
    out = tmp_path / "truth.csv"
    words = ["dataset", "ewe", str(path), "-o", str(out), "--delays", "ccc", "--max-delay", "5", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)["results_1_1"]
    assert [told["raters"][name]["delay_s"] for name in ratings] == [2.0, 0.0, 0.0]
    assert told["raters"]["r0"]["weight"] > told["raters"]["r2"]["weight"]
    assert told["human_ccc"] == pytest.approx(np.mean([one["ccc"] for one in told["raters"].values()]))
    in_time = {**ratings, "r0": earlier(ratings["r0"], 4)}
    rows = np.genfromtxt(out, delimiter=",", names=True)
    assert rows.dtype.names == ("time", "valence", "sd", "raters")
    np.testing.assert_allclose(rows["valence"], estimate(in_time).values, atol=1e-4)
    assert rows["raters"].tolist() == [3] * 896 + [2] * 4


def test_files_of_one_rater_each_are_one_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """RECOLA has semicolons and 25 values a second; one rater began later."""
    ratings = ratings_of(latent(100, _rng(3)), [0.1, 0.1], _rng(1))
    files = [
        _write(tmp_path / f"{name}.csv", {"time": (np.arange(100) + 10 * n) / 25, "rating": values}, ";")
        for n, (name, values) in enumerate(ratings.items())
    ]
    (rated,) = read_ratings(files)
    assert list(rated.ratings) == ["r0", "r1"]
    assert len(rated.times_s) == 110
    assert np.isnan(rated.ratings["r1"]).sum() == np.isnan(rated.ratings["r0"]).sum() == 10
    assert main(["dataset", "ewe", *map(str, files), "-o", str(tmp_path / "truth.csv")]) == 0
    assert "r1" in capsys.readouterr().out


def test_several_videos_are_told_apart(tmp_path: Path) -> None:
    ratings = ratings_of(latent(50, _rng(3)), [0.1, 0.1], _rng(1))
    files = [_write(tmp_path / f"{name}.csv", {"time": np.arange(50.0), **ratings}) for name in ("a", "b")]
    out = tmp_path / "truth.csv"
    assert main(["dataset", "ewe", *map(str, files), "-o", str(out), "--name", "arousal"]) == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "video,time,arousal,sd,raters"
    assert [line.split(",")[0] for line in lines[1:]] == ["a"] * 50 + ["b"] * 50


def test_holes_of_a_rater_are_not_filled(tmp_path: Path) -> None:
    values = np.arange(6.0)
    values[2] = np.nan
    path = _write(tmp_path / "a.csv", {"time": np.arange(6.0), "x": values, "y": np.arange(6.0)})
    (rated,) = read_ratings([path], rate=2)
    np.testing.assert_array_equal(rated.ratings["x"][:7], [0, 0.5, 1, np.nan, np.nan, np.nan, 3])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("time,a\n0,1\n1,x\n", 3),
        ("time,a\n0,1\n0,2\n", 3),
        ("seconds\n0\n", 1),
        ("second,a\n0,1\n", 1),
        ("time,a\n0,1,2\n", 2),
        ("", 0),
    ],
    ids=["no number", "twice", "one column", "no time", "too many cells", "empty"],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_ratings([path])
    assert caught.value.code == "ratings-unusable"
    assert (f"{path}:{line}" if line else str(path)) in caught.value.message
