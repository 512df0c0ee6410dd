"""Subtitles that belong to a video: a file beside it, or a track in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fercli.config import ANY_LANGUAGE, EMBEDDED
from fercli.errors import FercliError
from fercli.formats.reading import read_annotations
from fercli.media.embedded_subtitles import has_embedded_subtitles

SUFFIXES = (".srt", ".vtt")


def subtitles_of(video: Path, language: str, ignored: Callable[[Path], bool]) -> str:
    """The value of `SpeechParams.subtitles` for the subtitles of a video.

    In this order: `VIDEO.srt`, `VIDEO.vtt` and, for a language that is given, `VIDEO.en.srt` and `VIDEO.en.vtt`, all
    beside the video; then a track of text in it. Files that hold emotions, or cannot be read, do not count.

    Args:
        language: code of the language that is spoken, or ANY_LANGUAGE.
        ignored: whether a file is not to be used, such as one that fercli itself wrote.

    Returns:
        An absolute path, EMBEDDED, or an empty text if there are none.
    """
    stems = [video.stem, *([f"{video.stem}.{language}"] if language != ANY_LANGUAGE else [])]
    for path in (video.parent / f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES):
        if path.is_file() and not ignored(path) and _says_something(path):
            return str(path.absolute())
    return EMBEDDED if has_embedded_subtitles(video) else ""


def _says_something(path: Path) -> bool:
    try:
        return bool(read_annotations(path).said)
    except FercliError:
        return False
