from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli import tables
from fercli.media.images import decode_jpeg
from fercli.views.report.thumbnails import COLUMNS, PORTRAIT_SIDE, SIDE, make_pictures
from tests.workspaces import crops_table


def test_faces_stand_on_the_sheet_in_the_order_given_and_portraits_are_larger(tmp_path: Path) -> None:
    greys = [10 * k for k in range(20)]
    crops = crops_table([np.full((30 + k, 30 + k, 3), grey, np.uint8) for k, grey in enumerate(greys)])
    tables.write_table(tmp_path / "crops.parquet", [crops], tables.CROPS)
    order = np.array([5, 3, *range(6, 18)], np.int64)
    portraits, sheets = make_pictures(tmp_path / "crops.parquet", [3, 19], [order, np.array([3]), np.array([], int)])
    sheet = decode_jpeg(sheets[0])
    assert sheet.shape == (2 * SIDE, COLUMNS * SIDE, 3)
    for place, face in enumerate(order.tolist()):
        row, column = divmod(place, COLUMNS)
        middle = sheet[row * SIDE + SIDE // 2, column * SIDE + SIDE // 2]
        assert np.abs(middle.astype(int) - greys[face]).max() <= 4, face
    assert np.abs(decode_jpeg(sheets[1])[SIDE // 2, SIDE // 2].astype(int) - greys[3]).max() <= 4
    assert sheets[2] == b""
    assert set(portraits) == {3, 19}
    assert decode_jpeg(portraits[19]).shape == (PORTRAIT_SIDE, PORTRAIT_SIDE, 3)
