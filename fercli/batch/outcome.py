"""How each video of a run ended, and the files that say so: batch.json and batch.csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fercli.errors import FercliError
from fercli.writing import write_atomically

DONE, FAILED = "done", "failed"
OUTCOMES = ("batch.json", "batch.csv")
"""The files of `write_outcomes`."""


@dataclass(frozen=True)
class Outcome:
    """The end of one job.

    Attributes:
        video: path or address of the video.
        state: `done` or `failed`.
        seconds: time it took in this run; 0 if it was finished before.
        persons, segments: counts in the result; None if it failed.
        outputs: the files written.
        warnings: what may affect the result, and was reported in this run.
        code, message, hint: of the error; empty if it was done.
    """

    video: str
    state: str
    seconds: float = 0.0
    persons: int | None = None
    segments: int | None = None
    outputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    hint: str = ""


def failure(video: str, error: BaseException) -> Outcome:
    """The outcome of a job that raised an error; one that is not deliberate is a bug in fercli."""
    if isinstance(error, FercliError):
        code, message, hint = error.code, error.message, error.hint
    else:
        code, message = "internal", f"a bug in fercli: {type(error).__name__}: {error}"
        hint = "please report it with the output of `fercli doctor`"
    return Outcome(video, FAILED, code=code, message=message, hint=hint)


def write_outcomes(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Write batch.json and batch.csv.

    Raises:
        OutputError: a file cannot be written.
    """
    document = {"videos": [asdict(outcome) for outcome in outcomes]}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    # File names that are not UTF-8 are escaped, in the same way as JSON does.
    write_atomically(folder / OUTCOMES[0], text.encode("utf-8", "backslashreplace"))
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(field.name for field in fields(Outcome))
    for outcome in outcomes:
        lists = {name: "\n".join(getattr(outcome, name)) for name in ("outputs", "warnings")}
        row = asdict(outcome) | lists
        writer.writerow("" if value is None else value for value in row.values())
    write_atomically(folder / OUTCOMES[1], table.getvalue().encode("utf-8", "backslashreplace"))
