"""SEND's layout, with stories that are made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples.make_stories import stories, write_send
from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.over_time import read_recordings


def test_ratings_are_read_with_splits_and_persons(tmp_path: Path) -> None:
    made = stories(20, steps=100)
    found = read_recordings("send", write_send(tmp_path, made, np.random.default_rng(0)))
    assert not found.problems
    by_video = {one.video: one for one in found.recordings}
    for story in made:
        one = by_video[story.video]
        assert (one.person, one.split) == (story.person, story.split.lower())
        np.testing.assert_allclose(one.values["valence"], story.annotated, atol=1e-5)
        np.testing.assert_allclose(one.times_s, np.arange(100) / 2)
        assert list(one.raters) == ["r0", "r1", "r2"]
        assert np.corrcoef(one.raters["r0"], story.valence)[0, 1] > 0.8


def test_videos_are_found_where_there_are_some(tmp_path: Path) -> None:
    write_send(tmp_path, stories(4, steps=5))
    (tmp_path / "videos" / "Train").mkdir(parents=True)
    (tmp_path / "videos" / "Train" / "ID100_vid1_small.mp4").write_bytes(b"")
    (tmp_path / "videos" / "Train" / "ID100_vid11.mp4").write_bytes(b"")
    found = read_recordings("send", tmp_path)
    paths = {one.video: one.path and one.path.name for one in found.recordings}
    assert paths["ID100_vid1"] == "ID100_vid1_small.mp4"
    assert paths["ID100_vid2"] is None
    assert "1 of 4 have a video" in found.notes


def test_small_letters_and_one_folder_deeper(tmp_path: Path) -> None:
    write_send(tmp_path / "SENDv1", stories(4, steps=5))
    (tmp_path / "SENDv1" / "ratings" / "Train").rename(tmp_path / "SENDv1" / "ratings" / "train")
    assert len(read_recordings("send", tmp_path).recordings) == 4


def test_problems_name_file_and_line(tmp_path: Path) -> None:
    made = stories(10, steps=5)
    write_send(tmp_path, made)
    folder = tmp_path / "ratings" / "Train" / "observer_EWE"
    header = "time,evaluatorWeightedEstimate\n"
    (folder / "results_100_1.csv").write_text(header + "0,50\n0.5,101\n")
    (folder / "results_100_2.csv").write_text(header + "0,50\n0.5,?\n")
    (folder / "results_101_1.csv").write_text("time,mean\n0,50\n")
    (folder / "notes.txt").write_text("")
    found = read_recordings("send", tmp_path)
    problems = {Path(one.file).name: (one.line, one.reason) for one in found.problems}
    assert problems["results_100_1.csv"] == (3, "evaluatorWeightedEstimate is 101, expected 0 to 100")
    assert problems["results_100_2.csv"] == (3, "'?' is not a number")
    assert problems["results_101_1.csv"][0] == 1
    assert "notes.txt" in problems
    assert len(found.recordings) == 7
    with pytest.raises(DatasetError):
        read_recordings("send", tmp_path, strict=True)


def test_a_person_in_two_splits_is_said(tmp_path: Path) -> None:
    write_send(tmp_path, stories(10, steps=5))
    split = tmp_path / "ratings"
    (split / "Train" / "observer_EWE" / "results_100_1.csv").rename(
        split / "Test" / "observer_EWE" / "results_100_1.csv"
    )
    assert "persons in more than one split: 100" in read_recordings("send", tmp_path).notes


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        read_recordings("send", tmp_path)
    assert caught.value.code == "dataset-not-found"
    with pytest.raises(DatasetError) as caught:
        read_recordings("send", tmp_path / "nowhere")
    assert caught.value.code == "file-missing"
    with pytest.raises(ConfigError) as unknown:
        read_recordings("sand", tmp_path)
    assert unknown.value.code == "name-unknown"
