"""Small videos made by ffmpeg at test time. Each frame can carry its own number in its picture, as black and white
blocks that survive lossy compression, so that a test can prove which picture it was given."""

from __future__ import annotations

import re
import struct
import subprocess
import zlib
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


def quarters() -> NDArray[np.uint8]:
    """A 64 x 128 x 3 picture: red top left, green top right, blue bottom left, white bottom right."""
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32, :64] = (255, 0, 0)
    image[:32, 64:] = (0, 255, 0)
    image[32:, :64] = (0, 0, 255)
    image[32:, 64:] = (255, 255, 255)
    return image


def shape_change(
    path: Path, first: NDArray[np.uint8], second: NDArray[np.uint8], count: int = 10, *, encode: Sequence[str] = H264
) -> Path:
    """A video whose picture changes its size after `count` frames of one picture; as many of the other follow.

    Both parts are MPEG-TS and are put together as they are; the suffix of `path` chooses the container.
    """
    parts = [path.with_suffix(f".{number}.ts") for number in (1, 2)]
    for number, (part, image) in enumerate(zip(parts, (first, second), strict=True)):
        late = ("-output_ts_offset", str(number * count / 30))
        write_video(part, (image for _ in range(count)), encode=(*encode, *late))
    whole = path.with_suffix(".whole.ts")
    whole.write_bytes(b"".join(part.read_bytes() for part in parts))
    ffmpeg("-i", str(whole), "-c", "copy", str(path))
    for part in (*parts, whole):
        part.unlink()
    return path


def with_display_matrix(source: Path, target: Path, matrix: Sequence[float]) -> Path:
    """Copy an .mp4 of one track with another display matrix a, b, u, c, d, v, x, y, w (ISO/IEC 14496-12, 8.3.2)."""
    content = bytearray(source.read_bytes())
    unity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    place = content.index(unity, content.index(b"tkhd"))
    scales = (65536, 65536, 1 << 30) * 3
    numbers = [round(value * scale) for value, scale in zip(matrix, scales, strict=True)]
    content[place : place + 36] = struct.pack(">9i", *numbers)
    target.write_bytes(content)
    return target


def write_video(
    path: Path, frames: Iterable[NDArray[np.uint8]], *, fps: str = "30", encode: Sequence[str] = H264
) -> Path:
    """Encode pictures of one size (RGB uint8 HxWx3) with ffmpeg; the suffix of `path` chooses the container."""
    frames = iter(frames)
    first = next(frames)
    height, width = first.shape[:2]
    command = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", fps, "-i", "-"]
    whole = [ffmpeg_path(), "-v", "error", "-y", *command, *encode, str(path)]
    process = subprocess.Popen(whole, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
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
    done = subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ffmpeg {' '.join(arguments)} failed: {done.stderr}")


BURST_S = 0.2
"""Length of a burst, seconds."""


def bursts(*times_s: float, level: float = 0.5, hertz: int = 440) -> str:
    """An expression of ffmpeg's `aevalsrc`: a tone at each of these times, silence between."""
    heard = "+".join(f"between(t,{time},{time + BURST_S})" for time in times_s) or "0"
    return f"{level}*sin(2*PI*{hertz}*t)*({heard})"


def with_sound(
    path: Path,
    channels: Sequence[str],
    *,
    seconds: float = 3.0,
    picture_s: float = 3.0,
    rate: int = 48000,
    layout: str = "",
    late_s: float = 0.0,
    encode: Sequence[str] = ("-c:a", "aac"),
) -> Path:
    """A video of numbered frames with sound.

    Args:
        channels: an expression of `bursts` for each channel.
        seconds, picture_s: lengths of sound and picture.
        layout: ffmpeg's name of the layout of the channels.
        late_s: when the sound starts.
        encode: output options of ffmpeg for the sound.
    """
    picture = numbered_video(path.with_name(f"{path.stem}-picture.mp4"), round(30 * picture_s))
    source = f"aevalsrc='{'|'.join(channels)}':s={rate}:d={seconds}" + (f":c={layout}" if layout else "")
    late = ("-itsoffset", str(late_s)) if late_s else ()
    sound = (*late, "-f", "lavfi", "-i", source)
    ffmpeg("-i", str(picture), *sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *encode, str(path))
    picture.unlink()
    return path


def filter_times(path: Path) -> list[float]:
    """When ffmpeg's filters, subtitles among them, take each frame of a video with sound to be shown, seconds."""
    every = ["-map", "0:v:0", "-map", "0:a:0", "-vf", "showinfo", "-fps_mode", "passthrough", "-f", "null", "-"]
    done = subprocess.run([ffmpeg_path(), "-i", str(path), *every], capture_output=True, text=True, check=True)
    return [float(time) for time in re.findall(r"pts_time:\s*(-?[\d.]+)", done.stderr)]


def cut_short(source: Path, target: Path, keep: float) -> Path:
    """Copy the first part of a file, `keep` of its bytes in (0, 1): what a broken download leaves."""
    content = source.read_bytes()
    target.write_bytes(content[: int(len(content) * keep)])
    return target


def ffmpeg_path() -> str:
    """The program ffmpeg."""
    import imageio_ffmpeg

    path: str = imageio_ffmpeg.get_ffmpeg_exe()
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and has no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
