from __future__ import annotations

from pathlib import Path

import pytest

from fercli.formats import mot
from tests.formats.face_documents import FACES, empty_document, make_document

IDS = [1, 2, 1, 2, 3, 1, 4, 4]


@pytest.mark.filterwarnings("ignore:Operation with tuple:DeprecationWarning")  # motmetrics 1.4 with pandas 3
def test_motmetrics_reads_the_boxes_of_the_tables(tmp_path: Path) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    mot.write(make_document(), tmp_path / "a.txt")
    table = motmetrics.io.loadtxt(tmp_path / "a.txt", fmt="mot15-2D")
    assert table.index.tolist() == [(row[1] + 1, number) for row, number in zip(FACES, IDS, strict=True)]
    assert table.index.is_unique
    for (_, _, _, _, _, x1, y1, x2, y2, score, _), row in zip(FACES, table.itertuples(index=False), strict=True):
        # motmetrics takes off the 1 that coordinates count from.
        assert (row.X, row.Y, row.Width, row.Height) == pytest.approx((x1, y1, x2 - x1, y2 - y1), abs=0.005)
        assert row.Confidence == pytest.approx(score, abs=5e-5)


def test_a_line_has_ten_fields_and_counts_from_one(tmp_path: Path) -> None:
    mot.write(make_document(), tmp_path / "a.txt")
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[0] == "3,1,11.00,21.00,40.00,40.00,0.9000,-1,-1,-1"
    assert len(lines) == len(FACES)


def test_no_person_makes_an_empty_file(tmp_path: Path) -> None:
    mot.write(empty_document(), tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b""
