from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fercli.corpus.exports import export
from fercli.corpus.manifest import Clip, write_manifest
from fercli.errors import ConfigError, InputError
from tests.corpus.corpora import clip
from tests.failing import fails


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Four clips whose files hold their names."""
    folder = tmp_path / "corpus"
    episode, film = tmp_path / "e1.mp4", tmp_path / "film.mp4"
    clips = [
        clip(episode, 50, 25, "a", text="No.", emotion="anger"),
        clip(episode, 0, 25, "b"),
        clip(film, 0, 25, "c", split="test", samples=0, sha256="cd" * 32),
        clip(film, 50, 25, "d", split="left-out", sha256="cd" * 32),
    ]
    for one in clips:
        save(folder, one)
    write_manifest(folder / "manifest.parquet", clips)
    return folder


def save(folder: Path, one: Clip) -> None:
    files = [f"clips/{one.id}.mp4", f"faces/{one.id}.mp4", f"frames/{one.id}/000000.jpg", f"frames/{one.id}/000005.jpg"]
    files += [f"sound/{one.id}.wav"] if one.samples else []
    files += [f"text/{one.id}.txt"] if one.text else []
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}")


def test_imagefolder_has_the_frames_and_a_row_for_each(corpus: Path, tmp_path: Path) -> None:
    assert export(corpus, "imagefolder", tmp_path / "out") == 3
    rows = pq.read_table(tmp_path / "out/train/metadata.parquet").to_pylist()
    assert [(row["file_name"], row["frame"], row["label"]) for row in rows] == [
        ("a/000000.jpg", 0, "anger"),
        ("a/000005.jpg", 5, "anger"),
        ("b/000000.jpg", 0, "happiness"),
        ("b/000005.jpg", 5, "happiness"),
    ]
    for split in ("train", "test"):
        for row in pq.read_table(tmp_path / f"out/{split}/metadata.parquet").to_pylist():
            assert (tmp_path / "out" / split / row["file_name"]).read_text() == f"frames/{row['file_name']}"
    assert not list((tmp_path / "out").rglob("d"))


def test_audiofolder_has_the_clips_with_sound(corpus: Path, tmp_path: Path) -> None:
    assert export(corpus, "audiofolder", tmp_path / "out") == 2
    rows = pq.read_table(tmp_path / "out/train/metadata.parquet").to_pylist()
    assert [(row["file_name"], row["text"], row["person"]) for row in rows] == [
        ("a.wav", "No.", "Ross"),
        ("b.wav", "", "Ross"),
    ]
    assert not (tmp_path / "out/test").exists()


def test_webdataset_keeps_the_files_of_a_clip_together(corpus: Path, tmp_path: Path) -> None:
    export(corpus, "webdataset", tmp_path / "out")
    with tarfile.open(tmp_path / "out/train-000000.tar") as tar:
        names = tar.getnames()
        label = json.loads(tar.extractfile("a.json").read())["label"]  # type: ignore[union-attr]
        text = tar.extractfile("a.txt").read()  # type: ignore[union-attr]
    assert names == ["a.json", "a.mp4", "a.face.mp4", "a.wav", "a.txt", "b.json", "b.mp4", "b.face.mp4", "b.wav"]
    assert (label, text) == ("anger", b"No.\n")
    export(corpus, "webdataset", tmp_path / "again")
    assert (tmp_path / "again/train-000000.tar").read_bytes() == (tmp_path / "out/train-000000.tar").read_bytes()


def test_meld_counts_the_utterances_of_a_video_by_start(corpus: Path, tmp_path: Path) -> None:
    export(corpus, "meld", tmp_path / "out")
    with (tmp_path / "out/train_sent_emo.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [
        (row["Utterance"], row["Speaker"], row["Emotion"], row["Sentiment"], row["Utterance_ID"], row["StartTime"])
        for row in rows
    ] == [
        ("", "Ross", "joy", "positive", "0", "00:00:00,000"),
        ("No.", "Ross", "anger", "negative", "1", "00:00:02,000"),
    ]
    assert (tmp_path / "out/train_splits/dia0_utt1.mp4").read_text() == "clips/a.mp4"
    assert (tmp_path / "out/test_sent_emo.csv").is_file() and not (tmp_path / "out/dev_sent_emo.csv").exists()


def test_what_cannot_be_exported_is_refused(corpus: Path, tmp_path: Path) -> None:
    with fails(ConfigError, "name-unknown"):
        export(corpus, "zip", tmp_path / "out")
    with fails(ConfigError, "output-exists"):
        export(corpus, "meld", corpus)
    (corpus / "clips/b.mp4").unlink()
    with fails(InputError, "clips-missing", "1 of 4", "b"):
        export(corpus, "meld", tmp_path / "out")
    with fails(InputError, "file-missing"):
        export(tmp_path / "none", "meld", tmp_path / "out")
