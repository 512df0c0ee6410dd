"""The file of features is read as it was written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli.errors import InputError
from fercli.features.file import FeatureFacts, TrackFeatures, read_facts, read_features, write_arrays, write_features
from fercli.models.sequence import Modality

FACTS = FeatureFacts(
    (Modality("trunk", 3, "net"), Modality("pose", 2)), {"trunk": ("a", "b", "c"), "pose": ("x", "y")}, 2.0
)


def _track(number: int, steps: int = 4) -> TrackFeatures:
    rng = np.random.default_rng(number)
    trunk = rng.normal(size=(steps, 3)).astype(np.float32)
    trunk[1:2] = np.nan
    starts = np.arange(steps) / 2
    pose = rng.normal(size=(steps, 2)).astype(np.float32)
    return TrackFeatures(f"film {number}", number, "Ross", starts, starts + 0.5, {"trunk": trunk, "pose": pose})


def test_it_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    assert write_features(path, FACTS, [_track(1), _track(2, 0), _track(3)]) == 8
    assert read_facts(path) == FACTS
    found = list(read_features(path))
    assert [(one.video, one.track, one.person) for one in found] == [("film 1", 1, "Ross"), ("film 3", 3, "Ross")]
    for one, wanted in zip(found, (_track(1), _track(3)), strict=True):
        np.testing.assert_array_equal(one.start_s, wanted.start_s)
        np.testing.assert_array_equal(one.end_s, wanted.end_s)
        for name, values in wanted.values.items():
            np.testing.assert_array_equal(one.values[name], values)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_some_modalities_can_be_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    write_features(path, FACTS, [_track(1)])
    (found,) = read_features(path, ["pose"])
    assert list(found.values) == ["pose"]


def test_any_reader_of_parquet_sees_the_vectors(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    write_features(path, FACTS, [_track(1)])
    table = pq.read_table(path)
    assert table["trunk"][1].as_py() is None
    np.testing.assert_allclose(table["pose"][0].as_py(), _track(1).values["pose"][0])


def test_other_files_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no")
    for name in ("other.parquet", "text.parquet"):
        with pytest.raises(InputError) as caught:
            read_facts(tmp_path / name)
        assert caught.value.code == "features-unreadable"
        assert name in caught.value.message


def test_arrays_hold_all_modalities_side_by_side(tmp_path: Path) -> None:
    assert write_arrays(tmp_path / "out", FACTS, [_track(1)]) == 4
    values = np.load(tmp_path / "out" / "film 1" / "track-1.npy")
    np.testing.assert_array_equal(values, np.concatenate([_track(1).values["trunk"], _track(1).values["pose"]], axis=1))
    assert np.load(tmp_path / "out" / "film 1" / "track-1.times.npy").tolist() == [
        [k / 2, k / 2 + 0.5] for k in range(4)
    ]
    assert json.loads((tmp_path / "out" / "features.json").read_text())["rate"] == 2.0
