"""Frames read by decord, for the files that it reads as a player does.

`why_not_decord` returns the reason for other files. Errors of decord 2 (3.4) in other files, and why it only reads in
order here:

- MPEG-TS: it loses the first group of pictures and repeats the last frame to keep the count.
- Seeking, which `skip_frames` does too: wrong frames in AVI, MPEG-PS, MPEG-TS, open groups of pictures, some Matroska.
- HEVC with B-frames, VP9 with hidden frames, and truncated files: an error after some frames.
- Edit lists: it shows frames that a player hides.
- Mirroring: ignored. Sizes that change in mid-stream: it stretches the pictures.
- More than 8 bits a colour, or colour in full resolution: other pixels than PyAV's.
- A reader slower than the decoder: frames pile up in memory, 2.5 GB for 400 frames of 1080p.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fercli.media.container import decoded_frames, demux, open_video
from fercli.media.decord_loader import load_decord
from fercli.media.index import FrameIndex
from fercli.media.picture import Image, Picture, preview_size
from fercli.media.upright import display_matrix, orientation_of

DECORD_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
DECORD_CODECS = {"h264", "mpeg4"}
"""In others, such as VP9 and AV1, the size may change at any frame, which decord does not report."""
DECORD_PIXELS = {"yuv420p", "yuvj420p"}
DECORD_BYTES = 256 * 2**20
"""Decoded size up to which decord is used: it decodes ahead of a slow reader without limit."""


def decord_pictures(path: Path, index: FrameIndex, warn: Callable[[str], None]) -> Iterator[Picture]:
    """Pictures up to the end or to decord's first error; none of a file that it does not read correctly.

    decord computes the number of channels as line length / width. Where lines are padded to 128 bytes, pictures
    narrower than 128 pixels get four channels and are garbled.
    """
    frame = 0
    reason = why_not_decord(path, index)
    if not reason:
        try:
            decord = load_decord()
        except ImportError as error:
            reason = str(error)
    if not reason:
        try:
            reader = decord.VideoReader(str(path.absolute()))  # as in `open_video`
            if len(reader) != len(index.pts_s):
                reason = f"it counts {len(reader)} frames, and there are {len(index.pts_s)}"
            while not reason and frame < len(index.pts_s):
                array = reader.next()
                if array.shape[2] == 3:
                    yield from_decord(frame, array)
                    frame += 1
                else:
                    reason = "it garbles pictures as narrow as these"
        except (decord.DECORDError, RuntimeError, StopIteration):
            reason = f"it stops at frame {frame}"
    if reason:
        warn(f"decord is not used for {path.name}{' from there on' if frame else ''}, PyAV is: {reason}")


def from_decord(frame: int, array: object) -> Picture:
    """The picture of a decord array."""

    def rgb() -> Image:
        image: Image = array.asnumpy()  # type: ignore[attr-defined]
        return image

    return Picture(frame, rgb, lambda: _shrunk(rgb()))


def _shrunk(image: Image) -> Image:
    import cv2

    width, height = preview_size(image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def why_not_decord(path: Path, index: FrameIndex) -> str:
    """Why decord does not read a file as a player does; empty if it does. Decodes the key frames.

    Raises:
        VideoError: the file cannot be opened.
    """
    with open_video(path) as (container, stream):
        context = stream.codec_context
        pixels = context.pix_fmt or ""
        frames = len(index.pts_s)
        wrong = {
            "it does not read this container correctly": container.format.name not in DECORD_CONTAINERS,
            f"it misreads {stream.codec.canonical_name}": stream.codec.canonical_name not in DECORD_CODECS,
            f"its colours of {pixels} differ": pixels not in DECORD_PIXELS,
            "it may choose another of several video streams": len(container.streams.video) > 1,
            "two frames have the same time, or a frame has none": index.ticks is None,
            "the clock of the file jumps": bool(index.jumps),
            "the file is damaged": index.promised not in (0, frames),
            f"it would hold all frames, more than {DECORD_BYTES >> 20} MiB, in memory": (
                frames * context.width * context.height * 3 > DECORD_BYTES
            ),
        }
        for reason, holds in wrong.items():
            if holds:
                return reason
        for packet in demux(container, stream):
            if packet.is_discard:
                return "it shows frames that an edit list hides"
            if packet.is_corrupt:
                return "the file is damaged"
    return _shape_decord_misses(path)


def _shape_decord_misses(path: Path) -> str:
    """Pictures of these codecs can change their shape only at key frames."""
    with open_video(path) as (container, stream):
        stream.codec_context.skip_frame = "NONKEY"
        seen = {
            (frame.width, frame.height, display_matrix(frame))
            for frame in decoded_frames(container, stream, patient=True)
        }
    if len({shape[:2] for shape in seen}) > 1:
        return "it stretches pictures whose size changes"
    found = [orientation_of(matrix) for _, _, matrix in seen]
    if len(found) > 1 or any(orientation.mirrored or off > 0 for orientation, off in found):
        return "it supports no mirroring and only one rotation, by a multiple of 90 degrees"
    return ""
