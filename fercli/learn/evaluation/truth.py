"""Labelled time spans from a file: manual labels, or exports of fercli.

In all formats, class names are accepted in all spellings of `fercli.labels.canonical`, and spans that are `not
assessable` are left out.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from fercli.edits.state import read_state
from fercli.errors import DatasetError, command
from fercli.formats.annotations import LASTING_S, Annotations, Label, Video, layout_hint
from fercli.formats.csv_segments import table
from fercli.formats.reading import read_annotations
from fercli.labels import NOT_ASSESSABLE
from fercli.persons.names import UNASSIGNED
from fercli.workspace import Workspace, require_tables


def read_labels(path: Path) -> list[Label]:
    """Read the labels of a file, in its order.

    Raises:
        DatasetError: it is missing, unreadable, of another kind, or a label in it is not usable; names file and place.
    """
    return labels_of(read_annotations(path))


def labels_of(annotations: Annotations) -> list[Label]:
    """The labels of a file that has been read, without what is not assessable."""
    return [_of_one_person(label) for label in annotations.marks if label.emotion != NOT_ASSESSABLE]


def read_truth(
    path: Path, video: Video | None = None, lasting_s: float = LASTING_S, notes: list[str] | None = None
) -> list[Label]:
    """Read manual labels, or the manual annotations of a workspace.

    Args:
        video, lasting_s: as of `read_annotations`.
        notes: list to which messages about skipped or assumed parts are added.

    Raises:
        DatasetError: as `read_labels`; also if there are no labels, or a person has two emotions at the same time.
        InputError, WorkspaceError: it is a directory, but not a workspace.
    """
    if path.is_dir():
        return _one_at_a_time(_manual_spans(path), path)
    annotations = read_annotations(path, video, lasting_s)
    if notes is not None:
        notes += annotations.notes
    spans = labels_of(annotations)
    if not spans:
        raise DatasetError(f"{path} has no labels", hint=layout_hint(path), code="labels-missing")
    return _one_at_a_time(spans, path)


def _manual_spans(path: Path) -> list[Label]:
    workspace = Workspace.open(path)
    require_tables(workspace, "persons")
    spans = [
        Label(one.start_ms, one.end_ms, one.emotion, one.person)
        for one in read_state(workspace).manual
        if one.emotion not in (None, NOT_ASSESSABLE)
    ]
    if not spans:
        hint = f"run: {command('import', path, 'FILE')}"
        raise DatasetError(f"{path} has no manual annotation of an emotion", hint=hint, code="corrections-missing")
    return spans


def _one_at_a_time(spans: list[Label], path: Path) -> list[Label]:
    latest: dict[str, Label] = {}
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
    """How many segments of an export that `read_labels` can read are a person's own corrections, not the machine's.

    Only .csv, .json and .jsonl record this, in `source`; for other formats it is 0.
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


def _of_one_person(label: Label) -> Label:
    """Each track whose person is not known is a person of its own."""
    return replace(label, person=f"{UNASSIGNED}, track {label.track}") if label.person == UNASSIGNED else label
