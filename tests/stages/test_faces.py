from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.errors import ConfigError, UnknownModel, VideoError, WeightsError
from fercli.geometry import square_around
from fercli.media.images import contrast, decode_jpeg, sharpness
from fercli.media.probe import probe
from fercli.models.detections import Detections
from fercli.models.face_search import Moments
from fercli.models.registry import MODELS
from fercli.stages import faces as faces_stage
from fercli.stages.base import StageContext
from fercli.stages.faces import CHUNK_FRAMES, detect_faces, find_faces
from fercli.tables import CROPS, FACES, read_table
from tests.failing import fails
from tests.media_samples import cut_short, write_video
from tests.models.pictures import holds_the_face, portrait
from tests.workspaces import VIDEO, frames_table, make_workspace, stage_context

Image = NDArray[np.uint8]
PARAMS = FacesParams(min_size=4, crop_scale=2.0, crop_size=64)
EYES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


class FindsColour:
    """A detector that knows two faces: what is pure red (score 0.9) and what is pure green (score 0.55)."""

    def __init__(self, landmarks: bool = True) -> None:
        self.landmarks = landmarks
        self.largest = 0

    def detect(self, image: Image) -> Detections:
        self.largest = max(self.largest, *image.shape[:2])
        boxes, scores = [], []
        for channel, score in ((1, 0.55), (0, 0.9)):
            rows, columns = np.nonzero((image[..., channel] > 127) & (image[..., 2] < 50))
            if len(rows):
                boxes.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                scores.append(score)
        corners = np.array(boxes, np.float32).reshape(-1, 2, 2)
        points = corners[:, :1] + EYES * (corners[:, 1:] - corners[:, :1])
        return Detections(corners.reshape(-1, 4), np.array(scores, np.float32), points if self.landmarks else None)


class FindsAlways:
    """A detector that sees the same boxes in every image."""

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.found = Detections(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.9, np.float32))

    def detect(self, image: Image) -> Detections:
        return self.found


def picture(height: int, width: int, *, red: Any = None, green: Any = None) -> Image:
    """Grey, with rectangles (x1, y1, x2, y2)."""
    image = np.full((height, width, 3), 100, np.uint8)
    for box, colour in ((red, (255, 0, 0)), (green, (0, 255, 0))):
        if box is not None:
            x1, y1, x2, y2 = box
            image[y1:y2, x1:x2] = colour
    return image


def walk(frames: list[int]) -> Iterator[tuple[int, Image]]:
    """A red face that walks to the right, joined by a green one to its left in every third frame."""
    for frame in frames:
        x = 30 + frame % 50
        green = (x - 20, 14, x - 8, 30) if frame % 3 == 0 else None
        yield frame, picture(60, 100, red=(x, 10, x + 10, 24), green=green)


def context_for(path: Path, frames: list[int]) -> StageContext:
    table = frames_table([frame / 10 for frame in frames], frames)
    return stage_context(make_workspace(path, frames=table))


def detect(path: Path, pictures: dict[int, Image], params: FacesParams = PARAMS, detector: Any = None) -> Any:
    """Run over these pictures; gives the rows of faces, the crops, and the counts."""
    context = context_for(path, list(pictures))
    counts = detect_faces(
        context,
        params,
        lambda: detector or FindsColour(),
        list(pictures),
        apart(len(pictures)),
        lambda wanted: pictures.items(),
    )
    faces = read_table(context.out / "faces.parquet", FACES).to_pylist()
    crops = read_table(context.out / "crops.parquet", CROPS).to_pylist()
    assert [row["face"] for row in faces] == [row["face"] for row in crops] == list(range(len(faces)))
    return faces, [decode_jpeg(row["jpeg"]) for row in crops], counts


def apart(frames: int) -> Moments:
    """Frames so far apart that each is looked at."""
    return Moments(np.arange(frames, dtype=np.float64), np.zeros(frames, np.bool_))


def corners(row: dict[str, Any]) -> list[float]:
    return [row["x1"], row["y1"], row["x2"], row["y2"]]


def test_a_row_holds_what_the_schema_says(tmp_path: Path) -> None:
    image = picture(120, 200, red=(50, 30, 90, 80))
    faces, crops, counts = detect(tmp_path / "w", {7: image})
    assert counts == {"frames": 1, "faces": 1, "frames_with_faces": 1}
    [row] = faces
    assert row["frame"] == 7
    assert corners(row) == [50, 30, 90, 80]
    assert row["score"] == pytest.approx(0.9)
    assert row["size"] == 40
    np.testing.assert_allclose(row["landmarks"], (np.array([50, 30]) + EYES * [40, 50]).ravel(), rtol=1e-6)
    assert row["frontal"] == pytest.approx(1.0)
    assert row["roll"] == pytest.approx(0.0)
    assert row["sharpness"] == pytest.approx(sharpness(image[30:80, 50:90]))
    assert row["contrast"] == pytest.approx(contrast(image[30:80, 50:90]))
    assert crops[0].shape == (64, 64, 3)  # 2 x 50 pixels, scaled down
    np.testing.assert_allclose(crops[0][32, 32], [255, 0, 0], atol=6)
    np.testing.assert_allclose(crops[0][4, 4], [100, 100, 100], atol=6)


def test_faces_are_numbered_by_frame_and_from_left_to_right(tmp_path: Path) -> None:
    left, right = (10, 40, 30, 60), (60, 20, 80, 40)
    pictures = {
        3: picture(100, 100, red=left, green=right),
        5: picture(100, 100),
        9: picture(100, 100, red=right, green=left),
    }
    faces, _, counts = detect(tmp_path / "w", pictures)
    assert [(row["frame"], row["x1"]) for row in faces] == [(3, 10), (3, 60), (9, 10), (9, 60)]
    assert [round(row["score"], 2) for row in faces] == [0.9, 0.55, 0.55, 0.9]
    assert counts == {"frames": 3, "faces": 4, "frames_with_faces": 2}


def test_faces_above_each_other_are_ordered_from_the_top() -> None:
    found = find_faces(FindsAlways((10, 50, 30, 70), (10, 5, 30, 25)), picture(90, 90), PARAMS)
    assert found.boxes[:, 1].tolist() == [5, 50]


def test_large_frames_are_scaled_down_and_boxes_come_back_in_source_pixels() -> None:
    detector = FindsColour()
    image = picture(600, 1201, red=(300, 150, 600, 450))
    found = find_faces(detector, image, replace(PARAMS, max_side=400))
    assert detector.largest == 400
    np.testing.assert_allclose(found.boxes, [[300, 150, 600, 450]], atol=3)
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks[0], [300, 150] + EYES * 300, atol=4)


def test_frames_are_not_enlarged() -> None:
    detector = FindsColour()
    find_faces(detector, picture(60, 100), replace(PARAMS, max_side=640))
    assert detector.largest == 100


def test_a_sliver_of_a_frame_can_be_scaled_down() -> None:
    assert len(find_faces(FindsColour(), picture(1, 3000), replace(PARAMS, max_side=100))) == 0


def test_weak_and_small_faces_are_dropped() -> None:
    image = picture(100, 100, red=(10, 10, 40, 22), green=(50, 50, 90, 90))
    assert len(find_faces(FindsColour(), image, PARAMS)) == 2
    assert find_faces(FindsColour(), image, replace(PARAMS, min_score=0.6)).boxes.tolist() == [[10, 10, 40, 22]]
    assert find_faces(FindsColour(), image, replace(PARAMS, min_size=13)).boxes.tolist() == [[50, 50, 90, 90]]
    assert len(find_faces(FindsColour(), image, replace(PARAMS, min_size=12))) == 2


def test_boxes_are_clipped_to_the_frame_and_those_outside_are_dropped(tmp_path: Path) -> None:
    detector = FindsAlways((-20, -10, 30, 40), (60, 70, 130, 140), (120, 10, 140, 30), (10, 95, 20, 100))
    params = replace(PARAMS, min_size=0)
    faces, crops, _ = detect(tmp_path / "w", {0: picture(90, 100)}, params, detector)
    assert [corners(row) for row in faces] == [[0, 0, 30, 40], [60, 70, 100, 90]]
    assert [row["size"] for row in faces] == [30, 20]
    assert [crop.shape[0] for crop in crops] == [64, 64]


def test_without_landmarks_they_and_the_frontality_are_null(tmp_path: Path) -> None:
    faces, _, _ = detect(tmp_path / "w", {0: picture(90, 90, red=(10, 10, 50, 50))}, PARAMS, FindsColour(False))
    assert faces[0]["landmarks"] is None
    assert faces[0]["frontal"] is None
    assert faces[0]["roll"] is None


class FindsLying(FindsColour):
    """Landmarks turned by 90 degrees, whatever the picture."""

    def detect(self, image: Image) -> Detections:
        found = super().detect(image)
        assert found.landmarks is not None
        middle = found.landmarks.mean(axis=1, keepdims=True)
        return replace(found, landmarks=middle + (found.landmarks - middle)[..., ::-1] * np.array([-1, 1], np.float32))


def test_a_face_that_no_turn_makes_upright_has_no_roll(tmp_path: Path) -> None:
    faces, _, _ = detect(tmp_path / "w", {0: picture(90, 90, red=(20, 20, 60, 60))}, PARAMS, FindsLying())
    assert faces[0]["landmarks"] is None
    assert faces[0]["frontal"] == 0
    assert faces[0]["roll"] is None


def test_the_crop_is_centred_on_the_stored_box(tmp_path: Path) -> None:
    params = replace(PARAMS, crop_scale=1.5, crop_size=200)
    grey = np.random.default_rng(0).integers(0, 120, (120, 200, 1), dtype=np.uint8)
    image = np.repeat(grey, 3, axis=2)
    image[40:80, 60:80] = (255, 0, 0)
    faces, crops, _ = detect(tmp_path / "w", {0: image}, params)
    assert square_around(np.array(corners(faces[0]), np.float32), 1.5).tolist() == [40, 30, 100, 90]
    assert crops[0].shape == (60, 60, 3)
    crop = crops[0].astype(int)
    assert np.abs(crop - image[30:90, 40:100]).mean() < 8
    assert np.abs(crop - image[30:90, 41:101]).mean() > 20  # one pixel beside it


@pytest.mark.parametrize(("aspect", "shape"), [(4 / 3, (90, 200)), (0.5, (180, 150)), (1.004, (90, 150))])
def test_pixels_that_are_not_square_are_stretched_and_boxes_come_back(
    tmp_path: Path, aspect: float, shape: tuple[int, int]
) -> None:
    """The detector sees the picture in its true proportions, and so does what reads the crops."""

    class Looks(FindsColour):
        def detect(self, image: Image) -> Detections:
            assert image.shape[:2] == shape
            return super().detect(image)

    image = picture(90, 150, red=(30, 20, 60, 60))
    workspace = make_workspace(tmp_path / "w", replace(VIDEO, pixel_aspect=aspect), frames=frames_table([0.0]))
    context = stage_context(workspace)
    detect_faces(context, PARAMS, Looks, [0], apart(1), lambda wanted: [(0, image)])
    [row] = read_table(context.out / "faces.parquet", FACES).to_pylist()
    np.testing.assert_allclose(corners(row), [30, 20, 60, 60], atol=1)
    np.testing.assert_allclose(row["landmarks"][:2], [39, 36], atol=1)
    assert row["size"] == pytest.approx(30, abs=1.5)
    assert row["frontal"] == pytest.approx(1.0)
    crop = decode_jpeg(read_table(context.out / "crops.parquet", CROPS).to_pylist()[0]["jpeg"])
    red = np.argwhere((crop[..., 0] > 150) & (crop[..., 1] < 80))
    height, width = red.max(axis=0) - red.min(axis=0) + 1
    assert width / height == pytest.approx(0.75 * (aspect if abs(aspect - 1) > 0.01 else 1), rel=0.1)


def test_no_faces_at_all_is_a_result(tmp_path: Path) -> None:
    faces, crops, counts = detect(tmp_path / "w", {0: picture(90, 90), 1: picture(90, 90)})
    assert faces == crops == []
    assert counts == {"frames": 2, "faces": 0, "frames_with_faces": 0}


def test_no_frames_at_all_is_a_result(tmp_path: Path) -> None:
    faces, _, counts = detect(tmp_path / "w", {})
    assert faces == []
    assert counts == {"frames": 0, "faces": 0, "frames_with_faces": 0}


class KilledError(Exception):
    pass


def until_killed(frames: list[int], stop: int) -> Iterator[tuple[int, Image]]:
    for number, (frame, image) in enumerate(walk(frames)):
        if number == stop:
            raise KilledError
        yield frame, image


@pytest.mark.parametrize("stop", [0, 1, CHUNK_FRAMES - 1, CHUNK_FRAMES + 5, 2 * CHUNK_FRAMES + 1])
def test_a_killed_run_goes_on_in_the_middle_and_ends_with_the_same_bytes(tmp_path: Path, stop: int) -> None:
    frames = list(range(0, 3 * (2 * CHUNK_FRAMES + 30), 3))
    whole = context_for(tmp_path / "whole", frames)
    expected = detect_faces(whole, PARAMS, FindsColour, frames, apart(len(frames)), walk)

    killed = context_for(tmp_path / "killed", frames)
    with pytest.raises(KilledError):
        detect_faces(killed, PARAMS, FindsColour, frames, apart(len(frames)), lambda wanted: until_killed(wanted, stop))
    done = min(len(frames), len(killed.chunks.done) * CHUNK_FRAMES)
    assert done > stop - CHUNK_FRAMES - 2  # the reader is one frame ahead
    asked: list[int] = []

    def rest(wanted: list[int]) -> Iterator[tuple[int, Image]]:
        asked.extend(wanted)
        return walk(wanted)

    counts = detect_faces(killed, PARAMS, FindsColour, frames, apart(len(frames)), rest)
    assert asked == frames[done:]

    assert counts == expected
    for table in ("faces.parquet", "crops.parquet"):
        assert (killed.out / table).read_bytes() == (whole.out / table).read_bytes()


def test_pieces_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    frames = list(range(3 * CHUNK_FRAMES + 30))
    whole, split = (context_for(tmp_path / name, frames) for name in ("whole", "split"))
    expected = detect_faces(whole, PARAMS, FindsColour, frames, apart(len(frames)), walk)
    for piece in (range(2, 4), range(2)):
        assert detect_faces(replace(split, piece=piece), PARAMS, FindsColour, frames, apart(len(frames)), walk) == {}
        assert not list(split.out.iterdir())
    assert detect_faces(split, PARAMS, _not_called, frames, apart(len(frames)), _not_called) == expected
    for table in ("faces.parquet", "crops.parquet"):
        assert (split.out / table).read_bytes() == (whole.out / table).read_bytes()


def _not_called(*args: Any) -> Any:
    raise AssertionError("nothing is left to do")


def test_a_run_killed_after_its_last_chunk_only_merges(tmp_path: Path) -> None:
    frames = list(range(CHUNK_FRAMES + 10))
    context = context_for(tmp_path / "w", frames)
    expected = detect_faces(context, PARAMS, FindsColour, frames, apart(len(frames)), walk)
    before = (context.out / "faces.parquet").read_bytes()
    assert detect_faces(context, PARAMS, _not_called, frames, apart(len(frames)), _not_called) == expected
    assert (context.out / "faces.parquet").read_bytes() == before


def test_frames_that_do_not_decode_are_counted_and_told_also_after_a_resume(tmp_path: Path) -> None:
    frames = list(range(2 * CHUNK_FRAMES + 20))
    missing = {0, 5, CHUNK_FRAMES, *range(2 * CHUNK_FRAMES - 10, 2 * CHUNK_FRAMES + 20)}
    there = [frame for frame in frames if frame not in missing]
    whole = context_for(tmp_path / "whole", frames)
    expected = detect_faces(whole, PARAMS, FindsColour, frames, apart(len(frames)), lambda wanted: walk(there))
    assert expected["frames"] == len(there)
    assert whole.warnings == [f"only {len(there)} of {len(frames)} sampled frames of {VIDEO.path} could be decoded"]
    rows = read_table(whole.out / "faces.parquet", FACES).to_pydict()
    assert sorted(set(rows["frame"])) == there

    killed = context_for(tmp_path / "killed", frames)
    with pytest.raises(KilledError):
        detect_faces(
            killed,
            PARAMS,
            FindsColour,
            frames,
            apart(len(frames)),
            lambda wanted: until_killed(there, CHUNK_FRAMES + 20),
        )
    assert killed.chunks.done == {0}
    rest = [frame for frame in there if frame >= CHUNK_FRAMES]
    assert detect_faces(killed, PARAMS, FindsColour, frames, apart(len(frames)), lambda wanted: walk(rest)) == expected
    assert killed.warnings == whole.warnings
    assert (killed.out / "crops.parquet").read_bytes() == (whole.out / "crops.parquet").read_bytes()


def film(path: Path, count: int = 12) -> Path:
    """The portrait, moving to the right by 4 pixels a frame."""
    image = portrait()[:240]
    return write_video(path, (np.roll(image, 4 * number, axis=1) for number in range(count)))


def real_context(path: Path, video: Path, frames: list[int]) -> StageContext:
    workspace = make_workspace(path, probe(video), frames=frames_table([frame / 30 for frame in frames], frames))
    return stage_context(workspace)


def test_the_stage_finds_a_real_face_in_the_frames_of_a_video(tmp_path: Path) -> None:
    frames = [0, 3, 6, 9]
    context = real_context(tmp_path / "w", film(tmp_path / "film.mp4"), frames)
    assert faces_stage.run(context, FacesParams()) == {"frames": 4, "faces": 4, "frames_with_faces": 4}
    rows = read_table(context.out / "faces.parquet", FACES).to_pylist()
    assert [row["frame"] for row in rows] == frames
    for row in rows:
        assert holds_the_face(np.array(corners(row)) - [4 * row["frame"], 0, 4 * row["frame"], 0])
        assert row["sharpness"] > 100
        assert row["frontal"] > 0.7
    assert sorted(path.name for path in context.out.iterdir()) == ["crops.parquet", "faces.parquet"]


def test_a_video_that_was_cut_short_is_worked_on_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = film(tmp_path / "film.mkv", 40)
    context = real_context(tmp_path / "w", whole, [0, 20, 39])
    cut_short(whole, tmp_path / "cut.mkv", 0.6)
    (tmp_path / "cut.mkv").replace(whole)
    counts = faces_stage.run(context, FacesParams())
    assert 1 <= counts["frames"] < 3
    assert counts["faces"] == counts["frames"]
    assert context.warnings == [f"only {counts['frames']} of 3 sampled frames of {whole} could be decoded"]


def test_a_video_that_is_gone_is_an_error(tmp_path: Path) -> None:
    video = film(tmp_path / "film.mp4", 2)
    context = real_context(tmp_path / "w", video, [0, 1])
    video.unlink()
    with fails(VideoError, "file-missing", "film.mp4"):
        faces_stage.run(context, FacesParams())


@pytest.mark.parametrize(
    "params",
    [
        FacesParams(min_score=1.5),
        FacesParams(min_score=float("nan")),
        FacesParams(min_size=-1),
        FacesParams(max_side=0),
        FacesParams(every=0),
        FacesParams(crop_scale=0),
        FacesParams(crop_size=0),
    ],
)
def test_parameters_out_of_range_are_refused(tmp_path: Path, params: FacesParams) -> None:
    with pytest.raises(ConfigError, match=r"^(min_score|min_size|max_side|every|crop_scale|crop_size) is"):
        faces_stage.run(context_for(tmp_path / "w", [0]), params)


def test_the_key_follows_the_detector_and_its_weights(tmp_path: Path) -> None:
    assert faces_stage.weights(FacesParams()) == {"centerface": MODELS["centerface"].sha256}
    own = tmp_path / "own.onnx"
    own.write_bytes(b"1")
    first = faces_stage.weights(FacesParams(detector="yunet", weights=str(own)))
    own.write_bytes(b"2")
    assert first != faces_stage.weights(FacesParams(detector="yunet", weights=str(own)))
    with pytest.raises(UnknownModel):
        faces_stage.weights(FacesParams(detector="yolo"))
    with pytest.raises(WeightsError):
        faces_stage.run(context_for(tmp_path / "w", [0]), FacesParams(detector="yunet", weights=str(own)))


def test_a_real_clip_without_faces_gives_none(tmp_path: Path, shared_data: Path) -> None:
    context = real_context(tmp_path / "w", shared_data / "videos" / "pyfeat_no_face.mp4", list(range(0, 90, 15)))
    assert faces_stage.run(context, FacesParams())["faces"] == 0
