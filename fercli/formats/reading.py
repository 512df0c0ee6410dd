"""Reading of annotations: corrected exports of fercli, and labels from other programs."""

from __future__ import annotations

import csv
import math
from importlib import import_module
from pathlib import Path

from fercli.errors import DatasetError
from fercli.files import require_regular_file
from fercli.formats import READERS
from fercli.formats.annotations import LASTING_S, Annotations, Video, closed, in_video, of_video


def read_annotations(path: Path, video: Video | None = None, lasting_s: float = LASTING_S) -> Annotations:
    """Read a file with one of the READERS, chosen by its suffix in any case.

    Args:
        video: the video: its name for files that link several, its end for labels without one.
        lasting_s: longest duration of labels without an end, seconds; see `closed`.

    Raises:
        DatasetError: it is missing, unreadable, of another kind, or invalid; the message names file and place.
    """
    require_regular_file(path, DatasetError, "check the name of the file with the labels")
    found = next((reader for suffix, reader in READERS.items() if path.suffix.lower() == suffix.lower()), None)
    if found is None:
        raise DatasetError(
            f"cannot read labels from {path}", hint=f"give one of {', '.join(READERS)}", code="suffix-unknown"
        )
    module, function = found.split(":")
    read = getattr(import_module(f"fercli.formats.{module}"), function)
    try:
        name = video.name if video else ""
        annotations = in_video(of_video(read(path), name, path), name, path)
    except UnicodeDecodeError as error:
        hint = "save it again as UTF-8" + ("; in a spreadsheet as `CSV UTF-8`" if found is READERS[".csv"] else "")
        raise DatasetError(f"cannot read {path}: it is not UTF-8", hint=hint, code="file-unreadable") from error
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(
            f"cannot read {path}: {reason}", hint="check the name, and export the file again", code="file-unreadable"
        ) from error
    return closed(annotations, path, lasting_s, min(annotations.video_end_s, video.end_s if video else math.inf))
