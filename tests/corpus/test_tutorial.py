"""docs/corpus_tutorial.md, with the real networks, on the material of `examples/make_talk_show.py`."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import pytest

from examples.make_talk_show import HOST_FRAMES, VIDEOS, make_talk_show
from fercli.cli.entry import main
from fercli.corpus.manifest import read_manifest
from fercli.hashing import digest
from tests.doc_pages import DOCS, command_lines

pytestmark = pytest.mark.slow
PAGE = DOCS / "corpus_tutorial.md"


def members_of(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_the_tutorial_gives_a_corpus_of_the_host_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_talk_show(Path("show"))
    lines = list(command_lines(PAGE.read_text(encoding="utf-8")))
    assert [words[:2] for words in lines] == [
        ["gallery", "make"],
        ["dataset", "build"],
        ["dataset", "rebuild"],
        ["dataset", "export"],
        ["dataset", "pick"],
    ]
    for words in lines:
        jobs = ["--jobs", "1"] if words[1] in ("build", "rebuild") else []
        assert main([*words, *jobs]) == 0, words
    with Path("people/Host/removed.csv").open(newline="") as file:
        removed = {Path(row["source"]).stem: row["reason"] for row in csv.DictReader(file)}
    assert removed.pop("guest") == "another person"
    assert set(removed.values()) <= {"double"}

    clips = read_manifest(Path("corpus/manifest.parquet"))
    assert {clip.video for clip in clips} == {f"{number}.mp4" for number in range(1, VIDEOS + 1)}
    assert {clip.person for clip in clips} == {"Host"}
    assert all(clip.first_frame + clip.frames <= HOST_FRAMES and clip.seconds >= 1 for clip in clips)
    splits = {video: {clip.split for clip in clips if clip.video == video} for video in {clip.video for clip in clips}}
    assert all(len(found - {"left-out"}) <= 1 for found in splits.values())
    for name in ("clips", "faces", "frames"):
        assert digest(Path("corpus", name)) == digest(Path("again", name))
    exported = [clip for clip in clips if clip.split != "left-out"]
    members = [name for path in Path("shards").iterdir() for name in members_of(path)]
    assert sum(name.endswith(".json") for name in members) == len(exported) > 0
    assert len(json.loads(Path("project/tasks.json").read_text())) == min(10, len(exported))
