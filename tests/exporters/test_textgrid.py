"""Read back with the package `textgrid`; praatio wrote it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textgrid import TextGrid

from fercli.exporters.textgrid import write
from tests.exporters.samples import COMMAS, ZOE, awkward, nobody, said


def test_all_segments_are_read_back(tmp_path: Path) -> None:
    document = awkward(tmp_path / "w")
    write(document, tmp_path / "out.TextGrid")
    grid = TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    for tier in grid:
        tier.name = tier.name.replace('""', '"')  # the package undoes the doubling of quotes in labels only
    assert [tier.name for tier in grid] == ["Ross", "Ross (2)", ZOE, COMMAS, "Unassigned"]
    found = [
        (tier.name.removesuffix(" (2)"), interval.mark, round(interval.minTime * 1000), round(interval.maxTime * 1000))
        for tier in grid
        for interval in tier
        if interval.mark
    ]
    assert sorted(found) == sorted(said(document.segments))


def test_every_tier_fills_the_video_without_a_hole(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.TextGrid")
    grid = TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    assert (grid.minTime, grid.maxTime) == (0, 19)
    for tier in grid:
        edges = [interval.minTime for interval in tier] + [19]
        assert edges[0] == 0
        assert edges[1:] == [interval.maxTime for interval in tier]
    assert [(i.minTime, i.maxTime, i.mark) for i in grid[2]] == [
        (0, 10.9, ""),
        (10.9, 12.5, "surprised"),
        (12.5, 19, ""),
    ]


def test_a_segment_may_go_on_after_the_video_is_said_to_end(tmp_path: Path) -> None:
    document = awkward(tmp_path / "w")
    write(replace(document, video={**document.video, "duration_s": 1.0}), tmp_path / "out.TextGrid")
    assert TextGrid.fromFile(str(tmp_path / "out.TextGrid")).maxTime == 14


def test_a_video_without_faces_is_a_file_without_tiers(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.TextGrid")
    grid = TextGrid.fromFile(str(tmp_path / "out.TextGrid"))
    assert (len(grid), grid.maxTime) == (0, 60)
