"""Word vectors of the class names, the targets of `fercli.learn.training.losses.word_cosine_loss`.

A small table of the canonical names ships in `word_vectors.json`, which says where it comes from;
`examples/make_word_vectors.py` makes it. Any other space of words is read from a word2vec or GloVe file.

Word vectors follow the texts that words occur in, not the look or the valence of a face, and opposites share texts. In
the shipped table anger lies nearer to happiness (cosine 0.52) than to disgust (0.46), and happiness nearest to anger.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, MissingDependency, reason_of
from fercli.files import require_regular_file
from fercli.labels import canonical

TABLE = Path(__file__).with_name("word_vectors.json")

MOST_WORDS = 500_000
"""Words read of a file. Public files go by falling frequency and run to gigabytes; names of emotions are common."""


_HINT = "give a GloVe or word2vec text file, or word2vec's binary format named .bin"

MOST_NUMBERS = 4096
"""Numbers a word; public files have 25 to 1024."""
MAX_LINE = 1 << 20
"""Bytes of a line: more than MOST_NUMBERS take in text."""


def shipped_vectors(labels: Sequence[str]) -> NDArray[np.float32]:
    """(C, 384) unit vectors of canonical labels, from the table that ships.

    Raises:
        ConfigError: a label is not one of the canonical ones.
    """
    vectors: dict[str, list[float]] = json.loads(TABLE.read_text(encoding="utf-8"))["vectors"]
    for label in labels:
        if label not in vectors:
            raise ConfigError(
                f"no word vector of {label!r} ships with fercli",
                hint="give a word2vec or GloVe file that has the word",
                code="word-vector-missing",
            )
    return _unit(np.array([vectors[label] for label in labels]))


def read_vectors(path: Path, labels: Sequence[str]) -> NDArray[np.float32]:
    """(C, D) unit vectors of the labels, from a word2vec or GloVe file.

    A label is looked up by its own name, then by any name that `fercli.labels.canonical` takes for it, the most
    frequent first. Only the first MOST_WORDS words of the file are read.

    Args:
        path: word2vec's binary format if it ends in `.bin`, otherwise text: a word and its numbers a line, with the
            first line of word2vec (`words dimensions`) or, as GloVe has it, without. `.gz` may follow.
        labels: C class names.

    Raises:
        MissingDependency: gensim is not installed.
        ConfigError: the file cannot be read, or has no usable vector of a label.
    """
    words = _load(path)
    rows = []
    for label in labels:
        word = _word_for(label, words.key_to_index)
        row = None if word is None else words[word]
        if row is None or not np.isfinite(row).all() or not row.any():
            raise ConfigError(
                f"{path} has no vector of {label!r} nor of another word for it among its first {MOST_WORDS:,} words",
                hint="give a file with a larger English vocabulary, or leave the shipped table in place",
                code="word-vector-missing",
            )
        rows.append(row)
    return _unit(np.stack(rows))


def _load(path: Path) -> Any:
    """gensim's KeyedVectors."""
    try:
        keyed_vectors = import_module("gensim.models").KeyedVectors
        open_any = import_module("gensim.utils").open
    except ImportError as error:
        raise MissingDependency("word vector files need the package gensim", hint="pip install gensim") from error
    binary = path.name.removesuffix(".gz").endswith(".bin")
    require_regular_file(path, ConfigError, _HINT)
    try:
        first = _first_words(path, open_any, binary=binary)
        return keyed_vectors.load_word2vec_format(
            str(path),
            binary=binary,
            no_header=not binary and len(first) != 2,
            limit=MOST_WORDS,
            unicode_errors="replace",  # word2vec's own tool cuts long words in the middle of a character
        )
    except (OSError, EOFError, ValueError, MemoryError, zlib.error) as error:
        raise ConfigError(
            f"cannot read word vectors {path}: {reason_of(error)}",
            hint=_HINT,
            code="file-unreadable",
        ) from error


def _first_words(path: Path, open_any: Any, *, binary: bool) -> list[bytes]:
    """The first line, in words.

    Raises:
        ValueError: there is none, or the numbers a word are too many, or a packed file has a line without end: none of
            which is a file of word vectors, and all of which would take memory without bound.
    """
    with open_any(str(path), "rb") as file:
        first: list[bytes] = file.readline(MAX_LINE).split()
        packed_text = path.suffix == ".gz" and not binary
        for _ in range(MOST_WORDS if packed_text else 0):
            line = file.readline(MAX_LINE)
            if len(line) == MAX_LINE:
                raise ValueError(f"a line is longer than {MAX_LINE} bytes")
            if not line:
                break
    if not first:
        raise ValueError("the file is empty")
    numbers = int(first[1]) if len(first) == 2 and first[1].isdigit() else len(first) - 1
    if not 0 < numbers <= MOST_NUMBERS:
        raise ValueError(f"{numbers} numbers a word, expected 1 to {MOST_NUMBERS}")
    return first


def _word_for(label: str, words: dict[str, int]) -> str | None:
    if label in words:
        return label
    return next((word for word in words if canonical(word) == label), None)


def _unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit
