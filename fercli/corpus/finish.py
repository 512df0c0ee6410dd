"""What a corpus gets once all its videos are cut: splits, the manifest, the card, and its description as JSON-LD."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fercli.corpus.card import card
from fercli.corpus.croissant import CROISSANT, croissant
from fercli.corpus.likeness import Alike, read_likeness
from fercli.corpus.manifest import MANIFEST, Clip, read_manifest, write_manifest
from fercli.corpus.splits import LEFT_OUT, SHARES, assign, without_doubles
from fercli.typed import build
from fercli.writing import write_atomically

CARD, DOUBLES = "README.md", "doubles.csv"
ABOUT = "work/about.json"


@dataclass(frozen=True)
class About:
    """What the maker of a corpus says of it.

    Attributes:
        split_by: one of `splits.SPLIT_BY`.
        licence: of the corpus; empty if it is not stated.
        known: whether the names of persons come from a gallery.
    """

    split_by: str
    licence: str = ""
    known: bool = False


@dataclass(frozen=True)
class Finished:
    """The clips with their splits, and what should be known of them."""

    clips: list[Clip]
    doubles: list[Alike]
    warnings: list[str]


def finish(folder: Path, clips: Sequence[Clip], about: About) -> Finished:
    """Write manifest.parquet, doubles.csv, README.md and croissant.json.

    Raises:
        OutputError: a file cannot be written.
    """
    parts = sorted((folder / "work" / "parts").glob("*.npz"))
    found, doubles = without_doubles(assign(clips, about.split_by), read_likeness(parts))
    warnings = []
    empty = [name for name in SHARES if not any(clip.split == name for clip in found)]
    if empty:
        what = "videos or persons" if about.split_by == "both" else f"{about.split_by}s"
        warnings.append(f"there are too few {what} for the splits {', '.join(empty)}")
    if doubles:
        warnings.append(f"{len(doubles)} clips show what a clip of another split shows: they are {LEFT_OUT}")
    write_manifest(folder / MANIFEST, found)
    write_atomically(folder / DOUBLES, _doubles_csv(doubles), private=True)
    write_atomically(folder / ABOUT, json.dumps(asdict(about)).encode(), private=True)
    write_atomically(folder / CARD, card(folder, found, about.split_by, about.licence, known=about.known).encode())
    write_atomically(folder / CROISSANT, croissant(folder, found, about.licence).encode())
    return Finished(found, doubles, warnings)


def add_agreement(folder: Path, sentence: str) -> None:
    """Write the card again, with a sentence on the agreement of annotators; without `work/`, it stays as it is.

    Raises:
        InputError: the manifest cannot be read.
        OutputError: the card cannot be written.
    """
    try:
        about = build(About, json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return
    clips = read_manifest(folder / MANIFEST)
    text = card(folder, clips, about.split_by, about.licence, known=about.known, agreement=sentence)
    write_atomically(folder / CARD, text.encode())


def copy_documents(manifest: Path, folder: Path) -> None:
    """Copy a manifest as it is, for the description has its sha256, and the documents that lie beside it.

    Raises:
        OutputError: they cannot be written.
    """
    copies = {MANIFEST: manifest} | {name: manifest.parent / name for name in (CARD, CROISSANT, DOUBLES)}
    for name, source in copies.items():
        if source.is_file() and source.resolve() != (folder / name).resolve():
            write_atomically(folder / name, source.read_bytes(), private=name in (MANIFEST, DOUBLES))


def _doubles_csv(doubles: Sequence[Alike]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["first", "second", "distance"], lineterminator="\n")
    writer.writeheader()
    for one in doubles:
        writer.writerow({**asdict(one), "distance": f"{one.distance:.3f}"})
    return text.getvalue().encode()
