"""Small videos made by ffmpeg at test time. Each frame can carry its own number in its picture, as black and white
blocks that survive lossy compression, so that a test can prove which picture it was given."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 128, 64
"""decord reads no narrower pictures on some processors."""
_BLOCK = 16
_BITS = 12
_COLUMNS = WIDTH // _BLOCK

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p")
"""Encoder arguments: small, quick, without B-frames."""

H264_B_FRAMES = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "24", "-pix_fmt", "yuv420p")
"""Encoder arguments: presentation order differs from the order in the file."""


def numbered_frame(number: int) -> NDArray[np.uint8]:
    """A HEIGHT x WIDTH x 3 picture that shows `number` (0 to 4095): bit k is block k of the upper half, white for 1."""
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for bit in range(_BITS):
        row, column = divmod(bit, _COLUMNS)
        block = np.s_[row * _BLOCK : (row + 1) * _BLOCK, column * _BLOCK : (column + 1) * _BLOCK]
        image[block] = 255 * (number >> bit & 1)
    return image


def read_number(image: NDArray[np.uint8]) -> int:
    """The number shown by a picture of `numbered_frame`, after any compression."""
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _COLUMNS)
        middle = image[row * _BLOCK + 4 : (row + 1) * _BLOCK - 4, column * _BLOCK + 4 : (column + 1) * _BLOCK - 4]
        number |= int(middle.mean() > 128) << bit
    return number


def numbered_video(path: Path, count: int, *, fps: str = "30", encode: Sequence[str] = H264) -> Path:
    """A video of `count` numbered frames; `encode` holds ffmpeg output options, filters included."""
    return write_video(path, (numbered_frame(n) for n in range(count)), fps=fps, encode=encode)


def write_video(
    path: Path, frames: Iterable[NDArray[np.uint8]], *, fps: str = "30", encode: Sequence[str] = H264
) -> Path:
    """Encode pictures of one size (RGB uint8 HxWx3) with ffmpeg; the suffix of `path` chooses the container."""
    frames = iter(frames)
    first = next(frames)
    height, width = first.shape[:2]
    command = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", fps, "-i", "-"]
    process = subprocess.Popen(
        [_ffmpeg(), "-v", "error", "-y", *command, *encode, str(path)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(first.tobytes())
    for frame in frames:
        process.stdin.write(frame.tobytes())
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"ffmpeg could not write {path}: {errors.decode()}")
    return path


def put_together(path: Path, counts: Sequence[int], *, encode: Sequence[str] = H264) -> Path:
    """What `cat` makes of several videos of so many numbered frames: numbers and clock begin anew with each part."""
    parts = [numbered_video(path.with_name(f"{n}-{path.name}"), count, encode=encode) for n, count in enumerate(counts)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def several_edits(path: Path, spans: Sequence[tuple[int, int]], *, fps: int) -> Path:
    """Give an MP4 of one track an edit list in place of its own: (first frame, frames) a span, in the order shown."""
    content = path.read_bytes()
    at = content.index(b"elst") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    mvhd, mdhd = (content.index(name) for name in (b"mvhd", b"mdhd"))
    movie, media = (int.from_bytes(content[place + 16 : place + 20], "big") for place in (mvhd, mdhd))
    edits = b"".join(
        (count * movie // fps).to_bytes(4, "big") + (first * media // fps).to_bytes(4, "big") + b"\0\1\0\0"
        for first, count in spans
    )
    box = b"elst" + bytes(4) + len(spans).to_bytes(4, "big") + edits
    grown = len(box) + 4 - size
    changed = bytearray(content[:at] + (len(box) + 4).to_bytes(4, "big") + box + content[at + size :])
    for name in (b"moov", b"trak", b"edts"):  # the boxes around it; what they hold lies behind the pictures
        place = content.index(name) - 4
        changed[place : place + 4] = (int.from_bytes(content[place : place + 4], "big") + grown).to_bytes(4, "big")
    path.write_bytes(changed)
    return path


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg, quietly, and fail loudly."""
    done = subprocess.run([_ffmpeg(), "-v", "error", "-y", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg {' '.join(arguments)} failed: {done.stderr}")


def cut_short(source: Path, target: Path, keep: float) -> Path:
    """Copy the first part of a file, `keep` of its bytes in (0, 1): what a broken download leaves."""
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * keep)])
    return target


def _ffmpeg() -> str:
    import imageio_ffmpeg

    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path
