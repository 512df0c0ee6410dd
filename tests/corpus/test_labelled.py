"""Clips that go to Label Studio, and labels that come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fercli.cli.entry import main
from fercli.corpus.labelled import read_labels, take_labels
from fercli.corpus.manifest import Clip, read_manifest, write_manifest
from fercli.corpus.picking import CANNOT_TELL, make_project, pick
from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.folder import read
from tests.corpus.corpora import clip
from tests.corpus.test_exports import save
from tests.failing import fails

SPLITS = {"a": "train", "b": "train", "c": "valid", "d": "test", "e": "left-out"}


def of(name: str, emotion: str, score: float | None, **values: Any) -> Clip:
    return clip(Path("e1.mp4"), 0, 25, name, emotion=emotion, score=score, split=SPLITS.get(name, "train"), **values)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    clips = [of(name, "happiness", 0.5) for name in SPLITS]
    for one in clips:
        save(folder, one)
    write_manifest(folder / "manifest.parquet", clips)
    return folder


def test_groups_take_turns_and_the_most_uncertain_come_first() -> None:
    clips = [of(f"h{k}", "happiness", 0.5 + k / 100) for k in range(5)] + [of("s0", "sadness", 0.9)]
    clips += [of("s1", "sadness", 0.4, person="Monica"), of("hm", "happiness", None, manual=True, person="Monica")]
    names = [one.id for one in pick(clips, 5, ["emotion", "person"], "uncertainty")]
    assert names == ["h0", "h1", "hm", "s0", "s1"]
    assert [one.id for one in pick(clips, 2, [], "uncertainty")] == ["h0", "s1"]
    assert len(pick(clips, 99, ["emotion"], "random")) == 8
    assert pick(clips, 3, [], "random") == pick(clips[::-1], 3, [], "random")


def test_what_cannot_be_picked_is_refused() -> None:
    for balance, by in ((["colour"], "random"), ([], "beauty")):
        with fails(ConfigError, "name-unknown"):
            pick([of("a", "anger", 0.5)], 1, balance, by)
    with fails(ConfigError, "option-out-of-range"):
        pick([], 0, [], "random")


def test_a_project_has_a_task_a_clip_and_asks_for_two_annotators(corpus: Path, tmp_path: Path) -> None:
    assert main(["dataset", "pick", str(corpus), "--pick", "3", "-o", str(tmp_path / "project")]) == 0
    tasks = json.loads((tmp_path / "project/tasks.json").read_text())
    assert [task["data"]["clip"] for task in tasks] == ["a", "b", "c"]
    for task in tasks:
        assert "predictions" not in task
        place = task["data"]["video"].partition("?d=")[2]
        assert (tmp_path / "project" / place).read_text() == f"clips/{task['data']['clip']}.mp4"
    project = json.loads((tmp_path / "project/project.json").read_text())
    assert project["maximum_annotations"] == 2
    choices = [choice.get("value") for choice in ElementTree.fromstring(project["label_config"]).iter("Choice")]
    assert choices[-1] == CANNOT_TELL and "happy" in choices and len(choices) == 8
    with fails(ConfigError, "output-exists"):
        make_project(corpus, tmp_path / "project", 3, [], "random")


def exported(path: Path, labels: dict[str, dict[int, str]]) -> Path:
    """What Label Studio writes; labels by clip and annotator."""
    tasks = [
        {
            "data": {"clip": name, "video": "x"},
            "annotations": [
                {
                    "completed_by": user,
                    "was_cancelled": label == "skipped",
                    "result": [
                        {"type": "choices", "from_name": "emotion", "to_name": "video", "value": {"choices": [label]}}
                    ],
                }
                for user, label in given.items()
            ],
        }
        for name, given in labels.items()
    ]
    path.write_text(json.dumps(tasks))
    return path


def test_labels_become_agreement_disagreements_and_a_data_set(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {
        "a": {1: "happy", 2: "happy"},
        "b": {1: "sad", 2: "angry"},
        "c": {1: "sad", 2: "sad"},
        "d": {1: CANNOT_TELL, 2: CANNOT_TELL},
        "e": {1: "happy", 2: "skipped"},
    }
    path = exported(tmp_path / "export.json", labels)
    assert main(["dataset", "labels", str(path), str(corpus), "-o", str(tmp_path / "out")]) == 0
    # Pairs: D_o = 2 / 8; of 8 labels 2 happy, 3 sad, 1 angry, 2 cannot tell: D_e = (64 - 4 - 9 - 1 - 4) / 56.
    assert f"alpha {1 - (2 / 8) / (46 / 56):.3f}, 1 disagreements" in capsys.readouterr().out
    lines = (tmp_path / "out/disagreements.csv").read_text().splitlines()
    assert lines[1:] == ["b,e1.mp4,0.000,Ross,happiness,,sadness,anger"]
    listing = read(tmp_path / "out")
    assert {(one.split, one.label, len(one.frames)) for one in listing.samples} == {
        ("train", "happiness", 2),
        ("valid", "sadness", 2),
    }


def test_the_card_gets_the_agreement(corpus: Path, tmp_path: Path) -> None:
    from fercli.corpus.finish import About, add_agreement, finish

    (corpus / "work").mkdir()
    finish(corpus, read_manifest(corpus / "manifest.parquet"), About("video", "CC0"))
    assert "not measured" in (corpus / "README.md").read_text()
    add_agreement(corpus, "Krippendorff's alpha 0.700.")
    card = (corpus / "README.md").read_text()
    assert "Krippendorff's alpha 0.700." in card and "CC0" in card and "not measured" not in card


def test_a_majority_of_three_decides(corpus: Path, tmp_path: Path) -> None:
    path = exported(tmp_path / "export.json", {"a": {1: "happy", 2: "happy", 3: "sad"}})
    found = take_labels(path, corpus, tmp_path / "out")
    assert (found.clips[0].majority, found.disagreements, found.usable) == ("happiness", 1, 1)


def test_other_exports_are_refused(corpus: Path, tmp_path: Path) -> None:
    clips = read_manifest(corpus / "manifest.parquet")
    path = tmp_path / "export.json"
    for content, code in (
        ("[]", "labels-missing"),
        ("no JSON", "dataset-unusable"),
        ('[{"data": {}}]', "dataset-unusable"),
        ('[{"data": {"clip": "z"}}]', "dataset-unusable"),
    ):
        path.write_text(content)
        with fails(DatasetError, code):
            read_labels(path, clips)
    with fails(DatasetError, "emotion-unknown", "glee"):
        read_labels(exported(path, {"a": {1: "glee"}}), clips)
