"""Row-wise files that hold several videos: the rows of one are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.formats import FORMATS
from fercli.formats.annotations import Video
from fercli.formats.reading import read_annotations
from fercli.results.model import Result
from tests.formats.samples import awkward

OTHER = "=other, film.mp4"


@pytest.fixture
def both(tmp_path: Path) -> tuple[Result, Result]:
    result = awkward(tmp_path / "w")
    other = replace(result, video={**result.video, "name": OTHER}, segments=result.segments[:2])
    return result, other


def concatenated(both: tuple[Result, Result], path: Path, format: str) -> Path:
    texts = []
    for result in both:
        FORMATS[format].write(result, path)
        texts.append(path.read_text(encoding="utf-8"))
    first, second = texts
    path.write_text(first + (second.split("\n", 1)[1] if format == "csv" else second), encoding="utf-8")
    return path


@pytest.mark.parametrize(("format", "name"), [("csv", "all.csv"), ("jsonl", "all.jsonl")])
def test_of_many_videos_the_one_asked_for_is_read(
    both: tuple[Result, Result], tmp_path: Path, format: str, name: str
) -> None:
    path = concatenated(both, tmp_path / name, format)
    for result in both:
        found = read_annotations(path, Video(result.video["name"], 100.0))
        assert len(found.marks) == len(result.segments)
        assert found.media == (result.video["name"],)
    with pytest.raises(DatasetError, match="2 videos"):
        read_annotations(path, Video("third.mp4", 100.0))
    with pytest.raises(DatasetError, match="2 videos"):
        read_annotations(path)


@pytest.mark.parametrize(("format", "name"), [("csv", "one.csv"), ("jsonl", "one.jsonl")])
def test_a_file_of_one_video_says_which(both: tuple[Result, Result], tmp_path: Path, format: str, name: str) -> None:
    FORMATS[format].write(both[1], tmp_path / name)
    assert read_annotations(tmp_path / name).media == (OTHER,)
