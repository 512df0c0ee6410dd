"""The columns of MELD (Poria et al. 2019, https://github.com/declare-lab/MELD), one row per utterance.

The emotion is the most probable one of MELD's seven, from face and voice together, else from the face, else from the
voice; empty if none was assessed. Sentiment is MELD's, by the emotion; it is empty for surprise, which MELD divides by
what is said. The whole video is one dialogue; season and episode are taken from names such as `friends_s01e02.mp4`.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from fercli.escapes import safe_cell
from fercli.formats.spoken import clock, speaker_of
from fercli.results.model import Result, Utterance

COLUMNS = (
    "Sr No.",
    "Utterance",
    "Speaker",
    "Emotion",
    "Sentiment",
    "Dialogue_ID",
    "Utterance_ID",
    "Season",
    "Episode",
    "StartTime",
    "EndTime",
)
NAMES = {
    "anger": ("anger", "negative"),
    "disgust": ("disgust", "negative"),
    "fear": ("fear", "negative"),
    "happiness": ("joy", "positive"),
    "sadness": ("sadness", "negative"),
    "surprise": ("surprise", ""),
    "neutral": ("neutral", "neutral"),
}
"""Canonical emotion -> MELD's emotion and sentiment."""
_EPISODE = re.compile(r"(?i)s(\d{1,2})[ ._-]?e(\d{1,3})")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write what is said."""
    found = _EPISODE.search(result.video["name"])
    season, episode = (str(int(one)) for one in found.groups()) if found else ("", "")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, one in enumerate(result.utterances):
            emotion, sentiment = _emotion(one)
            texts = [" ".join(one.text.split()), speaker_of(one)]
            texts = texts if raw_cells else [safe_cell(text) for text in texts]
            times = [clock(max(0, edge), ",") for edge in (one.start_ms, one.end_ms)]
            writer.writerow([number + 1, *texts, emotion, sentiment, 0, number, season, episode, *times])


def _emotion(one: Utterance) -> tuple[str, str]:
    found = one.both or one.face or one.voice or {}
    known = {emotion: value for emotion, value in found.items() if emotion in NAMES}
    return NAMES[max(known, key=known.__getitem__)] if known else ("", "")
