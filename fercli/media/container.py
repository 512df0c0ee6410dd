"""Open and demux a video file; the only place where PyAV's errors become VideoErrors."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.errors import SoundOnly, VideoError
from fercli.files import require_regular_file
from fercli.media.jumps import Jump

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.error import FFmpegError
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HINT = "give a video file that a player can play"
PLAYLISTS = frozenset(("concat", "dash", "hls", "imf", "rtsp", "sap", "sdp", "webm_dash_manifest"))
"""Text formats of libav that refer to other files or streams. They are never opened: their sha256 would not identify
the pictures, and they may refer to any file."""
DAMAGED_HINT = "download or copy the file again; `ffmpeg -i FILE -c copy NEW.mkv` rescues some damaged files"


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and the video stream that a player shows; cover art is not one.

    Raises:
        VideoError: as `open_container`; or it has no video, or sound only.
    """
    with open_container(path) as container:
        yield container, _moving_picture(container, path)


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """The container of a file.

    Raises:
        VideoError: missing, a directory, empty, not a video, or a playlist; or a later read fails.
    """
    import av

    _refuse_what_is_no_file(path)
    only = {"format_whitelist": ",".join(sorted(av.formats_available - PLAYLISTS))}
    try:
        # Absolute, or ffmpeg takes `talk` in `talk:1.mp4` for a protocol.
        container = av.open(str(path.absolute()), options=only, **_metadata_option())
    except av.error.FFmpegError as error:
        raise _unreadable(path, error) from error
    with container:
        try:
            yield container
        except av.error.FFmpegError as error:
            raise VideoError(
                f"cannot read {path}: {error.strerror}", hint=DAMAGED_HINT, code="file-unreadable"
            ) from error


def _metadata_option() -> dict[str, Any]:
    """Read a file whose metadata is not UTF-8: PyAV before 19 needs an option for it, which later versions do not
    have."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def demux(container: InputContainer, stream: VideoStream, jumps: Sequence[Jump] = ()) -> Iterator[Packet[VideoStream]]:
    """The packets of a stream, up to the end or to the end of a truncated file.

    Empty packets, with which AVI repeats a picture, are left out. After a jump, timestamps include its offset.
    """
    from av.error import InvalidDataError

    offsets = {jump.packet: jump.offset for jump in jumps}
    offset = number = 0
    try:
        for packet in container.demux(stream):
            if packet.size:
                offset = offsets.get(number, offset)
                if offset:
                    move(packet, offset)
                yield packet
                number += 1
    except InvalidDataError:
        return


def move(packet: Packet[Any], ticks: int) -> None:
    """Delay a packet by this many units of its time base."""
    packet.pts = None if packet.pts is None else packet.pts + ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks


def start_of(container: InputContainer) -> Fraction:
    """Container time at player time 0: the start of the earliest stream, in seconds.

    Players and ffmpeg subtract it from all times, so that the streams stay synchronous.
    """
    if container.start_time is None:
        return Fraction(0)
    rounded = Fraction(container.start_time, 1_000_000)  # rounded to microseconds, the unit of few containers
    starts = [s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base]
    return next((start for start in starts if abs(start - rounded) < Fraction(1, 1_000_000)), rounded)


def decoded_frames(
    container: InputContainer, stream: VideoStream, *, patient: bool, jumps: Sequence[Jump] = ()
) -> Iterator[VideoFrame]:
    """The frames PyAV decodes, in presentation order.

    Args:
        container, stream: as `open_video` gives them.
        patient: skip packets that cannot be decoded. Otherwise frames are decoded in parallel, and the first such
            packet ends decoding, because parallel decoding then loses good frames too.
        jumps: clock jumps; their offsets are added before decoding, so that no two frames have the same time.
    """
    from av.error import FFmpegError

    stream.thread_type = "SLICE" if patient else "AUTO"
    for packet in itertools.chain(demux(container, stream, jumps), [None]):
        try:
            frames = stream.codec_context.decode(packet)
        except FFmpegError:
            if not patient:
                return
        else:
            yield from frames


def no_frame_decodes(path: Path) -> VideoError:
    """The error for a video that can be opened but has no decodable frame."""
    return VideoError(
        f"no frame of {path} can be decoded; the file is damaged", hint=DAMAGED_HINT, code="video-damaged"
    )


def _moving_picture(container: InputContainer, path: Path) -> VideoStream:
    from av.stream import Disposition

    if container.format.name == "tty":  # ffmpeg takes plain text for terminal art
        raise VideoError(f"{path} is a text file, not a video", hint=_HINT, code="not-a-video")
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        if container.streams.audio:
            hint = "for what is said: fercli annotate FILE --sound -o FILE.json"
            raise SoundOnly(f"{path} has sound but no picture", hint=hint)
        raise VideoError(f"{path} has no picture", hint=_HINT, code="video-without-picture")
    moving = [stream for stream in moving if stream.codec_context is not None]
    if not moving:
        raise VideoError(f"no installed codec can decode {path}", hint=_HINT, code="video-damaged")
    best = container.streams.best("video")
    return next((stream for stream in moving if stream is best), moving[0])


def _refuse_what_is_no_file(path: Path) -> None:
    require_regular_file(path, VideoError, "give the path of one video file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise VideoError(
            f"cannot read {path}: {error.strerror}", hint="check its permissions", code="file-unreadable"
        ) from error
    if empty:
        raise VideoError(f"{path} is empty (0 bytes)", hint="download or copy the file again", code="video-empty")


def _unreadable(path: Path, error: FFmpegError) -> VideoError:
    from av.error import ArgumentError

    with path.open("rb") as file:
        head = file.read(4096)
    # libav's error for a format that is not on the list; the few damaged videos with the same error are not text.
    if isinstance(error, ArgumentError) and b"\0" not in head:
        return VideoError(
            f"{path} is a playlist, which refers to other files, not a video",
            hint=f"convert it to one file: {_joining(path, head)} NEW.mkv",
            code="not-a-video",
        )
    if head[4:8] == b"ftyp":
        return VideoError(
            f"{path} is cut short or damaged: its index (moov) cannot be read",
            hint=DAMAGED_HINT,
            code="video-damaged",
        )
    return VideoError(f"{path} is not a video: {error.strerror}", hint=_HINT, code="not-a-video")


def _joining(path: Path, head: bytes) -> str:
    """The ffmpeg arguments that read a playlist."""
    how = (
        ["-safe", "0"]
        if head.startswith(b"ffconcat")
        else ["-protocol_whitelist", "file,crypto,data,http,https,tcp,tls"]
    )
    return shlex.join(["ffmpeg", *how, "-i", str(path), "-c", "copy"])
