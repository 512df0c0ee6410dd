"""Frames read by decord, of the files that it reads as a player does.

`why_not_decord` says what keeps it from others. What decord 2 (3.4) gets wrong elsewhere, and why it only ever reads in
order here:

- MPEG-TS: it loses the first group of pictures and repeats the last frame to make up the number.
- Seeking, which `skip_frames` does too: wrong frames in AVI, MPEG-PS, MPEG-TS, open groups of pictures, some Matroska.
- HEVC with B-frames, VP9 with hidden frames, and files that were cut short: an error after some frames.
- Edit lists: it shows frames that a player hides.
- Mirroring: it takes no notice. Sizes that change in mid-stream: it stretches the pictures.
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
"""In others, such as VP9 and AV1, the size may change at any frame, which only a decoder that says so finds out."""
DECORD_PIXELS = {"yuv420p", "yuvj420p"}
DECORD_BYTES = 256 * 2**20
"""Decoded size up to which decord is used: it decodes ahead of a slow reader without limit."""


def decord_pictures(path: Path, index: FrameIndex, warn: Callable[[str], None]) -> Iterator[Picture]:
    """Pictures up to the end or to decord's first error; none of a file that it does not read right.

    decord takes the number of channels for the length of a line divided by the width. Where the processor wants lines
    padded to 128 bytes, pictures narrower than 128 pixels come out with four, and garbled.
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
            reason = f"it gives up at frame {frame}"
    if reason:
        warn(f"decord is not used for {path.name}{' from there on' if frame else ''}, PyAV is: {reason}")


def from_decord(frame: int, array: object) -> Picture:
    """The picture in an array of decord's."""

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
            "it does not read this container right": container.format.name not in DECORD_CONTAINERS,
            f"it does not read {stream.codec.canonical_name} right": stream.codec.canonical_name not in DECORD_CODECS,
            f"it makes other colours of {pixels}": pixels not in DECORD_PIXELS,
            "it may choose another of several moving pictures": len(container.streams.video) > 1,
            "two frames have the same time, or one has none": index.ticks is None,
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
    """Pictures of these codecs change their shape at key frames only."""
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
        return "it turns pictures by multiples of 90 degrees only, all of them alike, and mirrors none"
    return ""
