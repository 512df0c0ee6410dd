"""FER2013 from invented files in the real layout, and the real one where it is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fercli.errors import ConfigError, DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import read_dataset
from fercli.learn.datasets.fer2013_files import KAGGLE_CLASSES, MIN_MATCH
from fercli.learn.datasets.ferplus_votes import VOTE_COLUMNS
from tests.failing import fails
from tests.learn.datasets.faces import (
    FERPLUS_CLASSES,
    USAGES,
    csv_row,
    npz_arrays,
    vote_row,
    write_csv,
    write_npz,
    write_votes,
)

REAL = Path(__file__).parents[3] / ".." / "shared" / "data" / "fer2013_ferplus.npz"


def read_npz(tmp_path: Path, arrays: dict[str, Any]):  # type: ignore[no-untyped-def]
    return read_dataset("fer2013", write_npz(tmp_path / "my_fer2013.npz", arrays))


def votes(**counts: int) -> list[int]:
    return [counts.get(name, 0) for name in FERPLUS_CLASSES]


def test_splits_follow_usage_and_labels_follow_the_canonical_order(tmp_path: Path) -> None:
    arrays = npz_arrays((8, 3, 2))
    data = read_npz(tmp_path, arrays)
    assert (len(data.train), len(data.valid), len(data.test)) == (8, 3, 2)
    assert data.train.main.classes == data.valid.main.classes == data.test.main.classes == EMOTIONS
    assert data.problems == ()
    for part, usage in ((data.train, "Training"), (data.valid, "PublicTest"), (data.test, "PrivateTest")):
        np.testing.assert_array_equal(part.images[:, 0], arrays["images"][arrays["usage"] == usage])
        np.testing.assert_array_equal(part.main.targets, np.eye(7)[part.main.labels])
        assert (part.images.dtype, part.main.targets.dtype, part.main.labels.dtype) == (np.uint8, np.float32, np.int64)
    names = [EMOTIONS[label] for label in data.train.main.labels]
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
    np.testing.assert_array_equal(moved.train.main.labels, plain.train.main.labels)
    np.testing.assert_array_equal(moved.train.main.targets, plain.train.main.targets)


def test_label_and_votes_are_two_labellings_of_the_same_faces(tmp_path: Path) -> None:
    arrays = npz_arrays((2, 1, 1), votes=True)  # the first image is angry, the second disgusted
    arrays["ferplus_votes"][0] = votes(anger=3, contempt=2)
    data = read_npz(tmp_path, arrays)
    assert list(data.train.labellings) == ["fer2013", "ferplus"]
    np.testing.assert_array_equal(data.train.main.targets, np.eye(7)[:2])
    plus = data.train.labellings["ferplus"]
    assert plus.classes == EMOTIONS_8
    np.testing.assert_allclose(plus.targets, np.array([[3 / 5, 0, 0, 0, 0, 0, 0, 2 / 5], [0] * 8]))
    assert plus.labels.tolist() == [0, -1]  # nobody voted on the second
    assert "FER+" in data.terms


def test_ferplus_is_the_same_with_the_votes_in_front(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "fer2013.npz", npz_arrays(votes=True))
    assert list(read_dataset("ferplus", path).train.labellings) == ["ferplus", "fer2013"]
    with fails(DatasetError, "dataset-not-found", "FER") as caught:
        read_dataset("ferplus", write_npz(path, npz_arrays()))
    assert "fer2013new.csv" in caught.value.hint


def test_columns_of_votes_are_understood_by_name(tmp_path: Path) -> None:
    arrays = npz_arrays((1, 1, 1), votes=True)
    arrays["ferplus_votes"][0] = votes(fear=10)
    order = np.arange(10)[::-1]
    arrays |= {
        "ferplus_votes": arrays["ferplus_votes"][:, order],
        "ferplus_classes": arrays["ferplus_classes"][order],
    }
    np.testing.assert_array_equal(read_npz(tmp_path, arrays).train.labellings["ferplus"].labels, [2])


MAJORITY: dict[str, tuple[dict[str, int], int]] = {
    "clear": ({"sadness": 6, "neutral": 4}, 4),
    "half is no majority": ({"sadness": 5, "neutral": 5}, -1),
    "single votes are slips": ({"sadness": 5, "neutral": 2, "fear": 1, "anger": 1, "disgust": 1}, 4),
    "unknown counts against": ({"sadness": 4, "unknown": 4, "neutral": 2}, -1),
    "unknown wins": ({"unknown": 8, "sadness": 2}, -1),
    "no face": ({"NF": 10}, -1),
    "nothing but slips": ({"sadness": 1, "fear": 1}, -1),
}


@pytest.mark.parametrize("case", MAJORITY)
def test_what_counts_as_a_majority(tmp_path: Path, case: str) -> None:
    counts, expected = MAJORITY[case]
    arrays = npz_arrays((1, 1, 1), votes=True)
    arrays["ferplus_votes"][:] = votes(**counts)
    plus = read_dataset("ferplus", write_npz(tmp_path / "fer2013.npz", arrays)).train.main
    assert plus.labels.tolist() == [expected]
    assert plus.targets.sum() in (pytest.approx(1), 0)


def test_labels_of_a_poor_match_are_not_used(tmp_path: Path) -> None:
    arrays = npz_arrays((4, 2, 2), votes=True)
    arrays["ferplus_votes"][0] = votes(happiness=8, neutral=2)
    arrays["ferplus_votes"][1] = votes(unknown=10)
    arrays["ferplus_votes"][4:] = votes(happiness=10)
    arrays["match_sim"][[0, 1, 4, 6]] = MIN_MATCH - 0.01
    arrays["match_sim"][2] = MIN_MATCH
    data = read_npz(tmp_path, arrays)
    assert len(data.train) == 3  # image 0 on its votes alone, 2 and 3; image 1 has nothing left
    np.testing.assert_array_equal(data.train.main.targets[0], np.zeros(7))
    np.testing.assert_allclose(data.train.labellings["ferplus"].targets[0], [0, 0, 0, 0.8, 0, 0, 0.2, 0])
    assert data.train.main.labels.tolist() == [-1, 2, 3]
    assert (data.valid.main.labels >= 0).tolist() == [False, True]  # no figure against a label that is not trusted
    (problem,) = data.problems
    assert problem.file == "my_fer2013.npz[1]" == "my_" + data.train.sources[0][3:-2] + "1]"
    assert "match" in problem.reason


def test_all_targets_are_distributions_or_nothing(tmp_path: Path) -> None:
    arrays = npz_arrays((50, 7, 7), votes=True)
    arrays["ferplus_votes"] = np.random.default_rng(0).integers(0, 3, (64, 10)).astype(np.uint8)
    data = read_npz(tmp_path, arrays)
    for part in (data.train, data.valid, data.test):
        for labelling in part.labellings.values():
            total = labelling.targets.sum(axis=1)
            np.testing.assert_allclose(total[total > 0], 1, rtol=1e-6)
            assert labelling.targets.min() >= 0 and (total > 0).any()
            assert ((labelling.labels >= 0) <= (total > 0)).all()


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
    with fails(DatasetError, "file-unreadable", "fer2013.npz"):
        read_dataset("fer2013", path)


def test_damaged_bytes_inside_the_archive(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "fer2013.npz", npz_arrays())
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)
    with fails(DatasetError, "file-unreadable", "fer2013.npz"):
        read_dataset("fer2013", path)


GOOD_ROWS = [csv_row(label, 10 * label, USAGES[number % 3]) for number, label in enumerate([3, 0, 6] * 2)]


def test_kaggle_csv(tmp_path: Path) -> None:
    data = read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", GOOD_ROWS))
    assert (len(data.train), len(data.valid), len(data.test)) == (2, 2, 2)
    assert [EMOTIONS[part.main.labels[0]] for part in (data.train, data.valid, data.test)] == [
        "happiness",
        "anger",
        "neutral",
    ]
    assert (data.train.images == 30).all() and data.train.images.shape == (2, 1, 48, 48)
    np.testing.assert_array_equal(data.train.main.targets, np.eye(7, dtype=np.float32)[[3, 3]])
    assert data.problems == () and "FER+" not in data.terms


def test_a_bad_row_of_the_csv_does_not_shift_the_votes(tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv", [GOOD_ROWS[0], csv_row(9, 0, "Training"), *GOOD_ROWS[1:]])
    kept = [row.split(",")[2] for row in GOOD_ROWS]
    usages = [kept[0], "Training", *kept[1:]]
    rows = [vote_row(n, usage, neutral=n, anger=9) for n, usage in enumerate(usages)]
    write_votes(tmp_path / "fer2013new.csv", rows)
    data = read_dataset("ferplus", tmp_path)
    assert data.valid.sources == ("fer2013.csv:4", "fer2013.csv:7")
    np.testing.assert_allclose(data.valid.main.targets[:, 6], [2 / 11, 5 / 14])  # neutral votes of rows 2 and 5
    assert len(data.problems) == 1 and "emotion is '9'" in data.problems[0].reason
    assert VOTE_COLUMNS[:8] == EMOTIONS_8


def test_folders_named_after_classes(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("test", 3)):
        for name in ("angry", "happy"):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 48), 10 * number, np.uint8))
    data = read_dataset("fer2013", tmp_path)
    assert (len(data.train), len(data.valid), len(data.test)) == (36, 4, 6)
    assert (data.name, data.face_scale, list(data.train.labellings)) == ("fer2013", 1.0, ["fer2013"])
    assert data.train.main.classes == ("anger", "happiness")


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
    with fails(DatasetError, "dataset-empty", "PublicTest"):
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


ICML_HEADER = "emotion, Usage, pixels"


def icml_rows(rows: list[str]) -> list[str]:
    """Rows of fer2013.csv in the order of columns of icml_face_data.csv."""
    return [",".join((emotion, usage, pixels)) for emotion, pixels, usage in (row.split(",") for row in rows)]


def test_the_file_of_the_challenge(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "icml_face_data.csv", icml_rows(GOOD_ROWS), ICML_HEADER)
    plain = read_dataset("fer2013", write_csv(tmp_path / "fer2013.csv", GOOD_ROWS))
    for root in (path, tmp_path):
        data = read_dataset("fer2013", root)
        for split in ("train", "valid", "test"):
            np.testing.assert_array_equal(data.part(split).images, plain.part(split).images)
            np.testing.assert_array_equal(data.part(split).main.labels, plain.part(split).main.labels)
        assert data.problems == ()
    assert data.notes == ("not read, because fer2013.csv has the same faces: icml_face_data.csv",)
    rows = [vote_row(n, row.split(",")[2], fear=10) for n, row in enumerate(GOOD_ROWS)]
    write_votes(tmp_path / "fer2013new.csv", rows)
    assert set(read_dataset("ferplus", path).part("all").main.labels) == {EMOTIONS_8.index("fear")}


def test_the_later_files_of_kaggle(tmp_path: Path) -> None:
    rows = [csv_row(n % 7, n, "").rstrip(",") for n in range(40)]
    write_csv(tmp_path / "train.csv", rows, "emotion,pixels")
    write_csv(tmp_path / "test.csv", ["7 " * 48 * 48] * 5, "pixels")
    for root in (tmp_path, tmp_path / "train.csv"):
        data = read_dataset("fer2013", root)
        assert (len(data.train), len(data.valid), len(data.test)) == (36, 4, 0)
        assert not data.official and data.problems == ()
        (dealt, unlabelled) = data.notes
        assert "train.csv has no split" in dealt and "test.csv has no labels" in unlabelled
    again = read_dataset("fer2013", tmp_path)
    assert again.valid.sources == data.valid.sources
    assert not set(data.train.sources) & set(data.valid.sources)
    with fails(DatasetError, "dataset-empty", "test.csv"):
        read_dataset("fer2013", tmp_path / "test.csv")
    with fails(DatasetError, "dataset-not-found", "FER"):
        read_dataset("ferplus", tmp_path)


def test_a_labelled_test_csv_is_the_test_part(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", [csv_row(n % 7, n, "").rstrip(",") for n in range(20)], "emotion,pixels")
    write_csv(tmp_path / "test.csv", [csv_row(3, 200, "").rstrip(",")], "emotion,pixels")
    data = read_dataset("fer2013", tmp_path)
    assert data.test.sources == ("test.csv:2",) and (data.test.images == 200).all()


def test_a_train_csv_of_another_set_is_no_fer2013(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("image,label\n1.jpg,3\n")
    with fails(DatasetError, "dataset-not-found", "FER2013"):
        read_dataset("fer2013", tmp_path)


def test_of_the_whole_download_the_whole_file_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "icml_face_data.csv", icml_rows(GOOD_ROWS), ICML_HEADER)
    write_csv(tmp_path / "train.csv", [csv_row(1, 9, "").rstrip(",")], "emotion,pixels")
    write_csv(tmp_path / "test.csv", ["9 " * 48 * 48], "pixels")
    data = read_dataset("fer2013", tmp_path)
    assert (len(data.train), len(data.valid), len(data.test)) == (2, 2, 2)
    assert data.notes == ("not read, because icml_face_data.csv has the same faces: train.csv, test.csv",)


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


def test_a_data_set_is_unknown(tmp_path: Path) -> None:
    with fails(ConfigError, "name-unknown", "'fer2014'") as caught:
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
    data = read_dataset("ferplus", REAL)
    parts = {"Training": data.train, "PublicTest": data.valid, "PrivateTest": data.test}
    assert sum(map(len, parts.values())) + len(data.problems) == sum(counts.values())
    for name, part in parts.items():
        assert (part.labellings["fer2013"].labels >= 0).sum() == counts[name] - poor[name]
    assert [int((part.main.labels >= 0).sum()) for part in parts.values()] == [25_060, 3_199, 3_153]
    both = (data.train.main.labels >= 0) & (data.train.labellings["fer2013"].labels >= 0)
    agree = (data.train.main.labels == data.train.labellings["fer2013"].labels)[both].mean()
    assert 0.6 < agree < 0.8  # the same classes, and not the same opinion
