from __future__ import annotations

import pytest

from fercli.learn.datasets.faces import middle_frames


@pytest.mark.parametrize(
    ("given", "wanted", "chosen"),
    [
        (4, 4, [0, 1, 2, 3]),
        (4, 1, [2]),
        (5, 1, [2]),
        (1, 4, [0, 0, 0, 0]),
        (16, 4, [2, 6, 10, 14]),
        (3, 4, [0, 1, 1, 2]),
    ],
)
def test_the_middle_of_each_part_stands_for_it(given: int, wanted: int, chosen: list[int]) -> None:
    assert middle_frames(given, wanted) == chosen
