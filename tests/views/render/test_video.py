"""The written file: the right pixels, nothing half written, and no for what cannot be done."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from fercli.colours import COLOURS
from fercli.edits.editing import ignore, rename
from fercli.errors import ConfigError, MissingStage, OutputError, VideoError
from fercli.media.kept_index import KEPT
from fercli.progress import Silent
from fercli.views.render.artist import Artist
from fercli.views.render.video import render
from fercli.workspace import Workspace
from tests.failing import fails
from tests.media_samples import H264, ffmpeg, numbered_frame, read_number, write_video
from tests.views.render.scenes import Box, Image, add_click, grey_video, make_scene, noise_video, picture, times

LEFT: Box = (40, 60, 100, 130)
RIGHT: Box = (200, 60, 260, 130)
ALL = range(20)


@pytest.fixture
def two_persons(tmp_path: Path) -> Workspace:
    """Zoë on the left and Ross on the right of a picture full of detail."""
    seen = {"Zoë": {k: LEFT for k in ALL}, "Ross": {k: RIGHT for k in ALL}}
    return make_scene(tmp_path / "w", noise_video(tmp_path / "noise.mp4"), seen)


def detail(image: Image, box: Box) -> float:
    """Energy of the edges in the middle of a box, which nothing is drawn on."""
    x1, y1, x2, y2 = (int(edge) for edge in box)
    inner = cv2.cvtColor(image[y1 + 8 : y2 - 8, x1 + 8 : x2 - 8], cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(inner, cv2.CV_64F).var())


def near(image: Image, emotion: str) -> np.ndarray:
    """Where a colour is, after compression with colour at half the resolution."""
    return np.asarray(np.abs(image.astype(int) - np.array(COLOURS[emotion])).max(axis=2) < 70)


def test_boxes_texts_and_timeline_are_in_the_file(tmp_path: Path) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {"Zoë": {k: LEFT for k in ALL}})
    render(workspace, tmp_path / "out.mp4", reporter=Silent())
    image = picture(tmp_path / "out.mp4", 10)
    assert image.shape == (240, 320, 3)
    assert np.abs(image[66:125, 46:94].astype(int) - 96).max() <= 6
    assert near(image, "happiness")[60:130, 38:43].any(axis=1).mean() > 0.9
    assert image[45:60, 40:100].max() > 200, "the name"
    assert near(image, "happiness")[225:].any(), "the timeline"


def test_a_box_between_two_sampled_frames_lies_between_their_boxes(tmp_path: Path) -> None:
    seen = {"Zoë": {0: LEFT, 4: (LEFT[0] + 80, LEFT[1], LEFT[2] + 80, LEFT[3])}}
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), seen, step=4)
    render(workspace, tmp_path / "out.mp4", reporter=Silent())
    for frame, left in [(0, 40), (1, 60), (2, 80), (4, 120)]:
        bottom = near(picture(tmp_path / "out.mp4", frame), "happiness")[127:131].any(axis=0)
        assert np.flatnonzero(bottom)[0] == pytest.approx(left, abs=2)


def test_blurred_faces_lose_their_detail_and_the_rest_keeps_it(tmp_path: Path, two_persons: Workspace) -> None:
    before = picture(Path(two_persons.video.path), 10)
    render(two_persons, tmp_path / "out.mp4", blur_faces=True, reporter=Silent())
    after = picture(tmp_path / "out.mp4", 10)
    for box in (LEFT, RIGHT):
        assert detail(after, box) < 0.01 * detail(before, box)
    away = np.s_[60:200, :25]
    assert np.abs(after[away].astype(int) - before[away]).mean() < 6


def test_faces_are_blurred_between_sampled_frames_and_without_a_track(tmp_path: Path) -> None:
    video = noise_video(tmp_path / "noise.mp4")
    workspace = make_scene(tmp_path / "w", video, {"Zoë": {0: LEFT, 4: LEFT, 8: LEFT}}, step=4, untracked={4: RIGHT})
    render(workspace, tmp_path / "out.mp4", blur_faces=True, reporter=Silent())
    before = picture(video, 0)
    left = [detail(picture(tmp_path / "out.mp4", frame), LEFT) / detail(before, LEFT) for frame in range(9)]
    assert max(left) < 0.02
    right = [detail(picture(tmp_path / "out.mp4", frame), RIGHT) / detail(before, RIGHT) for frame in (1, 4, 7, 12)]
    assert max(right[:3]) < 0.02 and right[3] > 0.5


def test_only_one_person_is_drawn(tmp_path: Path) -> None:
    seen = {"Zoë": {k: LEFT for k in ALL}, "Ross": {k: RIGHT for k in ALL}}
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), seen)
    render(workspace, tmp_path / "out.mp4", only=["Ross"], reporter=Silent())
    box_edges = near(picture(tmp_path / "out.mp4", 10), "happiness")[60:130]
    assert box_edges[:, 198:203].any() and not box_edges[:, 38:43].any()


def test_the_only_person_is_the_only_one_who_is_not_blurred(tmp_path: Path, two_persons: Workspace) -> None:
    before = picture(Path(two_persons.video.path), 10)
    render(two_persons, tmp_path / "out.mp4", blur_faces=True, only=["Ross"], reporter=Silent())
    after = picture(tmp_path / "out.mp4", 10)
    assert detail(after, RIGHT) > 0.5 * detail(before, RIGHT)
    assert detail(after, LEFT) < 0.01 * detail(before, LEFT)


def test_persons_go_by_the_names_they_were_given_by_hand(tmp_path: Path, two_persons: Workspace) -> None:
    rename(two_persons, "Ross", "Chandler")
    with fails(ConfigError, "person-unknown", "noise.mp4", "'Ross'") as caught:
        render(two_persons, tmp_path / "out.mp4", only=["Ross"], reporter=Silent())
    assert caught.value.hint == "known: Chandler, Zoë"
    render(two_persons, tmp_path / "out.mp4", only=["Chandler"], reporter=Silent())
    assert (tmp_path / "out.mp4").exists()


def test_an_ignored_person_is_not_drawn_but_blurred(tmp_path: Path, two_persons: Workspace) -> None:
    ignore(two_persons, "Ross")
    before = picture(Path(two_persons.video.path), 10)
    render(two_persons, tmp_path / "out.mp4", blur_faces=True, reporter=Silent())
    after = picture(tmp_path / "out.mp4", 10)
    assert detail(after, RIGHT) < 0.01 * detail(before, RIGHT)
    assert not near(after, "happiness")[60:130, 198:203].all(axis=1).any()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_written_upright(tmp_path: Path, degrees: int) -> None:
    write_video(tmp_path / "v.mp4", [numbered_frame(1234)] * 5, fps="10")
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", str(degrees), "-i", str(tmp_path / "v.mp4"), "-c", "copy", str(turned))
    render(make_scene(tmp_path / "w", turned, {}), tmp_path / "out.mp4", reporter=Silent())
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0
    assert read_number(np.rot90(picture(tmp_path / "out.mp4", 0), -degrees // 90)) == 1234


def test_odd_sizes_grow_by_one_row_and_column(tmp_path: Path) -> None:
    image = np.repeat(np.arange(161, dtype=np.uint8)[None, :, None], 121, axis=0).repeat(3, axis=2)
    encode = ("-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p")
    video = write_video(tmp_path / "odd.mkv", [image] * 5, fps="10", encode=encode)
    render(make_scene(tmp_path / "w", video, {"Zoë": {0: (50, 50, 80, 90)}}), tmp_path / "out.mp4", reporter=Silent())
    after = picture(tmp_path / "out.mp4", 4)
    assert after.shape == (122, 162, 3)
    assert np.abs(after[10:30, :161].astype(int) - image[10:30]).max() < 8
    assert np.abs(after[10:30, 161].astype(int) - 160).max() < 8


@pytest.mark.parametrize("tags", [("bt709", "tv"), ("bt709", "pc"), ("smpte170m", "tv"), ("unknown", "tv")])
def test_colours_and_how_they_are_meant_stay(tmp_path: Path, tags: tuple[str, str]) -> None:
    space, levels = tags
    patches = np.random.default_rng(1).integers(20, 236, (4, 6, 3), dtype=np.uint8)
    image = np.kron(patches, np.ones((32, 32, 1), np.uint8))
    matrix = ("-vf", f"scale=out_color_matrix={'bt709' if space == 'bt709' else 'bt601'}:out_range={levels}")
    marks = () if space == "unknown" else ("-colorspace", space, "-color_primaries", space, "-color_trc", space)
    video = write_video(
        tmp_path / "v.mp4", [image] * 5, fps="10", encode=(*H264, *matrix, *marks, "-color_range", levels)
    )
    render(make_scene(tmp_path / "w", video, {}), tmp_path / "out.mp4", reporter=Silent())
    before, after = picture(video, 3), picture(tmp_path / "out.mp4", 3)
    assert np.abs(before.astype(int) - after).mean() < 2.5
    with av.open(str(video)) as source, av.open(str(tmp_path / "out.mp4")) as target:
        one, other = source.streams.video[0].codec_context, target.streams.video[0].codec_context
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            assert getattr(one, name) == getattr(other, name), name
        assert "420p" in str(other.pix_fmt)


@pytest.mark.parametrize("encode", [("libx264rgb", "rgb24"), ("ffv1", "gbrp"), ("qtrle", "rgb24")])
def test_a_source_in_rgb_is_written_in_a_way_that_players_know(tmp_path: Path, encode: tuple[str, str]) -> None:
    codec, pixels = encode
    image = np.full((64, 128, 3), (200, 40, 90), np.uint8)
    video = write_video(tmp_path / "v.mov", [image] * 5, fps="10", encode=("-c:v", codec, "-pix_fmt", pixels))
    render(make_scene(tmp_path / "w", video, {}), tmp_path / "out.mp4", reporter=Silent())
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range, context.pix_fmt) == (1, 1, "yuv420p")
    assert np.abs(picture(tmp_path / "out.mp4", 2).astype(int) - image).max() < 8


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", [numbered_frame(1)] * 5, fps="10", encode=(*H264, "-vf", "setsar=16/15"))
    render(make_scene(tmp_path / "w", video, {}), tmp_path / "out.mp4", reporter=Silent())
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == pytest.approx(16 / 15)


def test_an_mp4_can_be_played_while_it_is_fetched(tmp_path: Path) -> None:
    """The index comes before the pictures."""
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    render(workspace, tmp_path / "out.mp4", reporter=Silent())
    content = (tmp_path / "out.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_workspace_is_left_as_it_was(tmp_path: Path, two_persons: Workspace) -> None:
    def content() -> dict[Path, bytes]:
        files = [path for path in two_persons.path.rglob("*") if path.is_file() and path.name != KEPT]
        return {path: path.read_bytes() for path in files}

    before = content()
    render(two_persons, tmp_path / "out.mp4", reporter=Silent())
    assert content() == before


def test_an_existing_file_is_only_replaced_if_asked_for(tmp_path: Path) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    with fails(ConfigError, "output-exists", "out.mp4") as caught:
        render(workspace, out, reporter=Silent())
    assert "--overwrite" in caught.value.hint and out.read_bytes() == b"mine"
    render(workspace, out, overwrite=True, reporter=Silent())
    assert len(times(out)) == 20


def test_the_video_itself_is_never_replaced(tmp_path: Path) -> None:
    video = grey_video(tmp_path / "v.mp4")
    before = video.read_bytes()
    with fails(ConfigError, "output-unsafe"):
        render(make_scene(tmp_path / "w", video, {}), video, overwrite=True, reporter=Silent())
    assert video.read_bytes() == before


def test_an_unknown_suffix_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    with fails(ConfigError, "suffix-unknown", "out.webm") as caught:
        render(workspace, tmp_path / "out.webm", reporter=Silent())
    assert caught.value.hint == "name it .mp4, .m4v, .mov, .mkv"


def test_a_video_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    video = grey_video(tmp_path / "v.mp4")
    workspace = make_scene(tmp_path / "w", video, {})
    video.unlink()
    with fails(VideoError, "video-missing", "v.mp4") as caught:
        render(workspace, tmp_path / "out.mp4", reporter=Silent())
    assert caught.value.hint.endswith(f"ln -s NEW_PATH {workspace.video.path}")
    assert not (tmp_path / "out.mp4").exists()


def test_another_video_in_its_place_is_noticed(tmp_path: Path) -> None:
    video = grey_video(tmp_path / "v.mp4")
    workspace = make_scene(tmp_path / "w", video, {})
    grey_video(video, 30)
    with fails(VideoError, "video-changed"):
        render(workspace, tmp_path / "out.mp4", reporter=Silent())


def test_a_stage_that_has_not_run_is_named(tmp_path: Path) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    (workspace.path / "emotions" / "receipt.json").unlink()
    with pytest.raises(MissingStage, match="needs classify-emotions first: it has not run yet") as caught:
        render(workspace, tmp_path / "out.mp4", reporter=Silent())
    assert caught.value.hint == f"run: fercli classify-emotions {workspace.path}"


@contextmanager
def files_no_larger_than(limit: int) -> Iterator[None]:
    """As on a disk that is full: writing beyond the limit fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit", [1000, 100_000])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, limit: int) -> None:
    rng = np.random.default_rng(0)
    frames = (rng.integers(0, 256, (240, 320, 3), dtype=np.uint8) for _ in range(40))
    silent = write_video(tmp_path / "silent.mp4", frames, fps="10")
    video = add_click(silent, tmp_path / "v.mp4", 1.0, "-c:a", "aac")
    workspace = make_scene(tmp_path / "w", video, {})
    (tmp_path / "out").mkdir()
    with files_no_larger_than(limit), pytest.raises(OutputError, match=r"out.mp4"):
        render(workspace, tmp_path / "out" / "out.mp4", reporter=Silent())
    assert list((tmp_path / "out").iterdir()) == []


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    with pytest.raises(OutputError, match="nowhere"):
        render(workspace, tmp_path / "nowhere" / "out.mp4", reporter=Silent())


def test_an_interruption_leaves_the_old_file_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {})
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "out.mp4"
    out.write_bytes(b"old")

    def interrupted(self: Artist, image: Image, time_s: float) -> None:
        if time_s > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Artist, "draw", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render(workspace, out, overwrite=True, reporter=Silent())
    assert list((tmp_path / "out").iterdir()) == [out] and out.read_bytes() == b"old"
