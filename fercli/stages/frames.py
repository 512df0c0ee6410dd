"""extract-frames: which frames are sampled, when each is shown, and in which shot it is.

One pass over the video. Shot detection uses every frame; `frames.parquet` lists the sampled ones.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.chain import STAGE_OF
from fercli.config import NATIVE_FPS, FramesParams
from fercli.errors import ConfigError
from fercli.stages.base import NO_PICTURE, StageContext
from fercli.tables import FRAMES, read_table, write_table
from fercli.timing import frame_ends
from fercli.workspace import Workspace
from fercli.writing import OWNER_ONLY_DIRECTORY, create_for_owner, writing

if TYPE_CHECKING:
    from fercli.media.index import FrameIndex
    from fercli.media.picture import Picture

IMAGES = "images"
"""Directory of the kept images, in that of the stage: one JPEG per sampled frame, named by its number from 0."""
TOLERANCE_S = 1e-3
"""A frame at most this much before its grid time is on time: containers round timestamps, Matroska to whole
milliseconds."""


class Sampler:
    """Picks frames at a given rate from frames at any rate.

    The grid starts with the first frame and has a point every 1/fps seconds. A frame is taken if it is the first at or
    after a grid point, and only once, even if it covers several points.

    Args:
        fps: points per second, or NATIVE_FPS to take every frame.
    """

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._start_s: float | None = None
        self._point = 0

    def takes(self, pts_s: float) -> bool:
        """Whether the next frame is sampled; `pts_s` must not decrease from call to call."""
        if self._fps == NATIVE_FPS:
            return True
        if self._start_s is None:
            self._start_s = pts_s
        passed = math.floor((pts_s + TOLERANCE_S - self._start_s) * self._fps)
        if passed < self._point:
            return False
        self._point = passed + 1
        return True


def run(context: StageContext, params: FramesParams) -> dict[str, Any]:
    """Write `frames.parquet`, and `images/` if requested.

    Returns:
        frames: rows written; frames_decoded: frames decoded; frames_expected: frames that the container lists or
        declares for the stretch; shots: all shots in the stretch, also those without a sampled frame.

    Raises:
        ConfigError: a parameter is out of range, or the stretch lies outside the video.
        VideoError: the video cannot be opened, or no frame of it decodes.
        OutputError: images cannot be written.
    """
    from fercli.media.container import no_frame_decodes
    from fercli.media.decode import decode, read_view
    from fercli.media.kept_index import frame_index
    from fercli.media.shots import ShotDetector, shot_numbers

    check(params)
    if not context.workspace.video.has_picture:
        context.skip(NO_PICTURE, {"frames": FRAMES})
        return {"frames": 0, "frames_decoded": 0, "frames_expected": 0, "shots": 0}
    path = Path(context.workspace.video.path)
    index = frame_index(context.workspace)
    view = read_view(path)
    for warning in (*index.warnings, *view.warnings):
        context.warn(warning)
    first, end = _stretch(index, params, path)
    expected = end - first if params.end_s else max(len(index.pts_s), index.promised) - first

    sampler, detector = Sampler(params.fps), ShotDetector(params.shot_threshold)
    sampled: list[int] = []
    decoded = 0
    fitted: list[int] = []
    with context.reporter.task("extract-frames", end - first, "frame") as task:
        for picture in decode(path, index, range(first, end), decoder=params.decoder, warn=context.warn):
            decoded += 1
            if picture.fitted:
                fitted.append(picture.frame)
            pts_s = float(index.pts_s[picture.frame])
            detector.add(picture.frame, pts_s, picture.preview())
            if sampler.takes(pts_s):
                sampled.append(picture.frame)
                if params.keep_images:
                    _keep(context.out / IMAGES, picture)
            task.advance(1)
    if not decoded:
        raise no_frame_decodes(path)
    if decoded < expected:
        context.warn(f"decoded {decoded} of {expected} frames of {path.name}; the file may be cut short or damaged")

    shots = detector.finish()
    if fitted:
        context.warn(
            f"the shape of the picture changes at {index.pts_s[fitted[0]]:.2f} s: {len(fitted)} of {decoded} frames of "
            f"{path.name} are not {view.screen.width} x {view.screen.height} like the first one, and are scaled to fit"
        )

    frames = np.array(sampled, np.int32)
    ends = _ends(index, frames, shots.cuts, params)
    columns = [frames, index.pts_s[frames], ends, shot_numbers(frames, shots.cuts), shots.mixed(frames)]
    table = pa.table(columns, schema=FRAMES)
    return {
        "frames": write_table(context.out / "frames.parquet", [table], FRAMES),
        "frames_decoded": decoded,
        "frames_expected": expected,
        "shots": len(shots.cuts) + 1,
    }


def lacks_images(workspace: Workspace, params: FramesParams) -> bool:
    """Whether images are requested and some are missing."""
    if not params.keep_images or not workspace.video.has_picture:
        return False
    images = workspace.path / STAGE_OF["frames"].name / IMAGES
    there = {path.stem for path in images.glob("*.jpg")}
    frames = read_table(workspace.table("frames"), FRAMES)["frame"].to_pylist()
    return not there.issuperset(_name(frame) for frame in frames)


def write_images(context: StageContext, params: FramesParams) -> None:
    """Write `images/` for the existing table; errors as `run`."""
    from fercli.media.decode import decode
    from fercli.media.kept_index import frame_index

    frames = read_table(context.workspace.table("frames"), FRAMES)["frame"].to_pylist()
    path, index = Path(context.workspace.video.path), frame_index(context.workspace)
    with context.reporter.task("extract-frames", len(frames), "image") as task:
        for picture in decode(path, index, frames, decoder=params.decoder, warn=context.warn):
            _keep(context.out / IMAGES, picture)
            task.advance(1)


def check(params: FramesParams) -> None:
    """Check the parameters before a long run.

    Raises:
        ConfigError: one is out of range.
    """
    if not (params.fps == NATIVE_FPS or 0 < params.fps < math.inf):
        raise ConfigError(
            f"fps is {params.fps:g}",
            hint="use a positive number, or --fps native for every frame",
            code="option-out-of-range",
        )
    if not params.shot_threshold > 0:
        raise ConfigError(
            f"shot_threshold is {params.shot_threshold:g}", hint="use a positive number", code="option-out-of-range"
        )
    if not (params.start_s >= 0 and params.end_s >= 0) or (params.end_s and params.end_s <= params.start_s):
        raise ConfigError(
            f"the stretch from {params.start_s:g} s to {params.end_s:g} s is empty",
            hint="give --start and --end in seconds, --end after --start",
            code="option-out-of-range",
        )


def _stretch(index: FrameIndex, params: FramesParams, path: Path) -> tuple[int, int]:
    """First frame and end (exclusive) of the stretch; a start of 0 includes frames before time 0."""
    first = int(np.searchsorted(index.pts_s, params.start_s)) if params.start_s else 0
    end = int(np.searchsorted(index.pts_s, params.end_s)) if params.end_s else len(index.pts_s)
    if first < end:
        return first, end
    asked = f"{params.start_s:g} s to {params.end_s:g} s" if params.end_s else f"{params.start_s:g} s on"
    raise ConfigError(
        f"no frame of {path.name} lies in the stretch from {asked}",
        hint=f"the video runs from {index.pts_s[0]:.3f} s to {index.end_s:.3f} s; change --start or --end",
        code="time-outside-video",
    )


def _ends(index: FrameIndex, frames: NDArray[np.int32], cuts: list[int], params: FramesParams) -> NDArray[np.float64]:
    """End of the time of each sampled frame: as long as it is shown, or up to the next one; a shot ends at the first
    frame of the next one, sampled or not."""
    from fercli.media.shots import shot_numbers

    stretch_end_s = min(params.end_s or math.inf, index.end_s)
    shot_ends = np.append(index.pts_s[cuts], stretch_end_s)
    interval_s = 0.0 if params.fps == NATIVE_FPS else 1 / params.fps
    pts_s = index.pts_s[frames]
    due = np.searchsorted(index.pts_s, pts_s + interval_s - TOLERANCE_S)
    due_s = np.append(index.pts_s, index.end_s)[np.maximum(due, frames + 1)]
    return frame_ends(pts_s, due_s, shot_ends[shot_numbers(frames, cuts)])


def _name(frame: int) -> str:
    """Name of a frame's image, so that names sort in frame order; at 30 frames/s, nine hours have 1 000 000 frames."""
    return f"{frame:06d}"


def _keep(directory: Path, picture: Picture) -> None:
    from fercli.media.images import encode_jpeg

    file = directory / f"{_name(picture.frame)}.jpg"
    with writing(directory):
        directory.mkdir(OWNER_ONLY_DIRECTORY, exist_ok=True)
        create_for_owner(file)
        file.write_bytes(encode_jpeg(picture.rgb()))
