"""Read back with Praat; praatio wrote it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import parselmouth
from parselmouth.praat import call

from fercli.formats.textgrid import write
from tests.formats.samples import COMMAS, ZOE, awkward, nobody, said

Intervals = list[tuple[float, float, str]]


@dataclass(frozen=True)
class Grid:
    """What Praat sees in a file: start and end of all, and the tiers in order with (start, end, label) of intervals."""

    start_s: float
    end_s: float
    tiers: list[tuple[str, Intervals]]


def read(path: Path) -> Grid:
    grid = parselmouth.read(str(path))
    tiers = range(1, call(grid, "Get number of tiers") + 1)
    return Grid(grid.xmin, grid.xmax, [(call(grid, "Get tier name", tier), intervals(grid, tier)) for tier in tiers])


def intervals(grid: parselmouth.Data, tier: int) -> Intervals:
    questions = ("Get start time of interval", "Get end time of interval", "Get label of interval")
    count = call(grid, "Get number of intervals", tier)
    rows = ([call(grid, question, tier, place) for question in questions] for place in range(1, count + 1))
    return [(start, end, label) for start, end, label in rows]


def test_all_segments_are_read_back(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(result, tmp_path / "out.TextGrid")
    tiers = read(tmp_path / "out.TextGrid").tiers
    assert [name for name, _ in tiers] == ["Ross", "Ross (2)", ZOE, COMMAS, "Unassigned"]
    found = [
        (name.removesuffix(" (2)"), label, round(start * 1000), round(end * 1000))
        for name, rows in tiers
        for start, end, label in rows
        if label
    ]
    assert sorted(found) == sorted(said(result.segments))


def test_every_tier_fills_the_video_without_a_hole(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.TextGrid")
    grid = read(tmp_path / "out.TextGrid")
    assert (grid.start_s, grid.end_s) == (0, 19)
    for _, rows in grid.tiers:
        starts = [start for start, _, _ in rows]
        assert [*starts, 19] == [0, *(end for _, end, _ in rows)]
    assert grid.tiers[2][1] == [(0, 10.9, ""), (10.9, 12.5, "surprised"), (12.5, 19, "")]


def test_a_segment_may_go_on_after_the_video_is_said_to_end(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(replace(result, video={**result.video, "duration_s": 1.0}), tmp_path / "out.TextGrid")
    assert read(tmp_path / "out.TextGrid").end_s == 14


def test_a_video_without_faces_is_a_file_without_tiers(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.TextGrid")
    assert read(tmp_path / "out.TextGrid") == Grid(0, 60, [])
