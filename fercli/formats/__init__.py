"""Formats by name: one file per format with its writer and reader, imported when used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.errors import ConfigError, MissingStage

if TYPE_CHECKING:
    from fercli.results.model import Result


_TRANSCRIBE = "run: fercli transcribe WORKSPACE; or annotate with --sound"


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        suffix: suffix of its files, with the dot.
        writer: `module:function` inside this package; the function takes a document and a path.
        summary: what it can hold.
        lacks: what it cannot hold.
        unit_ms: for formats with a timeline: its time unit in milliseconds, counted from 0; 0 for others.
        gaps: whether its timeline also has the stretches that are not assessable.
        rated: whether it holds the ratings of estimate-valence, and nothing else.
        said: whether it only holds what is said, which needs `transcribe`.
    """

    suffix: str
    writer: str
    summary: str
    lacks: str
    unit_ms: int = 0
    gaps: bool = False
    rated: bool = False
    said: bool = False

    def losses(self, result: Result) -> list[str]:
        """A message for each kind of segment that this format cannot hold, or not exactly."""
        if not self.unit_ms:
            return []
        from fercli.formats.timeline import losses

        return losses(result.all_segments if self.gaps else result.segments, self.unit_ms)

    def is_empty_of(self, result: Result) -> bool:
        """Whether the file would have no rows, because the stage that makes them has not run."""
        return self.rated and result.ratings is None

    def write(self, result: Result, path: Path, *, raw_cells: bool = False) -> None:
        """Write a result in this format.

        Args:
            raw_cells: for CSV, do not escape text that spreadsheets would read as formulas.

        Raises:
            MissingStage: the format holds what is said, and `transcribe` has not run.
        """
        if self.said and result.speech is None:
            raise MissingStage("this format holds what is said, and transcribe has not run", hint=_TRANSCRIBE)
        module, function = self.writer.split(":")
        write = getattr(import_module(f"{__name__}.{module}"), function)
        write(result, path, **({"raw_cells": True} if raw_cells else {}))


_NOT_SAID = "emotions, words, scores, whether a speaker is on screen"

FORMATS = {
    "json": Format(
        ".json",
        "json_records:write_document",
        "video, persons, segments, stretches not assessable, provenance",
        "faces of single frames, probabilities of all classes",
    ),
    "records": Format(
        ".json",
        "json_records:write_records",
        "one list of segments, and of what is said",
        "stretches not assessable, persons' sums, provenance",
    ),
    "jsonl": Format(
        ".jsonl",
        "json_records:write_lines",
        "one segment, or utterance, per line",
        "stretches not assessable, persons' sums, provenance",
    ),
    "csv": Format(
        ".csv",
        "csv_segments:write",
        "one row per segment",
        "stretches not assessable, identity scores, persons' sums, provenance",
    ),
    "csv-windows": Format(
        ".csv", "tables_out:write_csv_windows", "one row per window, all probabilities", "boxes, segments, provenance"
    ),
    "csv-faces": Format(
        ".csv",
        "tables_out:write_csv_faces",
        "one row per face: person, box, probabilities, pose, blendshapes",
        "landmarks, segments, provenance",
    ),
    "parquet": Format(
        ".parquet",
        "tables_out:write_parquet",
        "one row per segment or stretch not assessable, typed",
        "persons' sums, probabilities of all classes",
    ),
    "parquet-windows": Format(
        ".parquet", "tables_out:write_parquet_windows", "one row per window, probabilities, typed", "boxes, segments"
    ),
    "parquet-faces": Format(
        ".parquet",
        "tables_out:write_parquet_faces",
        "one row per face: boxes, probabilities, pose, blendshapes, typed",
        "segments",
    ),
    "csv-ratings": Format(
        ".csv",
        "ratings:write_csv_ratings",
        "valence, arousal, intensity over time",
        "segments, provenance",
        rated=True,
    ),
    "parquet-ratings": Format(
        ".parquet",
        "ratings:write_parquet_ratings",
        "valence, arousal, intensity over time, typed",
        "segments",
        rated=True,
    ),
    "eaf": Format(
        ".eaf",
        "eaf:write",
        "ELAN: tiers per person: emotions, what is said; the video linked",
        "scores, boxes, tracks, the path of the video",
        unit_ms=1,
        gaps=True,
    ),
    "textgrid": Format(
        ".TextGrid",
        "textgrid:write",
        "Praat: interval tiers per person: emotions, what is said",
        "scores, boxes, tracks, stretches not assessable, the video's name",
        unit_ms=1,
    ),
    "webvtt": Format(
        ".vtt",
        "webvtt:write",
        "captions for web pages, one voice per person",
        "scores, boxes, tracks, stretches not assessable",
        unit_ms=1,
    ),
    "srt": Format(
        ".srt",
        "srt:write",
        "subtitles for players",
        "scores, boxes, tracks, stretches not assessable, < > { } \\ in names",
        unit_ms=1,
    ),
    "ass": Format(
        ".ass",
        "ass:write",
        "subtitles for players, one colour per emotion",
        "milliseconds (hundredths only), scores, boxes, tracks, stretches not assessable, { } \\ in names",
        unit_ms=10,
    ),
    "rttm": Format(
        ".rttm",
        "rttm:write",
        "NIST: when each person is on screen, with the emotion",
        'boxes, tracks, blanks and " in names',
        unit_ms=1,
        gaps=True,
    ),
    "audacity": Format(
        ".txt",
        "audacity:write",
        "Audacity's labels",
        "scores, boxes, tracks, stretches not assessable",
        unit_ms=1,
    ),
    "elan-series": Format(
        ".txt",
        "ratings:write_elan_series",
        "ELAN: curves of valence, to link as second file",
        "segments, intervals, tracks, provenance",
        rated=True,
    ),
    "label-studio": Format(
        ".json",
        "label_studio:write",
        "Label Studio: boxes and timeline of the video",
        "timestamps of boxes (frame numbers at the mean rate), probabilities of all classes",
        unit_ms=1,
        gaps=True,
    ),
    "cvat": Format(
        ".xml", "cvat:write", "CVAT for video 1.1: boxes by track", "timestamps, segments, scores, provenance"
    ),
    "via": Format(
        ".json",
        "via:write",
        "VIA 3: boxes and timeline of the video",
        "moving boxes (one per segment), scores, tracks, provenance",
    ),
    "coco": Format(".json", "coco:write", "COCO: frames and boxes", "segments, probabilities of all classes"),
    "mot": Format(
        ".txt", "mot:write", "MOTChallenge: boxes by frame and track", "emotions, names, timestamps, provenance"
    ),
    "pyfeat": Format(
        ".csv",
        "pyfeat:write",
        "py-feat's columns, one row per face",
        "segments, provenance, action units; landmarks, but after measure-faces --landmarks",
    ),
    "webvtt-speech": Format(
        ".vtt",
        "webvtt:write_speech",
        "what is said: captions for web pages, one voice per person",
        _NOT_SAID,
        said=True,
    ),
    "srt-speech": Format(
        ".srt",
        "srt:write_speech",
        "what is said: subtitles for players",
        f"{_NOT_SAID}, < > {{ }} \\ in texts",
        said=True,
    ),
    "ass-speech": Format(
        ".ass",
        "ass:write_speech",
        "what is said: subtitles for players",
        f"milliseconds, {_NOT_SAID}, {{ }} \\ in texts",
        said=True,
    ),
    "rttm-speech": Format(
        ".rttm", "rttm:write_speech", "NIST: who speaks when", "what is said, emotions, scores", said=True
    ),
    "whisperx": Format(
        ".json",
        "whisperx:write",
        "WhisperX's JSON: utterances and words with speakers",
        "emotions, the video",
        said=True,
    ),
    "csv-utterances": Format(
        ".csv",
        "tables_out:write_csv_utterances",
        "one row per utterance: person, text, emotions of face and voice",
        "words, segments, provenance",
        said=True,
    ),
    "parquet-utterances": Format(
        ".parquet",
        "tables_out:write_parquet_utterances",
        "one row per utterance: person, text, emotions of face and voice, typed",
        "words, segments",
        said=True,
    ),
    "meld": Format(
        ".csv",
        "meld:write",
        "MELD's columns, one row per utterance",
        "contempt, probabilities, words, segments, whether the speaker is on screen, provenance",
        said=True,
    ),
    "openface": Format(
        ".csv",
        "openface:write",
        "OpenFace's columns, one row per face",
        "segments, tracks, provenance, action units, gaze; landmarks, but after measure-faces --landmarks",
    ),
}
"""Name -> exporter. The first exporter with a suffix is the default for that suffix."""


READERS = {
    ".csv": "csv_segments:read",
    ".eaf": "eaf:read",
    ".json": "json_records:read",
    ".jsonl": "json_records:read_lines",
    ".TextGrid": "textgrid:read",
    ".vtt": "subtitles:read",
    ".srt": "subtitles:read",
}
"""Suffix -> `module:function` inside this package that reads annotations; the function takes a path."""


def require_sound(names: Iterable[str]) -> None:
    """Check, before a run without sound, that no format needs it.

    Raises:
        ConfigError: one holds what is said.
    """
    for name in names:
        if name in FORMATS and FORMATS[name].said:
            raise ConfigError(
                f"{name} holds what is said, which needs --sound", hint="add --sound", code="option-conflict"
            )


def choose_format(path: Path, name: str = "") -> str:
    """The format by name, or else by the suffix of the file, in any case.

    Raises:
        ConfigError: neither is known.
    """
    if name:
        if name not in FORMATS:
            raise ConfigError(f"unknown format {name!r}", hint=f"known: {', '.join(FORMATS)}", code="name-unknown")
        return name
    for candidate, exporter in FORMATS.items():
        if path.suffix.lower() == exporter.suffix.lower():
            return candidate
    suffixes = dict.fromkeys(exporter.suffix for exporter in FORMATS.values())
    raise ConfigError(
        f"no format has the suffix {path.suffix!r} of {path}",
        hint=f"use {', '.join(suffixes)}, or --format with one of those that `fercli formats` lists",
        code="suffix-unknown",
    )
