"""`evaluate`, `dataset`, `plot` and `explain` through `main`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.errors import EXIT_FOUND
from fercli.labels import EMOTIONS
from fercli.learn.datasets import DATASETS, framing
from fercli.learn.datasets.over_time import OVER_TIME
from fercli.models.weights import Head
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.models.tiny import write_tiny_classifier

KEYS = {"accuracy", "uar", "macro_f1", "weighted_f1", "ece", "n", "confusion"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_tiny_classifier(path, heads=(Head("ferplus", ("anger", "happiness")), Head("fer2013", EMOTIONS)))
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "fer2013.npz", npz_arrays((7, 7, 14)))


def test_figures_for_people_and_for_programs(weights: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evaluate", str(weights), "--dataset", "fer2013", "--root", str(root), "--device", "cpu"]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) >= KEYS
    assert (figures["n"], figures["split"], figures["head"], figures["dataset"]) == (14, "test", "fer2013", "fer2013")
    assert np.shape(figures["confusion"]) == (7, 7) and np.sum(figures["confusion"]) == 14
    assert figures["accuracy"] == pytest.approx(np.trace(figures["confusion"]) / 14)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert f"{figures['accuracy']:.4f}" in shown and "95 % interval" in shown and "true \\ predicted" in shown
    assert main([*command, "--split", "valid", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 7


def test_pictures_of_the_figures(weights: Path, root: Path, tmp_path: Path) -> None:
    command = ["evaluate", str(weights), "--dataset", "fer2013", "--root", str(root), "--device", "cpu", "--quiet"]
    assert main([*command, "--figures", str(tmp_path / "new" / "figures")]) == 0
    for name in ("confusion.png", "reliability.png"):
        picture = cv2.imread(str(tmp_path / "new" / "figures" / name))
        assert picture is not None and picture.std() > 5


def test_a_folder_of_pictures_is_scored_whole(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    for name in ("angry", "happy"):
        (tmp_path / name).mkdir()
        for number in range(3):
            cv2.imwrite(str(tmp_path / name / f"{number}.png"), np.full((40, 40), 60 * number, np.uint8))
    (tmp_path / "angry" / "broken.png").write_bytes(b"no picture")
    assert main(["evaluate", str(weights), "--dataset", "folder", "--root", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert (figures["n"], figures["split"], figures["classes"]) == (6, "all", ["anger", "happiness"])
    assert "warning: 1 samples could not be used" in captured.err and "broken.png" in captured.err
    command = ["evaluate", str(weights), "--dataset", "folder", "--root", str(tmp_path), "--strict"]
    assert main(command) == 3
    assert "broken.png" in capsys.readouterr().err


def test_annotations_against_ones_own_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        {"type": "emotion", "class": "happy", "seconds": 0.0, "end": 2.0, "object": "Ross"},
        {"type": "emotion", "class": "sad", "seconds": 2.0, "end": 4.0, "object": "Ross"},
    ]
    (tmp_path / "out.json").write_text(json.dumps(records))
    (tmp_path / "truth.csv").write_text("start,end,class,object\n0,1,happy,Ross\n1,4,sad,Ross\n")
    command = ["evaluate", str(tmp_path / "out.json"), "--truth", str(tmp_path / "truth.csv")]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["accuracy"] == pytest.approx(0.75) and figures["seconds"] == pytest.approx(4)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "Ross" in shown and "0.750" in shown and "4.0 s labelled" in shown


@pytest.mark.parametrize(("name", "count"), [("out.json", 1), ("out.jsonl", 1), ("out.csv", 1), ("plain.csv", 0)])
def test_manual_annotations_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, count: int
) -> None:
    machine = {"type": "emotion", "class": "happy", "seconds": 0.0, "end": 2.0, "object": "Ross"}
    human = {"type": "emotion", "class": "sad", "seconds": 2.0, "end": 4.0, "object": "Ross", "source": "human"}
    (tmp_path / "out.json").write_text(json.dumps({"format": "fercli-annotations", "segments": [machine, human]}))
    (tmp_path / "out.jsonl").write_text(json.dumps(machine) + "\n" + json.dumps(human) + "\n")
    (tmp_path / "out.csv").write_text("object;class;seconds;end;source\nA;happy;0;2;machine\nA;sad;2;4;human\n")
    (tmp_path / "plain.csv").write_text("start,end,class,object\n0,4,happy,human\n")
    (tmp_path / "truth.csv").write_text("start,end,class,object\n2,4,sad,Ross\n")
    assert main(["evaluate", str(tmp_path / name), "--truth", str(tmp_path / "truth.csv")]) == 0
    err = capsys.readouterr().err
    assert (f"{tmp_path / name} has manual annotations ({count})" in err) == (count > 0)
    assert ("has manual annotations" in err and "edits.jsonl" in err) == (count > 0)


def test_options_of_a_classifier_do_not_go_with_a_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("start,end,class\n0,4,happy\n")
    command = ["evaluate", str(tmp_path / "a.csv"), "--truth", str(tmp_path / "a.csv")]
    assert main([*command, "--dataset", "nonsense", "--figures", str(tmp_path / "figs"), "--split", "moon"]) == 2
    err = capsys.readouterr().err
    assert (
        "; --dataset, --split, --figures can only be used for a classifier\n" in err
        and "hint: leave out --truth" in err
    )
    assert main([*command, "--strict"]) == 2
    assert "; --strict can only be used for a classifier\n" in capsys.readouterr().err
    assert main(command) == 0


def test_a_data_set_with_something_wrong_ends_with_its_own_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    faces = np.random.default_rng(0).integers(0, 256, (8, 40, 40), dtype=np.uint8)
    (tmp_path / "happy").mkdir()
    for number, face in enumerate(faces):
        cv2.imwrite(str(tmp_path / "happy" / f"{number}.png"), face)
    command = ["dataset", "check", "folder", "--root", str(tmp_path)]
    assert main(command) == 0
    capsys.readouterr()
    broken = tmp_path / "happy" / "3.png"
    broken.write_bytes(b"no picture")
    assert main(command) == EXIT_FOUND
    shown = capsys.readouterr().out
    assert "samples that cannot be used: 1" in shown and f"\n  {broken} is not an image\n" in shown
    assert main([*command, "--json"]) == EXIT_FOUND
    assert [problem["file"] for problem in json.loads(capsys.readouterr().out)["problems"]] == [str(broken)]


def test_one_picture_in_two_classes_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    faces = np.random.default_rng(0).integers(0, 256, (12, 40, 40), dtype=np.uint8)
    for number, face in enumerate(faces):
        path = tmp_path / ("happy" if number % 2 else "sad") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), face)
    command = ["dataset", "check", "folder", "--root", str(tmp_path)]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["contradictions"] == []
    cv2.imwrite(str(tmp_path / "sad" / "again.png"), faces[1])
    assert main([*command, "--json"]) == EXIT_FOUND
    (found,) = json.loads(capsys.readouterr().out)["contradictions"]
    assert {(Path(found[which]).name, found[f"{which}_label"]) for which in ("first", "second")} == {
        ("1.png", "happiness"),
        ("again.png", "sadness"),
    }
    assert main(command) == EXIT_FOUND
    assert "pictures in more than one class: 1" in capsys.readouterr().out


def test_pictures_that_break_off_are_named_and_no_library_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    (tmp_path / "happy").mkdir()
    faces = np.random.default_rng(0).integers(0, 256, (8, 40, 40), dtype=np.uint8)
    for number, face in enumerate(faces):
        path = tmp_path / "happy" / f"{number}{'.jpg' if number % 2 else '.png'}"
        cv2.imwrite(str(path), face)
        if number in (2, 5):
            path.write_bytes(path.read_bytes()[:700])
    assert main(["dataset", "check", "folder", "--root", str(tmp_path), "--json", "--quiet"]) == EXIT_FOUND
    shown = capfd.readouterr()
    assert shown.err == ""
    assert {Path(problem["file"]).name for problem in json.loads(shown.out)["problems"]} == {"2.png", "5.jpg"}


def test_what_is_left_out_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, name in (("basic", "train_00001"), ("compound", "train_0001")):
        picture = tmp_path / folder / "Image" / "aligned" / f"{name}_aligned.jpg"
        picture.parent.mkdir(parents=True)
        cv2.imwrite(str(picture), np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8))
        (tmp_path / folder / "list_patition_label.txt").write_text(f"{name}.jpg 4\n")
    assert main(["dataset", "check", "raf", "--root", str(tmp_path)]) == 0
    assert f"not read: {tmp_path / 'compound'};" in capsys.readouterr().out
    assert main(["dataset", "check", "raf", "--root", str(tmp_path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["notes"]) == 1


def test_what_a_data_set_holds(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "check", "fer2013", "--root", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["fer2013"]["test"] == dict.fromkeys(EMOTIONS, 2)
    assert main(["dataset", "check", "fer2013", "--root", str(root)]) == 0
    shown = capsys.readouterr().out
    assert "samples that cannot be used: 0" in shown and "pictures in more than one split: 0" in shown
    assert main(["dataset", "list"]) == 0
    assert capsys.readouterr().out.split() == sorted({*DATASETS, *OVER_TIME})


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["WEIGHTS"], 2, "--dataset"),
        (["WEIGHTS", "--dataset", "fer2014", "--root", "ROOT"], 2, "known: affectnet"),
        (["WEIGHTS", "--dataset", "fer2013", "--root", "nowhere"], 3, "nowhere"),
        (["WEIGHTS", "--dataset", "fer2013", "--root", "ROOT", "--split", "dev"], 2, "train, valid, test, all"),
        (["no-such-model", "--dataset", "fer2013", "--root", "ROOT"], 5, "unknown classifier"),
        (["no.safetensors", "--dataset", "fer2013", "--root", "ROOT"], 5, "no.safetensors"),
        (["no.json", "--truth", "no.csv"], 3, "no.json"),
        (["WEIGHTS", "--dataset", "fer2013", "--root", "ROOT", "--lasting", "2"], 2, "--lasting"),
    ],
)
def test_what_cannot_be_scored(
    weights: Path, root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, named: str
) -> None:
    names = {"WEIGHTS": str(weights), "ROOT": str(root)}
    assert main(["evaluate", *(names.get(argument, argument) for argument in arguments)]) == code
    captured = capsys.readouterr()
    assert named in captured.err and captured.out == ""


def test_curves_of_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows = [{"epoch": n, "loss": 2 / n, "valid_accuracy": n / 9, "valid_uar": n / 10} for n in range(1, 5)]
        (tmp_path / name / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "curves.png"
    assert main(["plot", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"plot: {out}\n")
    assert cv2.imread(str(out)) is not None
    assert main(["plot", str(tmp_path / "c"), "-o", str(tmp_path / "other.png")]) in (2, 3)
    assert str(tmp_path / "c") in capsys.readouterr().err


SEED = [
    {"type": "emotion", "class": "happy", "seconds": 0.0, "object": "Ross"},
    {"type": "emotion", "class": "sad", "seconds": 2.0, "object": "Ross"},
    {"type": "speech", "class": "hello", "seconds": 2.5, "object": "Ross"},
    {"type": "emotion", "class": "angry", "seconds": 1.0, "object": "Rachel"},
]
"""Records without an end."""


@pytest.mark.parametrize("name", ["truth.json", "truth.jsonl"])
@pytest.mark.parametrize(
    ("options", "seconds", "accuracy"),
    [
        # Ross happy 0-2, sad 2-6; Rachel angry 1-5. Annotated: Ross happy 0-3, sad 3-8, Rachel angry 0-8.
        ([], 10.0, 9 / 10),
        # Ross happy 0-1, sad 2-3; Rachel angry 1-2
        (["--lasting", "1"], 3.0, 2 / 3),
        # three moments, of which Ross at 2 s is wrong
        (["--lasting", "0"], 0.03, 2 / 3),
    ],
)
def test_labels_without_an_end(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: list[str],
    seconds: float,
    accuracy: float,
) -> None:
    lines = [json.dumps(record) for record in SEED]
    (tmp_path / "truth.json").write_text(f"[{', '.join(lines)}]")
    (tmp_path / "truth.jsonl").write_text("\n".join(lines))
    (tmp_path / "out.csv").write_text("object,start,end,class\nRoss,0,3,happy\nRoss,3,8,sad\nRachel,0,8,angry\n")
    command = ["evaluate", str(tmp_path / "out.csv"), "--truth", str(tmp_path / name), "--json", *options]
    assert main(command) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures["seconds"] == pytest.approx(seconds) and figures["accuracy"] == pytest.approx(accuracy)
    assert "3 labels have no end" in captured.err and "1 of the records are of another type" in captured.err


def test_labels_without_an_end_do_not_outlast_the_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    segments = [{"type": "emotion", "class": "happy", "seconds": 0, "end": 3, "object": "Ross"}]
    document = {"format": "fercli-annotations", "segments": segments, "video": {"start_s": 0.5, "duration_s": 2.5}}
    (tmp_path / "out.json").write_text(json.dumps(document))
    (tmp_path / "truth.json").write_text(json.dumps([{"class": "happy", "seconds": 1, "object": "Ross"}]))
    assert main(["evaluate", str(tmp_path / "out.json"), "--truth", str(tmp_path / "truth.json"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["seconds"], figures["accuracy"]) == (2.0, 1.0)


@pytest.mark.parametrize("lasting", ["-1", "nan", "inf"])
def test_what_is_no_length_of_time(tmp_path: Path, lasting: str) -> None:
    (tmp_path / "a.csv").write_text("start,end,class\n0,4,happy\n")
    path = str(tmp_path / "a.csv")
    assert main(["evaluate", path, "--truth", path, f"--lasting={lasting}"]) == 2


def test_heat_maps_and_the_nearest_word_beside_the_scores(
    weights: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(weights), "--dataset", "fer2013", "--root", str(root), "--device", "cpu"]
    assert main([*command, "--consistency", "--word-head", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["consistency"]) == {"flip", "rotation", "crop", "scale"}
    assert figures["consistency"]["flip"]["faces"] == 14
    assert (figures["word_head"]["n"], figures["word_head"]["fitted"]) == (14, 7)
    assert main([*command, "--consistency", "--word-head"]) == 0
    shown = capsys.readouterr().out
    assert "heat maps under" in shown and "nearest word" in shown
    assert main([*command, "--word-head", "--split", "train"]) == 2
    assert main(["evaluate", "a.json", "--truth", "b.csv", "--consistency"]) == 2
