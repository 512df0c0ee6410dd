"""FER2013 from invented files in the real layout, and the real one where it is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.datasets import read_dataset
from fercli.datasets.fer2013 import KAGGLE_CLASSES, MIN_MATCH
from fercli.errors import ConfigError, DatasetError
from fercli.labels import EMOTIONS
from tests.datasets.faces import FERPLUS_CLASSES, USAGES, csv_row, npz_arrays, write_csv, write_npz

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "fer2013_ferplus.npz"


def read_npz(tmp_path: Path, arrays: dict[str, Any]):  # type: ignore[no-untyped-def]
    return read_dataset("fer2013", write_npz(tmp_path / "my_fer2013.npz", arrays))


def votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in FERPLUS_CLASSES]


def test_splits_follow_usage_and_labels_follow_the_canonical_order(tmp_path: Path) -> None:
    arrays = npz_arrays((8, 3, 2))
    data = read_npz(tmp_path, arrays)
    assert (len(data.train), len(data.valid), len(data.test)) == (8, 3, 2)
    assert data.train.classes == data.valid.classes == data.test.classes == EMOTIONS
    assert data.problems == ()
    for part, usage in ((data.train, "Training"), (data.valid, "PublicTest"), (data.test, "PrivateTest")):
        np.testing.assert_array_equal(part.images, arrays["images"][arrays["usage"] == usage])
        np.testing.assert_array_equal(part.targets, np.eye(7)[part.labels])
        assert (part.images.dtype, part.targets.dtype, part.labels.dtype) == (np.uint8, np.float32, np.int64)
    names = [EMOTIONS[label] for label in data.train.labels]
    assert names == ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "anger"]


def test_classes_are_understood_by_name_wherever_they_stand(tmp_path: Path) -> None:
    arrays = npz_arrays()
    order = np.random.default_rng(5).permutation(7)
    shuffled = {
        **arrays,
        "fer2013_classes": arrays["fer2013_classes"][order],
        "fer2013_label": np.argsort(order)[arrays["fer2013_label"]],
    }
    plain, moved = read_npz(tmp_path, arrays), read_npz(tmp_path, shuffled)
    assert list(order) != list(range(7))
    np.testing.assert_array_equal(moved.train.labels, plain.train.labels)
    np.testing.assert_array_equal(moved.train.targets, plain.train.targets)


def test_the_target_is_the_mean_of_label_and_votes(tmp_path: Path) -> None:
    arrays = npz_arrays((2, 1, 1), votes=True)  # the first image is angry, the second disgusted
    arrays["ferplus_votes"][0] = votes(anger=3, sadness=1)
    data = read_npz(tmp_path, arrays)
    np.testing.assert_allclose(data.train.targets[0], [(1 + 3 / 4) / 2, 0, 0, 0, 1 / 4 / 2, 0, 0])
    np.testing.assert_allclose(data.train.targets[1], np.eye(7)[1])
    assert "FER+" in data.terms


def test_columns_of_votes_are_understood_by_name(tmp_path: Path) -> None:
    arrays = npz_arrays((1, 1, 1), votes=True)
    arrays["ferplus_votes"][0] = votes(fear=10)
    order = np.arange(10)[::-1]
    arrays |= {
        "ferplus_votes": arrays["ferplus_votes"][:, order],
        "ferplus_classes": arrays["ferplus_classes"][order],
    }
    np.testing.assert_allclose(read_npz(tmp_path, arrays).train.targets[0], [0.5, 0, 0.5, 0, 0, 0, 0])


def test_votes_for_other_classes_do_not_count(tmp_path: Path) -> None:
    arrays = npz_arrays((3, 1, 1), votes=True)
    arrays["ferplus_votes"][0] = votes(unknown=6, NF=1, contempt=3)
    arrays["ferplus_votes"][1] = votes(unknown=5, contempt=3, neutral=2)
    data = read_npz(tmp_path, arrays)
    np.testing.assert_allclose(data.train.targets[0], np.eye(7)[0])
    np.testing.assert_allclose(data.train.targets[1], [0, 0.5, 0, 0, 0, 0, 0.5])


def test_labels_of_a_poor_match_are_not_used(tmp_path: Path) -> None:
    arrays = npz_arrays((4, 2, 2), votes=True)
    arrays["ferplus_votes"][0] = votes(happiness=8, neutral=2)
    arrays["ferplus_votes"][1] = votes(unknown=10)
    arrays["ferplus_votes"][4:] = votes(happiness=10)
    arrays["match_sim"][[0, 1, 4, 6]] = MIN_MATCH - 0.01
    arrays["match_sim"][2] = MIN_MATCH
    path = write_npz(tmp_path / "fer2013.npz", arrays)
    data = read_dataset("fer2013", path)
    assert len(data.train) == 3  # image 0 on its votes alone, 2 and 3; image 1 has nothing left
    np.testing.assert_allclose(data.train.targets[0], [0, 0, 0, 0.8, 0, 0, 0.2])
    assert [EMOTIONS[label] for label in data.train.labels[1:]] == ["fear", "happiness"]
    assert (len(data.valid), len(data.test)) == (1, 1)  # figures only against a trusted label, whatever the votes
    assert [(problem.file, problem.line) for problem in data.problems] == [(str(path), 1)]
    assert "match" in data.problems[0].reason


def test_all_targets_are_distributions(tmp_path: Path) -> None:
    arrays = npz_arrays((50, 7, 7), votes=True)
    arrays["ferplus_votes"] = np.random.default_rng(0).integers(0, 3, (64, 10)).astype(np.uint8)
    data = read_npz(tmp_path, arrays)
    for part in (data.train, data.valid, data.test):
        np.testing.assert_allclose(part.targets.sum(axis=1), 1, rtol=1e-6)
        assert part.targets.min() >= 0


@pytest.mark.parametrize("name", ["images", "fer2013_label", "fer2013_classes", "usage", "ferplus_classes"])
def test_a_missing_array_is_named(tmp_path: Path, name: str) -> None:
    arrays = npz_arrays(votes=True)
    del arrays[name]
    with pytest.raises(DatasetError, match=rf"my_fer2013\.npz is not FER2013: no array {name}"):
        read_npz(tmp_path, arrays)


N = 28
BROKEN: dict[str, list[Any]] = {
    "images": [np.zeros((N, 48, 48)), np.zeros((N, 32, 32), np.uint8), np.zeros((N, 48, 48, 3), np.uint8)],
    "fer2013_label": [np.full(N, 7), np.full(N, -1), np.zeros(N - 1, int), np.zeros(N), np.full(N, "happy")],
    "fer2013_classes": [np.array([*KAGGLE_CLASSES[:6], "contempt"]), np.array([*KAGGLE_CLASSES[:6], "bored"])],
    "usage": [np.array(["Training"] * (N - 1)), np.array(["train"] * N)],
    "match_sim": [np.ones(3)],
    "ferplus_votes": [np.zeros((N, 8)), np.zeros((N - 1, 10))],
}


@pytest.mark.parametrize(("name", "number"), [(name, i) for name, values in BROKEN.items() for i in range(len(values))])
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, name: str, number: int) -> None:
    arrays = {**npz_arrays(votes=True), name: BROKEN[name][number]}
    with pytest.raises(DatasetError, match=r"my_fer2013\.npz"):
        read_npz(tmp_path, arrays)


@pytest.mark.parametrize("usage", USAGES)
def test_a_split_without_images_is_refused(tmp_path: Path, usage: str) -> None:
    arrays = npz_arrays()
    arrays["usage"][arrays["usage"] == usage] = "Training" if usage != "Training" else "PublicTest"
    with pytest.raises(DatasetError, match=f"no usable image with usage {usage}"):
        read_npz(tmp_path, arrays)


def test_a_file_without_any_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no usable image"):
        read_npz(tmp_path, {key: value[:0] if len(value) == N else value for key, value in npz_arrays().items()})


@pytest.mark.parametrize("kind", ["text", "cut short", "npy", "pickle", "empty"])
def test_files_that_are_no_archive(tmp_path: Path, kind: str) -> None:
    path = write_npz(tmp_path / "fer2013.npz", npz_arrays())
    if kind == "text":
        path.write_text("not an archive")
    elif kind == "cut short":
        path.write_bytes(path.read_bytes()[:-500])
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "pickle":
        np.savez(path, images=np.array([{}], dtype=object))
    elif kind == "empty":
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"cannot read .*fer2013\.npz"):
        read_dataset("fer2013", path)


def test_damaged_bytes_inside_the_archive(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "fer2013.npz", npz_arrays())
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"cannot read .*fer2013\.npz"):
        read_dataset("fer2013", path)


GOOD_ROWS = [csv_row(label, 10 * label, USAGES[number % 3]) for number, label in enumerate([3, 0, 6] * 2)]


def test_kaggle_csv(tmp_path: Path) -> None:
    data = read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", GOOD_ROWS))
    assert (len(data.train), len(data.valid), len(data.test)) == (2, 2, 2)
    assert [EMOTIONS[part.labels[0]] for part in (data.train, data.valid, data.test)] == [
        "happiness",
        "anger",
        "neutral",
    ]
    assert (data.train.images == 30).all() and data.train.images.shape == (2, 48, 48)
    np.testing.assert_array_equal(data.train.targets, np.eye(7, dtype=np.float32)[[3, 3]])
    assert data.problems == () and "FER+" not in data.terms


def test_pixels_of_the_csv_run_along_the_rows(tmp_path: Path) -> None:
    pixels = " ".join(str(number % 256) for number in range(48 * 48))
    data = read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", [*GOOD_ROWS, csv_row(1, pixels, "Training")]))
    np.testing.assert_array_equal(data.train.images[2].ravel(), np.arange(48 * 48) % 256)


def test_csv_with_windows_line_ends_a_byte_order_mark_and_other_column_order(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    rows = [",".join(reversed(row.split(","))) for row in GOOD_ROWS]
    path.write_bytes(("\ufeff" + "\r\n".join(["Usage,pixels,emotion", *rows])).encode())
    data = read_dataset("fer2013", path)
    assert (len(data.train), data.problems) == (2, ())


BAD_ROWS = {
    csv_row(3, "1 2 3", "Training"): "3 pixels, expected 2304",
    csv_row(3, "", "Training"): "0 pixels",
    csv_row(3, " ".join(["0"] * 2303 + ["256"]), "Training"): "pixels from 0 to 256",
    csv_row(3, " ".join(["0"] * 2303 + ["-1"]), "Training"): "pixels from -1 to 0",
    csv_row(3, " ".join(["0"] * 2303 + ["x"]), "Training"): "'x'",
    csv_row(3, " ".join(["0"] * 2303 + ["9" * 30]), "Training"): "too large",
    csv_row(7, 0, "Training"): "emotion is '7'",
    csv_row(-1, 0, "Training"): "emotion is '-1'",
    csv_row("happy", 0, "Training"): "emotion is 'happy'",
    csv_row(3, 0, "Test"): "Usage is 'Test'",
    csv_row(3, 0, ""): "Usage is ''",
    "3": "Usage is ''",
    ",,": "emotion is ''",
}


@pytest.mark.parametrize("row", BAD_ROWS, ids=list(BAD_ROWS.values()))
def test_bad_rows_are_left_out_and_named_by_line(tmp_path: Path, row: str) -> None:
    path = write_csv(tmp_path / "fer2013.csv", [GOOD_ROWS[0], "", row, *GOOD_ROWS[1:]])
    data = read_dataset("fer2013", path)
    assert (len(data.train), len(data.valid), len(data.test)) == (2, 2, 2)
    (problem,) = data.problems
    assert (problem.file, problem.line) == (str(path), 4)  # header, good row, empty line, bad row
    assert BAD_ROWS[row] in problem.reason


def test_csv_without_the_columns(tmp_path: Path) -> None:
    for header in ("label,pixels,Usage", "3,1 2 3,Training"):
        with pytest.raises(DatasetError, match=r"fer2013\.csv:1: expected the columns emotion,pixels,Usage"):
            read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", GOOD_ROWS, header))
    (tmp_path / "fer2013.csv").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"fer2013\.csv:1"):
        read_dataset("fer2013", tmp_path)


def test_csv_that_is_no_text(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "fer2013.csv", GOOD_ROWS)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\x00" * 50)
    with pytest.raises(DatasetError, match=r"fer2013\.csv"):
        read_dataset("fer2013", path)


def test_csv_without_rows_for_a_split(tmp_path: Path) -> None:
    rows = [row for row in GOOD_ROWS if not row.endswith("PublicTest")]
    with pytest.raises(DatasetError, match="no usable row with Usage PublicTest"):
        read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", rows))


def test_the_file_is_found_in_its_folder(tmp_path: Path) -> None:
    nested = tmp_path / "download" / "fer2013"
    nested.mkdir(parents=True)
    write_csv(nested / "fer2013.csv", GOOD_ROWS)
    assert len(read_dataset("fer2013", tmp_path).train) == 2
    write_npz(tmp_path / "fer2013_plus.npz", npz_arrays())
    with pytest.raises(DatasetError, match="more than one") as caught:
        read_dataset("fer2013", tmp_path)
    assert "download/fer2013/fer2013.csv" in caught.value.message


def test_roots_where_there_is_no_fer2013(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    for root, message in (
        (tmp_path, "no FER2013"),
        (tmp_path / "notes.txt", "no FER2013"),
        (tmp_path / "x", "no such"),
    ):
        with pytest.raises(DatasetError, match=message) as caught:
            read_dataset("fer2013", root)
        assert str(root) in caught.value.message and caught.value.hint


def test_a_data_set_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown data set 'fer2014'") as caught:
        read_dataset("fer2014", tmp_path)
    assert "fer2013" in caught.value.hint


def test_the_real_file() -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL.name} is not here")
    with np.load(REAL) as archive:
        usage, match = archive["usage"], archive["match_sim"]
    counts = {name: int((usage == name).sum()) for name in USAGES}
    assert counts == {"Training": 28_561, "PublicTest": 3_579, "PrivateTest": 3_574}
    poor = {name: int(((usage == name) & (match < MIN_MATCH)).sum()) for name in USAGES}
    assert sum(poor.values()) == 115
    data = read_dataset("fer2013", REAL)
    assert len(data.train) + len(data.problems) == counts["Training"]  # votes stand in for a label
    assert len(data.valid) == counts["PublicTest"] - poor["PublicTest"]
    assert len(data.test) == counts["PrivateTest"] - poor["PrivateTest"]
    np.testing.assert_allclose(data.train.targets.sum(axis=1), 1, rtol=1e-5)
    happy = EMOTIONS.index("happiness")
    assert np.bincount(data.valid.labels).argmax() == happy
    agree = (data.train.targets.argmax(axis=1) == data.train.labels).mean()
    assert 0.8 < agree < 1  # votes and labels name the same classes
