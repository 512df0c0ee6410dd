"""Which decoder costs less on which kind of file? PyAV and decord, per container and codec.

    python benchmarks/decoders.py VIDEO... [--height 360 720] [--repeat 3]

Each video is re-encoded to each kind at each height, as many frames as decord is ever given (`DECORD_BYTES`), and read
twice by each decoder: `all` converts every frame to RGB; `stage` does what extract-frames does, a preview of every
frame and ten full pictures a second. Processor milliseconds a frame, of all threads together, and of the clock; the
cheapest of the repetitions counts. A file that is given and needs no re-encoding can be measured with `--as-it-is`.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]

from fercli.media.decode import decode
from fercli.media.decord_loader import load_decord
from fercli.media.decord_reader import DECORD_BYTES, from_decord
from fercli.media.index import FrameIndex, read_index
from fercli.media.picture import Picture
from fercli.stages.frames import Sampler

X264 = ("-c:v", "libx264", "-preset", "medium", "-crf", "23")
KINDS = {
    "h264.mp4": X264,
    "h264.mov": X264,
    "h264.mkv": X264,
    "hevc.mp4": ("-c:v", "libx265", "-preset", "fast", "-bf", "0", "-x265-params", "log-level=error:bframes=0"),
    "mpeg4.mp4": ("-c:v", "mpeg4", "-q:v", "4"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-q:v", "4"),
    "vp8.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
    "vp9.mkv": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M"),
    "av1.webm": ("-c:v", "libsvtav1", "-preset", "10", "-crf", "35"),
    "av1.mp4": ("-c:v", "libsvtav1", "-preset", "10", "-crf", "35"),
    "mjpeg.mov": ("-c:v", "mjpeg", "-q:v", "3"),
}
FPS = 10.0


@dataclass(frozen=True)
class Cost:
    """Of one pass: frames read, processor and clock milliseconds a frame."""

    frames: int
    cpu_ms: float
    clock_ms: float


def by_pyav(path: Path, index: FrameIndex) -> Iterator[Picture]:
    """As every command reads."""
    return decode(path, index, range(len(index.pts_s)))


def by_decord(path: Path, index: FrameIndex) -> Iterator[Picture]:
    """Whatever it makes of the file, up to its end or the first error."""
    decord = load_decord()
    try:
        reader = decord.VideoReader(str(path))
        for frame in range(len(index.pts_s)):
            yield from_decord(frame, reader.next())
    except (decord.DECORDError, RuntimeError, StopIteration):
        return


READERS = {"PyAV": by_pyav, "decord": by_decord}


def read_all(pictures: Iterator[Picture], index: FrameIndex) -> int:
    """Convert every frame."""
    return sum(1 for picture in pictures if picture.rgb().size)


def read_as_stage(pictures: Iterator[Picture], index: FrameIndex) -> int:
    """A preview of every frame, ten full pictures a second."""
    sampler, frames = Sampler(FPS), 0
    for picture in pictures:
        picture.preview()
        if sampler.takes(float(index.pts_s[picture.frame])):
            picture.rgb()
        frames += 1
    return frames


WAYS = {"all": read_all, "stage": read_as_stage}


def costs(path: Path, index: FrameIndex, way: str, repeat: int) -> dict[str, Cost]:
    """Of each decoder the cheapest of some passes, made by turns: what else the machine does hits both."""
    passes: dict[str, list[Cost]] = {decoder: [] for decoder in READERS}
    for decoder in list(READERS) * repeat:
        busy, clock = time.process_time(), time.perf_counter()
        frames = WAYS[way](READERS[decoder](path, index), index)
        busy, clock = time.process_time() - busy, time.perf_counter() - clock
        passes[decoder].append(Cost(frames, 1000 * busy / max(1, frames), 1000 * clock / max(1, frames)))
    return {decoder: min(found, key=lambda one: one.cpu_ms) for decoder, found in passes.items()}


def encoded(video: Path, kind: str, height: int, directory: Path) -> Path:
    """The video as this kind at this height, as long as decord may read it."""
    out = directory / f"{video.stem}.{height}.{kind}"
    limit = DECORD_BYTES // (height * height * 16 // 9 * 3)
    scale = ("-vf", f"scale=-2:{height}", "-pix_fmt", "yuv420p", "-frames:v", str(limit), "-an")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(video), *scale, *KINDS[kind], str(out)]
    subprocess.run(command, check=True)
    return out


def report(name: str, path: Path, repeat: int) -> None:
    """One line a way of reading."""
    index = read_index(path)
    for way in WAYS:
        pyav, decord = costs(path, index, way, repeat).values()
        line = f"{name:34} {way:6} PyAV {pyav.cpu_ms:7.2f} ms ({pyav.clock_ms:6.2f} clock)"
        if decord.frames == pyav.frames:
            ratios = decord.cpu_ms / pyav.cpu_ms, decord.clock_ms / pyav.clock_ms
            line += f"   decord {decord.cpu_ms:7.2f} ms ({decord.clock_ms:6.2f} clock)"
            line += "   decord/PyAV {:5.2f} ({:5.2f})".format(*ratios)
        else:
            line += f"   decord reads {decord.frames} of {pyav.frames} frames"
        print(line, flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("video", type=Path, nargs="+")
    parser.add_argument("--height", type=int, nargs="+", default=[360, 720])
    parser.add_argument("--repeat", type=int, default=3, help="the cheapest one counts")
    parser.add_argument("--as-it-is", action="store_true", help="do not re-encode")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for video in options.video:
            if options.as_it_is:
                report(video.name, video, options.repeat)
                continue
            for height in options.height:
                for kind in KINDS:
                    path = encoded(video, kind, height, Path(temporary))
                    report(path.name, path, options.repeat)


if __name__ == "__main__":
    main()
