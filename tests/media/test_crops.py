from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli import tables
from fercli.media.crops import read_crops, thumbnails
from tests.workspaces import crops_table


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Black, white, and grey with a white rim."""
    images = [np.full((48, 48, 3), value, dtype=np.uint8) for value in (0, 255, 255)]
    images[2][4:-4, 4:-4] = 128
    path = tmp_path / "crops.parquet"
    rows = crops_table(images)
    tables.write_table(path, [rows[:2], rows[2:]], tables.CROPS)
    return path


def test_wanted_crops_come_once_and_in_order(stored: Path) -> None:
    found = dict(read_crops(stored, np.array([2, 0, 2])))
    assert list(found) == [0, 2]
    assert found[2][24, 24] == pytest.approx([128] * 3, abs=2)


def test_black_and_white_are_as_far_apart_as_can_be(stored: Path) -> None:
    black, white = thumbnails(stored, np.array([0, 1]))
    assert np.linalg.norm(black - white) == pytest.approx(1.0, abs=1e-3)


def test_thumbnails_come_as_they_were_asked_for_and_without_the_rim(stored: Path) -> None:
    looks = thumbnails(stored, np.array([2, 0, 2]))
    assert looks.shape == (3, 192)
    np.testing.assert_array_equal(looks[0], looks[2])
    assert np.linalg.norm(looks[0] - looks[1]) == pytest.approx(128 / 255, abs=0.01)
