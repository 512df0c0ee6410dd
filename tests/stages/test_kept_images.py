"""Images of frames are kept beside the tables and are no part of the key."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fercli import pipeline
from fercli.api import workspace_at
from fercli.chain import FRAMES
from fercli.config import FramesParams, Runtime
from fercli.learn.datasets import friends
from fercli.media.images import decode_jpeg
from fercli.progress import Silent
from fercli.workspace import Workspace
from tests.media_samples import H264, numbered_video, read_number

WITHOUT, WITH = FramesParams(fps=5), FramesParams(fps=5, keep_images=True)


def extract(workspace: Workspace, params: FramesParams) -> dict[str, bytes]:
    """What the stage has written then, by name."""
    with workspace.lock():
        pipeline.run(workspace, [(FRAMES, params)], Runtime(), Silent())
    files = (path for path in (workspace.path / "frames").rglob("*") if path.is_file())
    return {str(path.relative_to(workspace.path / "frames")): path.read_bytes() for path in sorted(files)}


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    video = numbered_video(tmp_path / "v.mp4", 25, encode=H264)
    return workspace_at(tmp_path / "w", video, verify=False)


def test_images_that_are_wanted_later_are_added_to_the_same_tables(place: Workspace, tmp_path: Path) -> None:
    before = extract(place, WITHOUT)
    assert sorted(before) == ["frames.parquet", "receipt.json"]
    after = extract(place, WITH)
    assert {name: after[name] for name in before} == before
    images = {name: content for name, content in after.items() if name not in before}
    numbers = [read_number(decode_jpeg(content)) for content in images.values()]
    assert list(images) == [f"images/{number:06d}.jpg" for number in numbers] and numbers == [0, 6, 12, 18, 24]
    other = workspace_at(tmp_path / "at once", Path(place.video.path), verify=False)
    assert {name: content for name, content in extract(other, WITH).items() if name in images} == images
    assert pipeline.status(place)[0].reason is None


def test_one_that_is_gone_is_written_again_and_none_is_taken_away(place: Workspace) -> None:
    first = extract(place, WITH)
    (place.path / "frames" / "images" / "000012.jpg").unlink()
    assert extract(place, WITHOUT).keys() == first.keys() - {"images/000012.jpg"}
    assert extract(place, WITH) == first


def test_the_images_of_an_episode_can_be_trained_on(tmp_path: Path, place: Workspace) -> None:
    extract(place, replace(WITH, fps=0.0))
    root = tmp_path / "friends"
    root.mkdir()
    (root / "ep01").symlink_to(place.path / "frames" / "images")
    rect = {"min_x": "1", "min_y": "1", "max_x": "20", "max_y": "20"}
    result = {"image": "F0000011.jpg", "person": [{"monica": [{"emotion": "Happy", "face_rect": rect}]}]}
    (root / "s01_ep01_tag2_visual_Final_1.json").write_text(json.dumps({"visual_results": [result]}))
    listing = friends.read(root)
    assert not listing.problems
    (sample,) = listing.samples
    assert read_number(decode_jpeg(sample.frames[0].read_bytes())) == 11
