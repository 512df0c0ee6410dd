"""The files of clips, cut from a video in one pass over its sound and one over its pictures.

    clips/ID.mp4       all pictures, H.264, with the sound, AAC
    faces/ID.mp4       the face of the person in each of them, upright, FACE_SIDE pixels
    frames/ID/N.jpg    the same as pictures, at the moments that were analysed; N is the frame in the source
    sound/ID.wav       exactly the samples of the clip, with the rate and channels of the source, 16 bits
    text/ID.txt        what is said, if it is known

Where a clip begins with a key frame and ends before one, and its packets are a run in the file, they are copied;
otherwise they are encoded at QUALITY, at which the difference from the source is invisible. One thread encodes, so that
the same clip is the same file on every machine with the same version of x264.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.corpus.clip_sound import SOUND, add_sound, encoded_sound, write_sounds
from fercli.corpus.manifest import Clip, Face
from fercli.geometry import square_around
from fercli.media.container import demux, open_video
from fercli.media.decode import decode, read_view
from fercli.media.images import encode_jpeg, square_crop
from fercli.media.index import FrameIndex
from fercli.media.upright import Orientation, Stretch, View
from fercli.progress import Reporter
from fercli.views.render.encode import Encoder, Look, look_of, mux, new_container
from fercli.writing import write_atomically, writing

CLIPS, FACES, FRAMES, TEXT = "clips", "faces", "frames", "text"
FACE_SIDE = 224
"""Side of the pictures of faces, pixels."""
QUALITY = "10"
"""Constant rate factor of x264."""
BASE = Fraction(1, 90_000)
"""Unit of the times in clips, seconds."""
_WIDER = 1.5
"""Side of what is cut out before a face is turned, in sides of what remains: the corners of a turned square fit."""
_SQUARE_LOOK = Look(1, 1, 1, 1, Fraction(1))


def write_clips(video: Path, index: FrameIndex, clips: Sequence[Clip], folder: Path, reporter: Reporter) -> None:
    """Write the files of the clips of one video that are not complete yet.

    Memory holds one picture, a piece of sound, and the encoders of clips that overlap. The clip itself is written last:
    if it is there, all its files are.

    Args:
        video: the source. index: its frames.
        clips: of this video.
        folder: the corpus.
        reporter: gets progress.

    Raises:
        VideoError: the video cannot be read.
        OutputError: a file cannot be written.
    """
    missing = [clip for clip in clips if not (folder / CLIPS / f"{clip.id}.mp4").is_file()]
    if not missing:
        return
    with writing(folder):
        for name in (CLIPS, FACES, FRAMES, SOUND, TEXT):
            (folder / name).mkdir(parents=True, exist_ok=True)
    write_sounds(video, [clip for clip in missing if clip.samples], folder)
    for clip in missing:
        if clip.text:
            write_atomically(folder / TEXT / f"{clip.id}.txt", f"{clip.text}\n".encode(), private=True)
    _write_pictures(video, index, sorted(missing, key=lambda clip: clip.first_frame), folder, reporter)


def upright_face(image: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """(FACE_SIDE, FACE_SIDE, 3) face, turned upright about the middle of its box; the edge of the picture is repeated.

    Args:
        image: (H, W, 3) in square pixels. face: in the same pixels.
    """
    box = np.array([face.x1, face.y1, face.x2, face.y2], np.float32)
    wide = square_crop(image, square_around(box, FacesParams.crop_scale * _WIDER), round(FACE_SIDE * _WIDER))
    middle = (len(wide) - 1) / 2
    matrix = np.array(cv2.getRotationMatrix2D((middle, middle), face.roll, FACE_SIDE * _WIDER / len(wide)))
    matrix[:, 2] = matrix[:, 2] + ((FACE_SIDE - 1) / 2 - middle)
    size = (FACE_SIDE, FACE_SIDE)
    return np.asarray(cv2.warpAffine(wide, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def face_at(faces: Sequence[Face], frame: int) -> Face:
    """The face in a frame, on a straight line between those before and after it; before the first and after the last
    it stays."""
    numbers = np.array([face.frame for face in faces])
    values = np.array([(face.x1, face.y1, face.x2, face.y2, face.roll) for face in faces])
    values[:, 4] = np.degrees(np.unwrap(np.radians(values[:, 4])))
    x1, y1, x2, y2, roll = (float(np.interp(frame, numbers, values[:, column])) for column in range(5))
    return Face(frame, x1, y1, x2, y2, roll)


def _write_pictures(video: Path, index: FrameIndex, clips: Sequence[Clip], folder: Path, reporter: Reporter) -> None:
    """One pass over the pictures, for all clips."""
    view, look = read_view(video), look_of(video)
    stretch = Stretch.of(float(view.screen.pixel_aspect))
    wanted = sorted({frame for clip in clips for frame in range(clip.first_frame, clip.first_frame + clip.frames)})
    waiting = list(clips)
    active: list[_Writer] = []
    with reporter.task("cut clips", len(wanted), "frame") as task, ExitStack() as all_open:
        for picture in decode(video, index, wanted):
            while waiting and waiting[0].first_frame <= picture.frame:
                writer = _Writer(video, index, waiting.pop(0), folder, view, look)
                all_open.callback(writer.drop)
                active.append(writer)
            image = picture.rgb()
            square = stretch.square(image)
            for writer in active:
                if picture.frame < writer.end:
                    writer.add(picture.frame, image, square, stretch)
            for writer in [one for one in active if picture.frame >= one.end - 1]:
                writer.finish()
                active.remove(writer)
            task.advance()
        for writer in active:  # its last frames cannot be decoded
            writer.finish()


class _Writer:
    """The files with the pictures of one clip."""

    def __init__(self, video: Path, index: FrameIndex, clip: Clip, folder: Path, view: View, look: Look) -> None:
        self.end = clip.first_frame + clip.frames
        self._clip, self._index, self._folder = clip, index, folder
        self._analysed = {face.frame for face in clip.faces}
        self._open = ExitStack()
        name = f"{clip.id}.mp4"
        rate = Fraction(clip.frames / clip.seconds).limit_denominator(1001)
        self._copied = copied_packets(video, index, clip) if plain(view) else None
        # The clip is closed last, and so it is the last one that appears.
        self._whole = self._open.enter_context(new_container(folder / CLIPS / name, BASE))
        self._faces = self._open.enter_context(new_container(folder / FACES / name, BASE))
        self._pictures: Encoder | None = None
        if self._copied is None:
            size = view.screen.width, view.screen.height
            self._pictures = Encoder(self._whole, size, BASE, rate, look, quality=QUALITY, threads=1)
        else:
            with open_video(video) as (_, stream):
                self._stream = self._whole.add_stream_from_template(stream)
        self._sound = add_sound(self._whole, clip) if clip.samples else None
        side = (FACE_SIDE, FACE_SIDE)
        self._crops = Encoder(self._faces, side, BASE, rate, _SQUARE_LOOK, quality=QUALITY, threads=1)
        (folder / FRAMES / clip.id).mkdir(exist_ok=True)

    def add(self, frame: int, image: NDArray[np.uint8], square: NDArray[np.uint8], stretch: Stretch) -> None:
        """One more picture, in stored and in square pixels."""
        at, until = self._index.pts_s[frame], self._index.ends_s[frame]
        tick = round((at - self._clip.start_s) / BASE)
        duration = max(1, round((until - self._clip.start_s) / BASE) - tick)
        if self._pictures is not None:
            mux(self._whole, self._pictures.encode(image, tick, duration))
        face = face_at(self._clip.faces, frame)
        wide, high = stretch.x, stretch.y
        face = Face(frame, face.x1 * wide, face.y1 * high, face.x2 * wide, face.y2 * high, face.roll)
        crop = upright_face(square, face)
        mux(self._faces, self._crops.encode(crop, tick, duration))
        if frame in self._analysed:
            file = self._folder / FRAMES / self._clip.id / f"{frame:06d}.jpg"
            write_atomically(file, encode_jpeg(crop), private=True)

    def finish(self) -> None:
        """Write the rest, and move the files into place."""
        if self._pictures is not None:
            mux(self._whole, self._pictures.finish())
        elif self._copied is not None:
            for packet in self._copied:
                packet.stream = self._stream
                mux(self._whole, [packet])
        if self._sound is not None:
            mux(self._whole, encoded_sound(self._sound, self._folder, self._clip))
        mux(self._faces, self._crops.finish())
        self._open.close()

    def drop(self) -> None:
        """Remove what is unfinished; nothing after `finish`."""
        self._open.__exit__(RuntimeError, RuntimeError("unfinished"), None)


def plain(view: View) -> bool:
    """Whether packets can be copied: the pictures are not turned, and players support the codec."""
    return view.codec == "h264" and view.orientation == Orientation()


def copied_packets(video: Path, index: FrameIndex, clip: Clip) -> list[Any] | None:
    """The packets of a clip, on its own clock, if they can be copied: in the file they are a run that begins with a key
    frame and is followed by one, or by nothing."""
    if index.ticks is None or index.jumps:
        return None
    ticks = index.ticks[clip.first_frame : clip.first_frame + clip.frames]
    wanted = set(ticks.tolist())
    run: list[Any] = []
    with open_video(video) as (container, stream):
        container.seek(int(ticks[0]), stream=stream)
        for packet in demux(container, stream):
            if not run and packet.pts != ticks[0]:
                if packet.pts is not None and packet.pts > ticks[-1]:
                    return None
                continue
            if len(run) == len(wanted):
                if not packet.is_keyframe:
                    return None
                break
            if packet.pts not in wanted or (not run and not packet.is_keyframe):
                return None
            run.append(packet)
        if len(run) != len(wanted):
            return None
        first = int(ticks[0])
        for packet in run:
            packet.pts -= first
            packet.dts = None if packet.dts is None else packet.dts - first
    return run


def clips_by_video(clips: Iterable[Clip]) -> dict[tuple[str, str], list[Clip]]:
    """Name and digest of the source -> its clips."""
    found: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        found.setdefault((clip.video, clip.sha256), []).append(clip)
    return found


def remove_clip(folder: Path, clip: Clip) -> None:
    """Remove all files of a clip, as far as they are there; the clip itself first, because it stands for all."""
    for name, suffix in ((CLIPS, ".mp4"), (FACES, ".mp4"), (SOUND, ".wav"), (TEXT, ".txt")):
        (folder / name / f"{clip.id}{suffix}").unlink(missing_ok=True)
    shutil.rmtree(folder / FRAMES / clip.id, ignore_errors=True)
