"""`fercli render`: the video again, with what was found drawn over it, or with its faces blurred."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, VideoError
from fercli.media.container import no_frame_decodes, open_video
from fercli.media.decode import decode
from fercli.media.index import FrameIndex
from fercli.media.kept_index import frame_index
from fercli.progress import Reporter
from fercli.views.render.artist import Artist
from fercli.views.render.companions import Companions, first_sound_s
from fercli.views.render.encode import CONTAINERS, Encoder, look_of, mux, new_container
from fercli.views.render.searched import require_search
from fercli.workspace import Workspace, hint_for_moved, require_tables
from fercli.writing import require_free

COUNTED_BASE = Fraction(1, 90000)
"""Time base of a source that has no usable one."""


def render(
    workspace: Workspace,
    out: Path,
    *,
    blur_faces: bool = False,
    only: Collection[str] = (),
    mesh: bool = False,
    pose: bool = False,
    subtitles: bool = False,
    overwrite: bool = False,
    reporter: Reporter,
) -> None:
    """Write the annotated video, upright, in the resolution and with the times of the source from where it begins.

    Containers know no time below 0: if pictures or sound of the source begin there, all of it is moved so that nothing
    does. Sound is kept as it is or as AAC, subtitles as they are or as the text the container has (subtitles made of
    pictures only in Matroska), and chapters. Further tracks of pictures, attachments such as fonts, data and the
    file's own metadata are left out.

    Args:
        workspace: all stages up to classify-emotions have run.
        out: one of the suffixes in `encode.CONTAINERS`; it appears when it is complete.
        blur_faces: make all detected faces unrecognisable, whether or not anybody is known to have them. Frames near
            which faces were not looked for are blurred all over, and a warning says so.
        only: shown names of persons: nobody else is drawn, and these are not blurred. Empty for all.
        mesh, pose: draw the mesh of each face, and three axes that show where the head looks.
        subtitles: draw what is said.
        overwrite: whether to replace `out`.
        reporter: who hears of the progress.

    Raises:
        ConfigError: `out` exists, is the video itself or has another suffix; nobody is called as `only` says; or a mesh
            is to be drawn over faces that are all blurred.
        MissingStage: a stage has not run, or meshes are to be drawn and were not kept, or subtitles without transcribe.
        WorkspaceError: faces are to be blurred and could be missed; see `searched.require_search`.
        VideoError: the video is gone, is another one by now, or cannot be decoded.
        OutputError: `out` cannot be written.
    """
    _check_output(workspace, out, overwrite)
    if mesh and blur_faces and not only:
        raise ConfigError(
            "a mesh would show the shape of faces that are to be blurred",
            hint="leave out --mesh or --blur-faces, or say with --only who stays visible",
            code="option-conflict",
        )
    require_tables(workspace, "segments", "persons")
    path = _source(workspace)
    artist = Artist.of(
        workspace, blur_faces=blur_faces, only=frozenset(only), mesh=mesh, pose=pose, subtitles=subtitles
    )
    index = frame_index(workspace)
    if blur_faces:
        require_search(workspace, path, index, artist)
    for warning in index.warnings:
        reporter.warn(warning)
    size = (workspace.video.width, workspace.video.height)
    written = 0
    with reporter.task("render", len(index.pts_s), "frame") as task:
        for _ in _written(path, index, artist, size, out, reporter):
            written += 1
            task.advance()
    if written < len(index.pts_s):
        reporter.warn(f"{len(index.pts_s) - written} of {len(index.pts_s)} frames of {path.name} cannot be decoded")
    if artist.hidden and (times := artist.hidden.all_over):
        reporter.warn(
            f"{len(times)} frames, the first at {times[0]:.2f} s, are blurred all over: faces were not looked for near "
            "them; extract-frames with --fps native looks everywhere"
        )


def _written(
    path: Path, index: FrameIndex, artist: Artist, size: tuple[int, int], out: Path, reporter: Reporter
) -> Iterator[int]:
    """Numbers of the frames as they are written; `out` is complete at the end."""
    with open_video(path) as (source, stream):
        base, ticks, durations = _clock(index, stream.time_base)
        # What lies in the container's own time before what a player calls 0, in whole units of this clock.
        start = round(index.raw_start / base)
        sound_s = first_sound_s(source)
        later = max(0, -int(ticks[0]), 0 if sound_s is None else start - math.floor(sound_s / base))
        with new_container(out, base) as target:
            rate = Fraction(len(ticks) / index.duration_s).limit_denominator(1001)
            encoder = Encoder(target, size, base, rate, look_of(path))
            offsets = [Fraction(jump.offset) * (stream.time_base or base) for jump in index.jumps]
            companions = Companions(source, target, (later - start) * base, offsets)
            for reason in companions.left_out:
                reporter.warn(f"{path.name}: {reason}")
            frame = -1
            for picture in decode(path, index, range(len(ticks))):
                frame, image = picture.frame, picture.rgb()
                artist.draw(image, float(index.pts_s[frame]))
                for packet in encoder.encode(image, int(ticks[frame]) + later, int(durations[frame])):
                    companions.write_until(float((packet.dts or 0) * base))
                    mux(target, [packet])
                yield frame
            if frame < 0:
                raise no_frame_decodes(path)
            mux(target, encoder.finish())
            companions.finish()
            for reason in companions.out_of_step:
                reporter.warn(f"{path.name}: {reason}")


def _clock(index: FrameIndex, source_base: Fraction | None) -> tuple[Fraction, NDArray[np.int64], NDArray[np.int64]]:
    """Unit of the timestamps in seconds; timestamp from 0 and duration of each frame in it, (N,) int64, ascending."""
    if index.ticks is not None:
        base = source_base or COUNTED_BASE
        ticks = index.ticks - round(index.raw_start / base)
    else:
        base = COUNTED_BASE
        ticks = np.rint(index.pts_s * base.denominator).astype(np.int64)
        steps = np.arange(len(ticks))
        ticks = np.maximum.accumulate(ticks - steps) + steps  # two frames at one time follow each other
    last = round((index.end_s - float(index.pts_s[-1])) / float(base))
    return base, ticks, np.append(np.diff(ticks), max(1, last))


def _check_output(workspace: Workspace, out: Path, overwrite: bool) -> None:
    if out.suffix.lower() not in CONTAINERS:
        raise ConfigError(
            f"cannot write {out}: unknown kind of video", hint=f"name it {', '.join(CONTAINERS)}", code="suffix-unknown"
        )
    if out.resolve() == Path(workspace.video.path).resolve():
        raise ConfigError(f"{out} is the video itself", hint="choose another name with -o", code="output-unsafe")
    require_free(out, overwrite=overwrite)


def _source(workspace: Workspace) -> Path:
    """The video, if it is still the one that was annotated."""
    path = Path(workspace.video.path)
    hint = hint_for_moved(path)
    if not path.exists():
        raise VideoError(f"the video {path} is gone", hint=hint, code="video-missing")
    if path.is_file() and path.stat().st_size != workspace.video.size:
        raise VideoError(
            f"{path} is not the video that was annotated: its size is another", hint=hint, code="video-changed"
        )
    return path
