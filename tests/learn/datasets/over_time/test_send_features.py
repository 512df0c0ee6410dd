"""The features that come with SEND, in their layout, with made-up numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.over_time.send_features import read_official


def _write(root: Path, split: str = "Train", video: str = "ID112_vid1") -> Path:
    base = root / "features" / split
    for name in ("acoustic-egemaps", "emotient", "linguistic"):
        (base / name).mkdir(parents=True, exist_ok=True)
    (base / "acoustic-egemaps" / f"{video}_acousticFeatures.csv").write_text(
        "name, frameIndex, frameTime, F0, jitter\n'x',0,0.0,1,2\n'x',1,0.5,3,4\n'x',2,1.0,5,6\n"
    )
    (base / "emotient" / f"{video}_small.txt").write_text(
        "Frametime,Face,AU1,AU43\n0.0,yes,1,0\n0.1,no,,\n0.2,yes,3,1\n"
    )
    (base / "linguistic" / f"{video}_aligned.tsv").write_text(
        "line\ttime-offset\tword\tglove0\tglove1\n1\t0.4\tso\t1\t2\n1\t0.4\tit\t3\t4\n1\t30.4\twent\t5\t6\n"
    )
    return root


def test_all_kinds_are_read(tmp_path: Path) -> None:
    facts, tracks = read_official(_write(tmp_path))
    assert [(one.name, one.size) for one in facts.modalities] == [
        ("acoustic-egemaps", 2),
        ("emotient", 2),
        ("linguistic", 2),
    ]
    assert facts.columns["emotient"] == ("AU1", "AU43")
    assert facts.columns["acoustic-egemaps"] == ("F0", "jitter")
    by_kind = {next(k for k, v in one.values.items() if np.isfinite(v).any()): one for one in tracks}
    assert {(one.video, one.person) for one in tracks} == {("ID112_vid1", "112")}
    sound, face, words = (by_kind[one.name] for one in facts.modalities)
    np.testing.assert_allclose(sound.start_s, [0, 0.5, 1.0], atol=1e-4)
    np.testing.assert_allclose(sound.values["acoustic-egemaps"], [[1, 2], [3, 4], [5, 6]])
    assert np.isnan(sound.values["emotient"]).all()
    np.testing.assert_array_equal(face.values["emotient"][:, 0], [1, np.nan, 3])
    assert words.end_s[1] - words.start_s[1] == pytest.approx(5.0)  # a word does not hold for half a minute


def test_some_kinds_alone(tmp_path: Path) -> None:
    facts, tracks = read_official(_write(tmp_path), ["emotient"])
    assert [one.name for one in facts.modalities] == ["emotient"]
    assert len(tracks) == 1
    with pytest.raises(ConfigError) as caught:
        read_official(tmp_path, ["image-raw"])
    assert caught.value.code == "name-unknown"


def test_files_that_differ_are_refused(tmp_path: Path) -> None:
    _write(_write(tmp_path), "Test", "ID113_vid1")
    path = tmp_path / "features" / "Test" / "emotient" / "ID113_vid1_small.txt"
    path.write_text("Frametime,AU1\n0.0,1\n")
    with pytest.raises(DatasetError) as caught:
        read_official(tmp_path)
    assert "emotient" in caught.value.message
    path.write_text("AU1,AU43\n0.0,1\n")
    with pytest.raises(DatasetError):
        read_official(tmp_path)
    with pytest.raises(DatasetError) as nothing:
        read_official(tmp_path / "features")
    assert nothing.value.code == "dataset-not-found"
