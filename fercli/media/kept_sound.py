"""The sound that `extract-audio` kept, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli import tables
from fercli.errors import CorruptTable, command
from fercli.media.audio import RATE, Samples, decode


class KeptSound:
    """The table `sound`; its pieces follow each other without gaps.

    Attributes:
        start_s, end_s: of the whole sound, seconds; both 0 if there is none.
    """

    def __init__(self, path: Path) -> None:
        """Raises CorruptTable if the table cannot be read."""
        self._path = path
        times = list(tables.read_parts(path, tables.SOUND, columns=["start_s", "end_s"]))
        self._starts = np.array([start for part in times for start in part["start_s"].to_pylist()], np.float64)
        self.pieces = len(self._starts)
        self.start_s = float(self._starts[0]) if self.pieces else 0.0
        self.end_s = float(times[-1]["end_s"][-1].as_py()) if self.pieces else 0.0
        self._recent: dict[int, Samples] = {}

    def each(self) -> Iterator[Samples]:
        """The samples of each piece, in order; errors as `between`."""
        for number in range(self.pieces):
            yield self._piece(number)

    def between(self, start_s: float, end_s: float) -> Samples:
        """The samples in [start_s, end_s), as far as there are any: (n,) float32 in [-1, 1] at 16 kHz.

        Raises:
            CorruptTable: a piece cannot be read.
        """
        first = max(0, int(np.searchsorted(self._starts, start_s, "right")) - 1)
        last = max(first, int(np.searchsorted(self._starts, end_s, "left")) - 1)
        whole = np.concatenate([self._piece(number) for number in range(first, last + 1)])
        origin = self._starts[first]
        return whole[max(0, round((start_s - origin) * RATE)) : max(0, round((end_s - origin) * RATE))]

    def _piece(self, number: int) -> Samples:
        if number not in self._recent:
            (part,) = tables.read_parts(self._path, tables.SOUND, rows=[number])
            try:
                samples = decode(part["flac"][part["piece"].to_pylist().index(number)].as_py())
            except ValueError as error:
                raise CorruptTable(
                    f"cannot read piece {number} of {self._path}: {error}",
                    hint=f"run it again: {command('extract-audio', 'VIDEO', self._path.parent.parent, '--force')}",
                ) from error
            recent = [*self._recent.items()][-1:]  # two pieces: a passage is no longer than one
            self._recent = dict([*recent, (number, samples)])
        return self._recent[number]
