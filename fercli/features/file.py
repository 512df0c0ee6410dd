"""The file of features: Parquet, a row for each step of a track, a vector for each modality, null where it is missing.

    video, track, person, start_s, end_s, trunk, blendshapes, ...

Its metadata holds the rate, and size, source and column names of each modality. Nobody can be recognised by the
vectors as reliably as by a face, but they come from faces: only the owner of the file can read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.files import require_regular_file
from fercli.models.sequence import Modality
from fercli.typed import build
from fercli.writing import new_file, writing

_KEY = b"fercli-features"
FIXED = ("video", "track", "person", "start_s", "end_s")
HINT = "give a file that `fercli features` wrote"


@dataclass(frozen=True)
class TrackFeatures:
    """The features of one track.

    Attributes:
        video: name of the video, without its suffix. track: its number. person: displayed name; empty if unknown.
        start_s, end_s: (T,) interval of each step, by start.
        values: name of each modality -> (T, D) float32; rows of NaN where it is missing.
    """

    video: str
    track: int
    person: str
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class FeatureFacts:
    """What a file of features says of itself.

    Attributes:
        modalities: name, size and source of each.
        columns: name of each modality -> name of each element of its vectors.
        rate: steps a second; 0 if the intervals are those of the windows.
    """

    modalities: tuple[Modality, ...]
    columns: dict[str, tuple[str, ...]]
    rate: float = 0.0

    def modality(self, name: str) -> Modality:
        """The one of a name; raises KeyError."""
        return {one.name: one for one in self.modalities}[name]


def write_features(path: Path, facts: FeatureFacts, tracks: Iterable[TrackFeatures]) -> int:
    """Write a file, replaced in one step; returns the number of rows.

    Raises:
        OutputError: it cannot be written.
    """
    schema = _schema(facts)
    rows = 0
    with (
        writing(path),
        new_file(path, private=True) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=list(FIXED[:3])) as writer,
    ):
        for track in tracks:
            if len(track.start_s):
                writer.write_table(_table(track, facts, schema))
                rows += len(track.start_s)
    return rows


def read_facts(path: Path) -> FeatureFacts:
    """What a file says of itself.

    Raises:
        InputError: it cannot be read, or is no such file.
    """
    require_regular_file(path, InputError, HINT)
    try:
        metadata = pq.read_schema(path.absolute()).metadata or {}
        facts = build(FeatureFacts, json.loads(metadata[_KEY]))
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no file of features: {error}", hint=HINT, code="features-unreadable") from error
    return facts


def read_features(path: Path, wanted: Sequence[str] = ()) -> Iterator[TrackFeatures]:
    """The tracks of a file, in its order; errors as `read_facts`.

    Args:
        path: the file.
        wanted: modalities to read; by default all.
    """
    facts = read_facts(path)
    names = list(wanted) or [one.name for one in facts.modalities]
    try:
        if not pq.read_schema(path.absolute()).equals(_schema(facts)):
            raise ValueError("its columns are not those that it names")
        with pq.ParquetFile(path.absolute()) as file:
            for number in range(file.num_row_groups):
                yield from _tracks(file.read_row_group(number, columns=[*FIXED, *names]), names, facts)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}", hint=HINT, code="features-unreadable") from error


def write_arrays(folder: Path, facts: FeatureFacts, tracks: Iterable[TrackFeatures]) -> int:
    """Write one `.npy` a track, all modalities side by side: `VIDEO/track-3.npy`, (T, D) float32, and its times,
    `VIDEO/track-3.times.npy`, (T, 2) float64; `features.json` names the columns. Returns the number of rows.

    Raises:
        OutputError: they cannot be written.
    """
    rows = 0
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for track in tracks:
            place = folder / track.video
            place.mkdir(parents=True, exist_ok=True)
            values = np.concatenate([track.values[one.name] for one in facts.modalities], axis=1)
            times = np.stack([track.start_s, track.end_s], axis=1)
            for suffix, array in (("npy", values), ("times.npy", times)):
                with (
                    new_file(place / f"track-{track.track}.{suffix}", private=True) as temporary,
                    temporary.open("wb") as file,
                ):
                    np.save(file, array, allow_pickle=False)
            rows += len(times)
        with new_file(folder / "features.json", private=True) as temporary:
            temporary.write_text(json.dumps(asdict(facts), indent=2) + "\n", encoding="utf-8")
    return rows


def _schema(facts: FeatureFacts) -> pa.Schema:
    kinds = (pa.string(), pa.int32(), pa.string(), pa.float64(), pa.float64())
    fields = [pa.field(name, kind, nullable=False) for name, kind in zip(FIXED, kinds, strict=True)]
    vectors = [pa.field(one.name, pa.list_(pa.float32(), one.size)) for one in facts.modalities]
    return pa.schema([*fields, *vectors], metadata={_KEY: json.dumps(asdict(facts))})


def _table(track: TrackFeatures, facts: FeatureFacts, schema: pa.Schema) -> pa.Table:
    count = len(track.start_s)
    columns: list[pa.Array] = [
        pa.array([track.video] * count, pa.string()),
        pa.array([track.track] * count, pa.int32()),
        pa.array([track.person] * count, pa.string()),
        pa.array(track.start_s, pa.float64()),
        pa.array(track.end_s, pa.float64()),
    ]
    for one in facts.modalities:
        values = np.ascontiguousarray(track.values[one.name], np.float32)
        missing = pa.array(~np.isfinite(values).all(axis=1))
        flat = pa.array(values.ravel(), pa.float32())
        columns.append(pa.FixedSizeListArray.from_arrays(flat, one.size, mask=missing))
    return pa.Table.from_arrays(columns, schema=schema)


def _tracks(table: pa.Table, names: list[str], facts: FeatureFacts) -> Iterator[TrackFeatures]:
    """One row group holds one track."""
    if not table.num_rows:
        return
    video, track, person = (table[name][0].as_py() for name in FIXED[:3])
    values = {name: _matrix(table[name].combine_chunks(), facts.modality(name).size) for name in names}
    yield TrackFeatures(video, track, person, table["start_s"].to_numpy(), table["end_s"].to_numpy(), values)


def _matrix(column: pa.Array, size: int) -> NDArray[np.float32]:
    found = np.full((len(column), size), np.nan, np.float32)
    known = ~np.asarray(column.is_null())
    found[known] = np.asarray(column.flatten(), np.float32).reshape(-1, size)
    return found
