"""extract-audio: video -> its sound, mono at 16 kHz, in pieces of 30 s.

The pieces are rows of a table, so that they are written, compared and read piece by piece like all other data. FLAC
takes about half the space of the samples and loses nothing but what is below 16 bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.config import AudioParams
from fercli.stages.base import StageContext, require_ranges

if TYPE_CHECKING:
    from fercli.media.audio import Sound

SCHEMAS = {"sound": tables.SOUND}
NO_SOUND = "the video has no sound"
_CLIPPED = 0.005
"""Share of samples at full scale from which the sound is clipped."""


def run(context: StageContext, params: AudioParams) -> dict[str, Any]:
    """Read the sound once, from start to end; returns counts and facts of the sound track.

    Raises:
        ConfigError: a parameter is out of range, or there is no such sound track.
        VideoError: the file cannot be read.
    """
    from fercli.media.audio import RATE, read_sound

    check(params)
    video = context.workspace.video
    path = Path(video.path)
    sound = read_sound(path, params.track, params.start_s, params.end_s)
    if sound is None:
        context.skip(NO_SOUND, SCHEMAS)
        return {"pieces": 0}
    pieces = tables.write_table(context.out / "sound.parquet", _rows(context, sound), tables.SOUND)
    if not pieces:
        context.skip(f"no sound of {path.name} can be decoded, or none lies in the stretch", SCHEMAS)
        return {"pieces": 0}
    times = tables.read_rows(
        context.out / "sound.parquet",
        tables.SOUND,
        ["piece", "start_s", "end_s"],
        "piece",
        {0, pieces - 1},
    )
    start_s, end_s = times["start_s"][0].as_py(), times["end_s"][-1].as_py()
    _warn(context, sound, end_s, round((end_s - start_s) * RATE), whole=not params.end_s)
    facts = asdict(sound.facts)
    del facts["peak"], facts["full_scale"]
    facts["corrected_s"] = round(sound.facts.corrected_s, 3)
    facts |= {"start_s": round(start_s, 6), "duration_s": round(end_s - start_s, 6)}
    return {"pieces": pieces, "facts": facts | {"longer_than_picture_s": round(end_s - video.end_s, 3)}}


def check(params: AudioParams) -> None:
    """Raises ConfigError for a parameter that is out of range."""
    require_ranges(
        params,
        ("track", params.track >= 0, "from 1, or 0 for the one that a player chooses"),
        ("start_s", 0 <= params.start_s < math.inf, "from 0"),
        ("end_s", params.end_s == 0 or params.end_s > params.start_s, "above start_s"),
    )


def _rows(context: StageContext, sound: Sound) -> Iterator[pa.Table]:
    from fercli.media.audio import PIECE_S, RATE, encode

    total = math.ceil(context.workspace.video.duration_s / PIECE_S)
    with context.reporter.task("extract-audio", total, "piece") as task:
        for number, (start_s, samples) in enumerate(sound.pieces):
            sound.facts.peak = max(sound.facts.peak, float(np.abs(samples).max()))
            row = {"piece": number, "start_s": start_s, "end_s": start_s + len(samples) / RATE, "flac": encode(samples)}
            yield pa.Table.from_pylist([row], schema=tables.SOUND)
            task.advance()


def _warn(context: StageContext, sound: Sound, end_s: float, samples: int, *, whole: bool) -> None:
    """Report what is wrong with the sound."""
    from fercli.media.audio import DEAD_BELOW, DRIFT_S

    video, facts = context.workspace.video, sound.facts
    name = Path(video.path).name
    if facts.peak < DEAD_BELOW:
        context.warn(f"the sound of {name} is silent from start to end")
    if facts.dead:
        side = ("left", "right")[facts.dead - 1]
        context.warn(f"the {side} channel of {name} is silent: only the other one is used")
    if facts.full_scale > _CLIPPED * samples:
        context.warn(f"the sound of {name} is clipped: {100 * facts.full_scale / samples:.1f} % are at full scale")
    if facts.damaged:
        context.warn(f"{facts.damaged} packets of the sound of {name} cannot be decoded, and are left out")
    if facts.corrected:
        context.warn(
            f"the timestamps of the sound of {name} deviate from its length {facts.corrected} times, "
            f"{facts.corrected_s:.2f} s together: gaps are silent, overlaps are left out"
        )
    longer_s = end_s - video.end_s
    if whole and video.has_picture and abs(longer_s) > DRIFT_S:
        word = "after" if longer_s > 0 else "before"
        context.warn(f"the sound of {name} ends {abs(longer_s):.2f} s {word} the picture")
