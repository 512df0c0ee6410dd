"""extract-frames where the display of the video is out of the ordinary: all of it is said in the receipt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.config import FramesParams
from fercli.media.images import read_image
from fercli.media.index import read_index
from fercli.media.probe import probe
from fercli.stages import frames as frames_stage
from fercli.stages.base import StageContext
from tests.media_samples import numbered_frame, numbered_video, read_number, shape_change, with_display_matrix
from tests.workspaces import make_workspace, stage_context


def context_of(path: Path) -> StageContext:
    return stage_context(make_workspace(path.with_suffix(".fercli"), probe(path)))


def test_a_size_that_changes_is_said_with_when_and_how_often(tmp_path: Path) -> None:
    small, large = numbered_frame(3), np.kron(numbered_frame(3), np.ones((2, 2, 1), np.uint8))
    path = shape_change(tmp_path / "v.ts", small, large, count=10)
    context = context_of(path)
    frames_stage.run(context, FramesParams(fps=10, keep_images=True))
    (warning,) = [warning for warning in context.warnings if "shape" in warning]
    assert f"{read_index(path).pts_s[10]:.2f} s" in warning
    assert "10 of 20 frames" in warning and "128 x 64" in warning
    images = [read_image(file) for file in sorted((context.out / "images").iterdir())]
    assert {image.shape for image in images} == {(64, 128, 3)}
    assert {read_number(image) for image in images} == {3}


def test_an_angle_that_cannot_be_followed_is_said(tmp_path: Path) -> None:
    plain = numbered_video(tmp_path / "v.mp4", 5)
    path = with_display_matrix(plain, tmp_path / "odd.mp4", (0.985, 0.174, 0, -0.174, 0.985, 0, 0, 0, 1))
    context = context_of(path)
    frames_stage.run(context, FramesParams())
    (warning,) = context.warnings
    assert "90 degrees" in warning


@pytest.mark.parametrize(("name", "warnings"), [("v.mp4", 0), ("v.ts", 1)])
def test_decord_reads_if_it_is_asked_for_and_what_it_cannot_read_is_said(
    tmp_path: Path, name: str, warnings: int
) -> None:
    context = context_of(numbered_video(tmp_path / name, 8))
    assert frames_stage.run(context, FramesParams(decoder="decord"))["frames_decoded"] == 8
    assert len(context.warnings) == warnings
