"""Advanced SubStation Alpha subtitles: `Ross: happy` in the colour of the emotion, a line per segment; or what is said.

Times are hundredths of a second.
"""

from __future__ import annotations

from pathlib import Path

from pysubs2 import Color, SSAEvent, SSAFile, SSAStyle

from fercli.colours import COLOURS
from fercli.formats.spoken import captions
from fercli.formats.timeline import in_milliseconds, units
from fercli.labels import EMOTIONS_8, RECORD_NAMES
from fercli.results.model import Result

UNIT_MS = 10
_MARKUP = str.maketrans("{}\\", "()/")
"""Players read these as commands, and the format cannot escape them."""


def write(result: Result, path: Path) -> None:
    """Write the assessed segments, each in the style named after its emotion.

    The field `Name` is the person, with `;` for `,`, which would end the field.
    """
    subtitles = SSAFile()
    subtitles.styles = {
        RECORD_NAMES[emotion]: SSAStyle(primarycolor=Color(*COLOURS[emotion])) for emotion in EMOTIONS_8
    }
    for segment in in_milliseconds(result.segments):
        if units(segment.start_ms, UNIT_MS) == units(segment.end_ms, UNIT_MS):
            continue
        line = SSAEvent(segment.start_ms, segment.end_ms, segment.caption.translate(_MARKUP))
        line.style = segment.short_name
        line.name = segment.person.replace(",", ";")
        subtitles.append(line)
    subtitles.save(path, format_="ass", header_notice="")


def write_speech(result: Result, path: Path) -> None:
    """Write what is said, with the speaker in front and in the field `Name`."""
    subtitles = SSAFile()
    for one in captions(result):
        if units(one.start_ms, UNIT_MS) < units(one.end_ms, UNIT_MS):
            line = SSAEvent(one.start_ms, one.end_ms, one.text.translate(_MARKUP))
            line.name = one.speaker.replace(",", ";")
            subtitles.append(line)
    subtitles.save(path, format_="ass", header_notice="")
