"""The text of subtitles in a video."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fercli.errors import VideoError
from fercli.media.container import open_container, start_of

TEXTS = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
"""Codecs of text; others are pictures."""
_EVENT = re.compile(r"(?:[^,]*,){8}(.*)", re.DOTALL)
_MARKUP = re.compile(r"\{[^}]*\}|<[^>]*>")


def has_embedded_subtitles(path: Path) -> bool:
    """Whether a video has a track of text; False if it cannot be opened."""
    try:
        with open_container(path) as container:
            return _track_of_text(container) is not None
    except VideoError:
        return False


def embedded_subtitles(path: Path) -> list[tuple[float, float, str]] | None:
    """Start and end in seconds, and text of each cue of the first track of text; None if there is none.

    Raises:
        VideoError: as `container.open_container`.
    """
    from av.error import FFmpegError

    with open_container(path) as container:
        stream = _track_of_text(container)
        if stream is None:
            return None
        begin, found = start_of(container), []
        for packet in container.demux(stream):
            if packet.pts is None or not packet.size or not packet.duration:
                continue
            try:
                decoded = packet.decode()
            except FFmpegError:
                continue
            text = " ".join(_text(part) for one in decoded for part in _parts(one))
            start = float(packet.pts * packet.time_base - begin)
            if text.strip():
                found.append((start, start + float(packet.duration * packet.time_base), text))
        return found


def _track_of_text(container: Any) -> Any:
    return next((one for one in container.streams.subtitles if one.codec_context.name in TEXTS), None)


def _parts(decoded: Any) -> list[Any]:
    """The parts of what PyAV decodes: a set of subtitles, or a single one, by version."""
    return list(decoded.rects) if hasattr(decoded, "rects") else [decoded]


def _text(part: Any) -> str:
    """The plain text of a part, which libav gives as an event of ASS."""
    raw = getattr(part, "ass", b"") or getattr(part, "text", b"")
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    event = _EVENT.fullmatch(text)
    return " ".join(_MARKUP.sub("", (event[1] if event else text).replace("\\N", " ").replace("\\n", " ")).split())
