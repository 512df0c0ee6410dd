"""Labelled spans of time from a file: a person's own labels, or what fercli exported.

Whatever the file (see `fercli.importers`), class names are understood in all spellings of `fercli.labels.canonical`,
and spans that are `not assessable` are left out: they say nothing about the emotion.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fercli.edits.state import read_state
from fercli.errors import DatasetError, command
from fercli.formats.annotations import LASTING_S, Annotations, Mark, Video, layout_hint
from fercli.formats.csv_segments import table
from fercli.formats.reading import read_annotations
from fercli.labels import NOT_ASSESSABLE
from fercli.persons.names import UNASSIGNED
from fercli.workspace import Workspace, require_tables


@dataclass(frozen=True)
class Span:
    """One person showing one emotion for a while.

    Attributes:
        start_ms, end_ms: [start, end) in whole milliseconds, to which exports are rounded; the end is later.
        emotion: canonical name.
        person: who; empty where the file names nobody. Tracks that fercli could give to nobody are a person each.
        score: probability in [0, 1]; 1 where the file has none.
    """

    start_ms: int
    end_ms: int
    emotion: str
    person: str = ""
    score: float = 1.0


def read_spans(path: Path) -> list[Span]:
    """Read the spans of a file, in its order.

    Raises:
        DatasetError: it is missing, unreadable, of another kind, or a span in it is not usable; names file and place.
    """
    return spans_of(read_annotations(path))


def spans_of(annotations: Annotations) -> list[Span]:
    """The spans of a file that has been read."""
    return [_span(mark) for mark in annotations.marks if mark.emotion != NOT_ASSESSABLE]


def read_truth(
    path: Path, video: Video | None = None, lasting_s: float = LASTING_S, notes: list[str] | None = None
) -> list[Span]:
    """Read manual labels; of a workspace its manual annotations.

    Args:
        video, lasting_s: as of `read_annotations`.
        notes: sentences on what was passed over or supposed are added to it.

    Raises:
        DatasetError: as `read_spans`; also if nothing is labelled, or somebody has two emotions at the same time.
        InputError, WorkspaceError: it is a directory, but not a workspace.
    """
    if path.is_dir():
        return _one_at_a_time(_manual_spans(path), path)
    annotations = read_annotations(path, video, lasting_s)
    if notes is not None:
        notes += annotations.notes
    spans = spans_of(annotations)
    if not spans:
        raise DatasetError(f"{path} labels nothing", hint=layout_hint(path), code="labels-missing")
    return _one_at_a_time(spans, path)


def _manual_spans(path: Path) -> list[Span]:
    workspace = Workspace.open(path)
    require_tables(workspace, "persons")
    spans = [
        Span(one.start_ms, one.end_ms, one.emotion, one.person)
        for one in read_state(workspace).manual
        if one.emotion not in (None, NOT_ASSESSABLE)
    ]
    if not spans:
        hint = f"run: {command('import', path, 'FILE')}"
        raise DatasetError(f"{path} has no manual annotation of an emotion", hint=hint, code="corrections-missing")
    return spans


def _one_at_a_time(spans: list[Span], path: Path) -> list[Span]:
    latest: dict[str, Span] = {}
    for span in sorted(spans, key=lambda span: span.start_ms):
        before = latest.get(span.person, span)
        if before.end_ms > span.start_ms and before.emotion != span.emotion:
            who = span.person or "the person"
            raise DatasetError(
                f"{path}: {who} is labelled {before.emotion} and {span.emotion} at {span.start_ms / 1000:g} s",
                hint="let one label end where the next begins; for several persons, name them",
                code="labels-contradict",
            )
        latest[span.person] = max(before, span, key=lambda span: span.end_ms)
    return spans


def count_human(path: Path) -> int:
    """How many segments of an export that `read_spans` can read are a person's own corrections, not the machine's.

    Only .csv, .json and .jsonl say so, in `source`; of the others it is 0.
    """
    return sum(isinstance(record, dict) and record.get("source") == "human" for record in _records(path))


def _records(path: Path) -> Iterable[object]:
    kind = path.suffix.lower()
    if kind not in (".csv", ".json", ".jsonl"):
        return ()
    text = path.read_text(encoding="utf-8-sig")
    if kind == ".csv":
        return table(io.StringIO(text, newline=""))[0]
    if kind == ".jsonl":
        return (json.loads(line) for line in text.split("\n") if line.strip())
    content = json.loads(text)
    records: list[object] = content.get("segments", []) if isinstance(content, dict) else content
    return records


def _span(mark: Mark) -> Span:
    person = f"{UNASSIGNED}, track {mark.track}" if mark.person == UNASSIGNED else mark.person
    return Span(mark.start_ms, mark.end_ms, mark.emotion, person, mark.score)
