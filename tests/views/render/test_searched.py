"""--blur-faces leaves no face bare: it refuses before any work, or blurs whole frames, wherever faces may be missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli import tables
from fercli.cli.entry import main
from fercli.errors import FercliError, VideoError, WorkspaceError
from fercli.progress import Silent
from fercli.views.render.sampled import Sampled
from fercli.views.render.video import render
from fercli.workspace import Workspace
from tests.media_samples import shape_change, write_video
from tests.views.render.scenes import Box, Image, make_scene, noise_video, picture

LEFT: Box = (40, 60, 100, 130)


def detail(image: Image, box: Box) -> float:
    """How much neighbouring pixels differ."""
    x1, y1, x2, y2 = (int(edge) for edge in box)
    return float(np.abs(np.diff(image[y1:y2, x1:x2].astype(int), axis=1)).mean())


def scene(tmp_path: Path, count: int = 20, **more: Any) -> Workspace:
    """One person on the left of a picture full of detail."""
    video = noise_video(tmp_path / "noise.mp4", count)
    step = more.get("step", 1)
    return make_scene(tmp_path / "w", video, {"Zoë": {k: LEFT for k in range(0, count, step)}}, **more)


def change_receipt(workspace: Workspace, directory: str, part: str, **values: Any) -> None:
    file = workspace.path / directory / "receipt.json"
    receipt = json.loads(file.read_text("utf-8"))
    receipt[part].update(values)
    file.write_text(json.dumps(receipt), "utf-8")


def change_video(workspace: Workspace, **values: Any) -> None:
    file = workspace.path / "workspace.json"
    content = json.loads(file.read_text("utf-8"))
    content["video"].update(values)
    file.write_text(json.dumps(content), "utf-8")


def a_stretch(workspace: Workspace) -> None:
    change_receipt(workspace, "frames", "params", start_s=0.5, end_s=1.2)


def leave_only(workspace: Workspace, kept: list[int], faces: int) -> None:
    """Keep some sampled frames, and the first faces, which lie in those."""
    content = {
        name: tables.read_table(workspace.table(name), schema)
        for name, schema in (
            ("tracks", tables.TRACKS),
            ("attributes", tables.ATTRIBUTES),
            ("faces", tables.FACES),
            ("frames", tables.FRAMES),
        )
    }
    first = list(range(faces))
    rows = {"tracks": first, "attributes": first, "faces": first, "frames": kept}
    for name, table in content.items():
        tables.write_table(workspace.table(name), [table.take(rows[name])], table.schema)


def too_few_frames(workspace: Workspace) -> None:
    leave_only(workspace, [0, 10], 1)
    change_receipt(workspace, "frames", "params", fps=1.0)


def undecodable_frames(workspace: Workspace) -> None:
    change_receipt(workspace, "faces", "counts", frames=18)


def another_size(workspace: Workspace) -> None:
    change_video(workspace, width=640, height=480)


def another_turn(workspace: Workspace) -> None:
    change_video(workspace, rotation=180)


def not_yet_mirrored(workspace: Workspace) -> None:
    change_video(workspace, mirrored=True)


def other_pixels(workspace: Workspace) -> None:
    change_video(workspace, pixel_aspect=4 / 3)


def boxes_beyond_the_picture(workspace: Workspace) -> None:
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    wide = np.where(np.arange(faces.num_rows) == 7, 400, 100).astype(np.float32)
    faces = faces.set_column(faces.schema.get_field_index("x2"), faces.schema.field("x2"), [wide])
    tables.write_table(workspace.table("faces"), [faces], tables.FACES)


UNSAFE = [
    *(a_stretch, too_few_frames, undecodable_frames, another_size, another_turn, not_yet_mirrored, other_pixels),
    boxes_beyond_the_picture,
]


@pytest.mark.parametrize("spoil", UNSAFE, ids=lambda spoil: spoil.__name__)
def test_it_refuses_before_any_work(tmp_path: Path, spoil: Callable[[Workspace], None]) -> None:
    workspace = scene(tmp_path)
    out = tmp_path / "out.mp4"
    spoil(workspace)
    with pytest.raises(WorkspaceError) as caught:
        render(Workspace.open(workspace.path), out, blur_faces=True, reporter=Silent())
    assert caught.value.exit_code == 4 and "fercli" in caught.value.hint
    assert not out.exists()
    assert main(["render", str(workspace.path), "--blur-faces", "-o", str(out), "-q"]) == 4
    assert not out.exists()


def test_a_video_of_the_same_length_that_is_another_is_refused(tmp_path: Path) -> None:
    workspace = scene(tmp_path)
    path = Path(workspace.video.path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(VideoError) as caught:
        render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=Silent())
    error: FercliError = caught.value
    assert error.exit_code == 3


def test_a_whole_search_is_accepted_in_silence(tmp_path: Path) -> None:
    workspace = scene(tmp_path, step=4)
    change_receipt(workspace, "frames", "params", fps=2.5)
    change_receipt(workspace, "faces", "counts", frames=5)
    reporter = Silent()
    render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=reporter)
    assert reporter.warnings == []
    assert all(detail(picture(tmp_path / "out.mp4", k), (180, 60, 240, 130)) > 10 for k in range(20))


def test_a_shot_without_a_sampled_frame_is_blurred_all_over(tmp_path: Path) -> None:
    """Frames 9 and 10 are a shot between two sampled frames, 8 and 12."""
    workspace = scene(tmp_path, step=4, cuts=(9, 11))
    reporter = Silent()
    render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=reporter)
    away = (180, 60, 240, 130)
    bare = [k for k in range(20) if detail(picture(tmp_path / "out.mp4", k), away) > 10]
    assert bare == [*range(9), *range(12, 20)]
    assert len(reporter.warnings) == 1 and "3 frames" in reporter.warnings[0]


def test_a_hole_where_frames_did_not_decode_is_blurred_all_over_should_they_appear(tmp_path: Path) -> None:
    workspace = scene(tmp_path)
    kept = [*range(6), *range(14, 20)]
    leave_only(workspace, kept, 6)
    reporter = Silent()
    render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=reporter)
    bare = [k for k in range(20) if detail(picture(tmp_path / "out.mp4", k), (180, 60, 240, 130)) > 10]
    assert bare == kept
    assert len(reporter.warnings) == 1 and "8 frames" in reporter.warnings[0]


def test_a_picture_that_is_held_is_all_there_is_to_search(tmp_path: Path) -> None:
    held = ("-c:v", "libx264", "-vf", "setpts='(N/25+gte(N,5)*8)/TB+0.5'", "-fps_mode", "passthrough")
    video = write_video(tmp_path / "v.mp4", [np.full((64, 128, 3), 90, np.uint8)] * 10, fps="25", encode=held)
    reporter = Silent()
    render(make_scene(tmp_path / "w", video, {}), tmp_path / "a.mp4", blur_faces=True, reporter=reporter)
    assert reporter.warnings == []


def test_times_that_were_searched() -> None:
    frames = Sampled(
        np.array([0, 2, 4, 20, 22], np.int32),
        np.array([0.0, 0.2, 0.4, 2.0, 2.2]),
        np.array([0, 0, 1, 1, 3], np.int32),
        np.array([0.2, 0.3, 0.5, 2.1, 2.3]),
    )
    searched = [
        time_s for time_s in (-0.1, 0, 0.1, 0.3, 0.5, 1.9, 2.0, 2.1, 2.2, 2.6, 2.7) if frames.searched(time_s, 0.5)
    ]
    assert searched == [0, 0.1, 0.3, 2.0, 2.2, 2.6]


def test_faces_stay_blurred_where_the_size_changes(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (32, 64, 1), dtype=np.uint8)
    small = np.kron(coarse, np.ones((4, 4, 3), np.uint8))
    video = shape_change(tmp_path / "v.mp4", small, np.kron(small, np.ones((2, 2, 1), np.uint8)))
    box: Box = (64, 32, 128, 96)
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {k: box for k in range(20)}})
    render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=Silent())
    inner = (70, 50, 120, 90)
    for k in (2, 15):
        image = picture(tmp_path / "out.mp4", k)
        assert image.shape == (128, 256, 3)
        assert detail(image, inner) < 0.2 * detail(small, inner)
        assert detail(image, (170, 40, 230, 90)) > 0.5 * detail(small, (170, 40, 230, 90))
