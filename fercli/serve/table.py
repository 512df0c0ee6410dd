"""The table of jobs: one SQLite file in WAL mode, the only queue of the service."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fercli.writing import create_for_owner

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
STATES = (QUEUED, RUNNING, DONE, FAILED, CANCELLED)
ENDED = (DONE, FAILED, CANCELLED)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    video TEXT NOT NULL,
    uploaded INTEGER NOT NULL,
    options TEXT NOT NULL,
    facts TEXT NOT NULL,
    state TEXT NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    waits_until REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '{}',
    erase INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, number);
"""


@dataclass(frozen=True)
class Row:
    """One job.

    Attributes:
        id: 16 hexadecimal digits. number: order in which the jobs were posted.
        name: file name of the video, shown to people.
        video: absolute path of the video.
        uploaded: whether the video lies in the folder of the job, and is erased with it.
        options: the options as they were posted.
        facts: of the video: bytes, seconds, width, height; sha256 of an uploaded one.
        state: one of STATES.
        created, started, ended: seconds since 1970; None if not yet.
        waits_until: not started before, seconds since 1970.
        attempts: how often it was started.
        outcome: what `batch.outcome.Outcome` says of its end; empty before.
        erase: whether it is erased as soon as no worker uses it.
    """

    id: str
    name: str
    video: str
    uploaded: bool
    options: dict[str, Any]
    facts: dict[str, Any]
    state: str
    created: float
    number: int = 0
    started: float | None = None
    ended: float | None = None
    waits_until: float = 0.0
    attempts: int = 0
    outcome: dict[str, Any] = field(default_factory=dict)
    erase: bool = False


class JobTable:
    """The table; every method is one transaction, and may be called from any thread.

    Raises:
        OutputError: by the constructor, if the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            create_for_owner(path)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # FULL: a job that was accepted is on the disk. secure_delete: an erased job leaves no name in free pages.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, row: Row, most: int) -> bool:
        """Add a queued job; False if there are `most` jobs already."""
        with self._transaction() as db:
            if db.execute("SELECT COUNT(*) FROM jobs").fetchone()[0] >= most:
                return False
            db.execute(
                "INSERT INTO jobs (id, name, video, uploaded, options, facts, state, created) VALUES (?,?,?,?,?,?,?,?)",
                (
                    row.id,
                    row.name,
                    row.video,
                    row.uploaded,
                    json.dumps(row.options),
                    json.dumps(row.facts),
                    QUEUED,
                    row.created,
                ),
            )
            return True

    def full(self, most: int) -> bool:
        """Whether there are `most` jobs already."""
        return sum(self.counts().values()) >= most

    def get(self, job: str) -> Row | None:
        """A job; None if there is none, or it is to be erased."""
        found = self._rows("WHERE id = ? AND erase = 0", (job,))
        return found[0] if found else None

    def listed(self, *, state: str = "", after: int = 0, limit: int = 1000) -> list[Row]:
        """Jobs by number, the latest first, without those to be erased; `after` is the number of the last one seen."""
        conditions, values = ["erase = 0"], list[Any]()
        if state:
            conditions.append("state = ?")
            values.append(state)
        if after:
            conditions.append("number < ?")
            values.append(after)
        return self._rows(f"WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?", (*values, limit))

    def counts(self) -> dict[str, int]:
        """State -> number of jobs."""
        with self._lock:
            rows = self._db.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state").fetchall()
        return {**dict.fromkeys(STATES, 0), **{row[0]: row[1] for row in rows}}

    def ahead(self, row: Row) -> int:
        """How many queued jobs are before a queued one."""
        with self._lock:
            query = "SELECT COUNT(*) FROM jobs WHERE state = ? AND number < ? AND erase = 0"
            return int(self._db.execute(query, (QUEUED, row.number)).fetchone()[0])

    def claim(self) -> Row | None:
        """The next queued job, which is running from now on; None if there is none."""
        now = time.time()
        with self._transaction() as db:
            found = db.execute(
                "SELECT id FROM jobs WHERE state = ? AND erase = 0 AND waits_until <= ? ORDER BY number LIMIT 1",
                (QUEUED, now),
            ).fetchone()
            if found is None:
                return None
            db.execute(
                "UPDATE jobs SET state = ?, started = ?, ended = NULL, attempts = attempts + 1 WHERE id = ?",
                (RUNNING, now, found["id"]),
            )
            return _row(db.execute("SELECT * FROM jobs WHERE id = ?", (found["id"],)).fetchone())

    def end(self, job: str, state: str, outcome: dict[str, Any]) -> None:
        """Record how a running job ended."""
        self._set("state = ?, ended = ?, outcome = ?", (state, time.time(), json.dumps(outcome)), job)

    def put_back(self, job: str, *, after_s: float = 0.0, attempts: int | None = None) -> None:
        """A job is queued again, at its old place."""
        changes, values = "state = ?, ended = NULL, waits_until = ?", [QUEUED, time.time() + after_s if after_s else 0]
        if attempts is not None:
            changes, values = f"{changes}, attempts = ?", [*values, attempts]
        self._set(changes, values, job)

    def cancel_queued(self, job: str) -> bool:
        """Cancel a job that no worker has yet; False if it is not queued any more."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE jobs SET state = ?, ended = ? WHERE id = ? AND state = ?", (CANCELLED, time.time(), job, QUEUED)
            )
            return changed.rowcount > 0

    def to_erase(self, job: str) -> None:
        """From now on the job is not shown, and nothing but its erasure is left to do."""
        self._set("erase = 1", (), job)

    def erasable(self) -> list[Row]:
        """Jobs to be erased that no worker uses."""
        return self._rows("WHERE erase = 1 AND state != ?", (RUNNING,))

    def ended_before(self, moment: float) -> list[Row]:
        """Jobs that ended before a moment, seconds since 1970."""
        return self._rows("WHERE ended < ? AND erase = 0 AND state NOT IN (?, ?)", (moment, QUEUED, RUNNING))

    def remove(self, job: str) -> None:
        """Remove the row, also from the write-ahead log."""
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def known(self) -> set[str]:
        """Ids of all jobs, also of those to be erased."""
        with self._lock:
            return {row[0] for row in self._db.execute("SELECT id FROM jobs")}

    def queue_interrupted(self) -> int:
        """Queue the jobs that were running when the service ended; returns their number."""
        with self._transaction() as db:
            return db.execute("UPDATE jobs SET state = ? WHERE state = ?", (QUEUED, RUNNING)).rowcount

    def _set(self, changes: str, values: Sequence[Any], job: str) -> None:
        with self._transaction() as db:
            db.execute(f"UPDATE jobs SET {changes} WHERE id = ?", (*values, job))

    def _rows(self, rest: str, values: Sequence[Any]) -> list[Row]:
        with self._lock:
            return [_row(row) for row in self._db.execute(f"SELECT * FROM jobs {rest}", tuple(values))]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _row(values: sqlite3.Row) -> Row:
    parsed = {name: json.loads(values[name]) for name in ("options", "facts", "outcome")}
    flags = {name: bool(values[name]) for name in ("uploaded", "erase")}
    return Row(**{**dict(values), **parsed, **flags})
