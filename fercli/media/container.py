"""Open a video file and take it apart into packets: the one place where PyAV's errors become VideoErrors."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.errors import VideoError
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
"""Formats of libav that are texts which name other files or streams. They are never opened: their sha256 would say
nothing of the pictures, and what they name may lie anywhere."""
_CUT_SHORT_HINT = "fetch the file again; `ffmpeg -i FILE -c copy NEW.mkv` rescues some damaged files"


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and the moving picture a player would show; cover art does not count as one.

    Raises:
        VideoError: missing, a directory, empty, no video, a playlist or sound only; or it can no longer be read later.
    """
    import av

    _refuse_what_is_no_file(path)
    only = {"format_whitelist": ",".join(sorted(av.formats_available - PLAYLISTS))}
    try:
        # Absolute, or ffmpeg takes `talk` in `talk:1.mp4` for the name of a protocol.
        container = av.open(str(path.absolute()), options=only, **_metadata_option())
    except av.error.FFmpegError as error:
        raise _unreadable(path, error) from error
    with container:
        stream = _moving_picture(container, path)
        try:
            yield container, stream
        except av.error.FFmpegError as error:
            raise VideoError(
                f"cannot read {path}: {error.strerror}", hint=_CUT_SHORT_HINT, code="file-unreadable"
            ) from error


def _metadata_option() -> dict[str, Any]:
    """Read a file whose metadata is not UTF-8: PyAV before 19 refuses it unless told otherwise, later ones cannot."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def demux(container: InputContainer, stream: VideoStream, jumps: Sequence[Jump] = ()) -> Iterator[Packet[VideoStream]]:
    """The packets of a stream, up to the end or to where a file that was cut short breaks off.

    Empty packets, with which AVI repeats a picture, are left out. Behind a jump, timestamps have its offset.
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
    """Let a packet be shown later, by so many units of its time base."""
    packet.pts = None if packet.pts is None else packet.pts + ticks
    packet.dts = None if packet.dts is None else packet.dts + ticks


def start_of(container: InputContainer) -> Fraction:
    """What the clock inside a file shows when a player shows 0: the start of the stream that begins first, seconds.

    Players and ffmpeg take it off from all times, so that streams keep the distance that they have from each other.
    """
    if container.start_time is None:
        return Fraction(0)
    rounded = Fraction(container.start_time, 1_000_000)  # to whole microseconds, which few clocks count in
    starts = [s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base]
    return next((start for start in starts if abs(start - rounded) < Fraction(1, 1_000_000)), rounded)


def decoded_frames(
    container: InputContainer, stream: VideoStream, *, patient: bool, jumps: Sequence[Jump] = ()
) -> Iterator[VideoFrame]:
    """The frames PyAV decodes, in presentation order.

    Args:
        container, stream: as `open_video` gives them.
        patient: pass over packets that cannot be decoded. Without it frames are decoded in parallel, and the first
            such packet ends it all, because parallel decoding then loses good frames too.
        jumps: of the clock; timestamps get their offsets before decoding, so that no two frames have one time.
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
    """The error for a video that opens and then gives no picture."""
    return VideoError(
        f"no frame of {path} can be decoded; the file is damaged", hint=_CUT_SHORT_HINT, code="video-damaged"
    )


def _moving_picture(container: InputContainer, path: Path) -> VideoStream:
    from av.stream import Disposition

    if container.format.name == "tty":  # ffmpeg takes plain text for terminal art
        raise VideoError(f"{path} is a text file, not a video", hint=_HINT, code="not-a-video")
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        what = "has sound but no picture" if container.streams.audio else "has no picture"
        raise VideoError(f"{path} {what}", hint=_HINT, code="video-without-picture")
    moving = [stream for stream in moving if stream.codec_context is not None]
    if not moving:
        raise VideoError(f"no codec here knows how {path} is coded", hint=_HINT, code="video-damaged")
    best = container.streams.best("video")
    return next((stream for stream in moving if stream is best), moving[0])


def _refuse_what_is_no_file(path: Path) -> None:
    require_regular_file(path, VideoError, "give the path of one video file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise VideoError(
            f"cannot read {path}: {error.strerror}", hint="check that you may read the file", code="file-unreadable"
        ) from error
    if empty:
        raise VideoError(f"{path} is empty (0 bytes)", hint="fetch the file again", code="video-empty")


def _unreadable(path: Path, error: FFmpegError) -> VideoError:
    from av.error import ArgumentError

    with path.open("rb") as file:
        head = file.read(4096)
    # libav's answer to a format that is not on the list; the few damaged videos that get the same are no text.
    if isinstance(error, ArgumentError) and b"\0" not in head:
        return VideoError(
            f"{path} is a playlist: a text that names other files, not a video",
            hint=f"make one file of it: {_joining(path, head)} NEW.mkv",
            code="not-a-video",
        )
    if head[4:8] == b"ftyp":
        return VideoError(
            f"{path} is cut short or damaged: its index (moov) cannot be read",
            hint=_CUT_SHORT_HINT,
            code="video-damaged",
        )
    return VideoError(f"{path} is not a video: {error.strerror}", hint=_HINT, code="not-a-video")


def _joining(path: Path, head: bytes) -> str:
    """How ffmpeg reads a playlist."""
    how = (
        ["-safe", "0"]
        if head.startswith(b"ffconcat")
        else ["-protocol_whitelist", "file,crypto,data,http,https,tcp,tls"]
    )
    return shlex.join(["ffmpeg", *how, "-i", str(path), "-c", "copy"])
