"""True tracks from both formats, and what is said of files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.learn.evaluation.track_files import read_tracks
from tests.failing import fails

LTFT = """3
0 2 7 30.5 10 20 25 1 0.99 2 5 6 7 8 0 0.51
1 0
2 1 7 31 10 20 25 1 0.98
"""
MOT = """2,7,31,10,20,25,1,-1,-1,-1
1,7,30.5,10,20,25,1,-1,-1,-1
1,2,5,6,7,8,1,-1,-1,-1
1,9,50,60,7,8,0,-1,-1,-1
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_ltft_boxes_are_ordered_by_frame_and_from_left_to_right(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path / "crowd.txt", LTFT))
    assert tracks.frame.tolist() == [0, 0, 2]
    assert tracks.identity.tolist() == [2, 7, 7]
    assert tracks.boxes.dtype == np.float32
    assert tracks.boxes.tolist() == [[5, 6, 12, 14], [30.5, 10, 50.5, 35], [31, 10, 51, 35]]


def test_motchallenge_counts_frames_from_1_and_ignores_boxes_with_flag_0(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path / "gt.txt", MOT))
    assert tracks.frame.tolist() == [0, 0, 1]
    assert tracks.identity.tolist() == [2, 7, 7]
    assert tracks.boxes.tolist() == [[5, 6, 12, 14], [30.5, 10, 50.5, 35], [31, 10, 51, 35]]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("frames\n0 0\n", ":1: ", "number of frames"),
        ("1\n0\n", ":2: ", "frame and n"),
        ("1\n0 2 7 30 10 20 25 1 0.9\n", ":2: ", "14 values, not 7"),
        ("1\n0 1 Ross 30 10 20 25 1 0.9\n", ":2: ", "'Ross'"),
        ("2\n0 0\n1 1 7 30 nan 20 25 1 0.9\n", ":3: ", "'nan' is not a number"),
        ("1\n0 1 7 30 10 0 25 1 0.9\n", ":2: ", "0 x 25"),
        ("1\n0 2 7 30 10 20 25 1 0.9 7 90 10 20 25 1 0.9\n", ":2: ", "identity 7"),
        ("3\n0 1 7 30 10 20 25 1 0.9\n", ":1: ", "3 frames declared, 1 found"),
        ("1,7,30,10,20,25\n", ":1: ", "6 values"),
        ("1,7,30,10,20,25,1\n0,7,30,10,20,25,1\n", ":2: ", "frame 0"),
        ("1,7,30,10,20,25,1\n1.5,7,30,10,20,25,1\n", ":2: ", "'1.5'"),
        ("1,7,30,10,20,25,1\n2,7,30,10,x,25,1\n", ":2: ", "'x'"),
        ("1,7,30,10,20,25,1\n1,7,90,10,20,25,1\n", ":2: ", "identity 7"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, text: str, place: str, said: str) -> None:
    path = write(tmp_path / "crowd.txt", text)
    with pytest.raises(DatasetError) as caught:
        read_tracks(path)
    assert caught.value.message.startswith(f"{path}{place}")
    assert said in caught.value.message and caught.value.hint


@pytest.mark.parametrize("text", ["1\n0 0\n", "1,7,30,10,20,25,0\n"])
def test_a_file_without_a_box_cannot_be_scored(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match="has no box"):
        read_tracks(write(tmp_path / "crowd.txt", text))


def test_files_that_are_missing_or_no_text_are_named(tmp_path: Path) -> None:
    with fails(DatasetError, "file-missing", "nowhere.txt"):
        read_tracks(tmp_path / "nowhere.txt")
    (tmp_path / "video.mp4").write_bytes(b"\x00\xff\xfe")
    with fails(DatasetError, "file-unreadable", "video.mp4"):
        read_tracks(tmp_path / "video.mp4")


def test_a_real_sequence(shared_data: Path) -> None:
    tracks = read_tracks(shared_data / "ltft" / "sidewalk.txt")
    assert len(tracks.frame) == 8433 and tracks.frame.max() == 647
    assert tracks.boxes[tracks.identity == 1][0] == pytest.approx([1225.15, 332.442, 1295.6826, 420.761])
