"""The index of a workspace's video is read once and kept."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli import api, hashing
from fercli.config import FramesParams, Runtime
from fercli.media import index as reader
from fercli.media.index import FrameIndex, read_index
from fercli.media.kept_index import KEPT, frame_index
from fercli.progress import Silent
from tests.media_samples import H264, H264_B_FRAMES, numbered_video, put_together


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reads a whole video, in order: `index` and `sha256`."""
    done: list[str] = []
    scan, sha256 = reader._scan, hashing.sha256_file

    def scanning(*arguments: Any) -> Any:
        done.append("index")
        return scan(*arguments)

    def hashing_file(path: Path) -> str:
        done.extend(["sha256"] if path.suffix == ".mp4" else [])
        return sha256(path)

    monkeypatch.setattr(reader, "_scan", scanning)
    monkeypatch.setattr(hashing, "sha256_file", hashing_file)
    return done


def annotate(video: Path, place: Path, *, verify: bool = False) -> None:
    plan = api.plan_for([FramesParams(keep_images=False)])
    with api.up_to_date(place, video, plan, Runtime(device="cpu"), Silent(), verify=verify):
        pass


def same(one: FrameIndex, other: FrameIndex) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(FrameIndex))


def test_a_video_is_indexed_and_hashed_once_and_then_not_at_all(tmp_path: Path, read: list[str]) -> None:
    video = numbered_video(tmp_path / "v.mp4", 12, encode=H264)
    annotate(video, tmp_path / "w")
    assert sorted(read) == ["index", "sha256"]
    annotate(video, tmp_path / "w")
    assert sorted(read) == ["index", "sha256"]
    annotate(video, tmp_path / "w", verify=True)
    assert sorted(read) == ["index"] * 2 + ["sha256"] * 2


@pytest.mark.parametrize("kind", ["b frames", "jumps"])
def test_what_is_kept_is_what_was_read(tmp_path: Path, kind: str, read: list[str]) -> None:
    if kind == "jumps":
        video = put_together(tmp_path / "v.ts", (10, 10), encode=H264)
    else:
        video = numbered_video(tmp_path / "v.mp4", 12, encode=H264_B_FRAMES)
    workspace = api.workspace_at(tmp_path / "w", video, verify=False)
    read.clear()
    kept = frame_index(workspace)
    assert read == []
    assert same(kept, read_index(video))
    assert bool(kept.jumps) == (kind == "jumps")


def test_the_index_of_a_file_that_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    video = numbered_video(tmp_path / "v.mp4", 12, encode=H264)
    workspace = api.workspace_at(tmp_path / "w", video, verify=False)
    numbered_video(video, 7, encode=H264)
    assert len(frame_index(workspace).pts_s) == 7
    read.clear()
    assert len(frame_index(workspace).pts_s) == 7
    assert read == []
    os.utime(video, ns=(1, 1))
    frame_index(workspace)
    assert read == ["index"]


@pytest.mark.parametrize("content", [b"", b"PK", b"no npz", b"\x93NUMPY"])
def test_a_damaged_index_is_read_again(tmp_path: Path, content: bytes, read: list[str]) -> None:
    video = numbered_video(tmp_path / "v.mp4", 12, encode=H264)
    workspace = api.workspace_at(tmp_path / "w", video, verify=False)
    (workspace.path / KEPT).write_bytes(content)
    read.clear()
    assert len(frame_index(workspace).pts_s) == 12
    assert read == ["index"]
