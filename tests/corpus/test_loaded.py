"""What `dataset build` and `dataset export` write, loaded by the libraries of the field, by value."""

from __future__ import annotations

import io
import json
import sys
import wave
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fercli.corpus.clip_files import write_clips
from fercli.corpus.croissant import croissant
from fercli.corpus.exports import export
from fercli.corpus.finish import About, finish
from fercli.corpus.manifest import Clip, write_manifest
from fercli.hashing import sha256_file
from fercli.media.images import read_image
from fercli.media.index import read_index
from fercli.progress import Silent
from tests.corpus.corpora import SOUND, clip, film, samples_of


@pytest.fixture(scope="module")
def clips_and_corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Clip], Path]:
    """Three clips: what is said in the first one is not known, those of the first split are annotated manually."""
    folder = tmp_path_factory.mktemp("loaded")
    video = film(folder / "film.mkv")
    clips = [
        clip(video, 0, 10, "a", emotion="anger", score=None, manual=True),
        clip(video, 10, 12, "b", speech_s=0.0, score=None, manual=True),
        clip(video, 30, 15, "c", split="test", speech_s=0.4, text="Grüße!"),
    ]
    write_clips(video, read_index(video), clips, folder / "corpus", Silent())
    write_manifest(folder / "corpus/manifest.parquet", clips)
    return clips, folder / "corpus"


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The library, offline. It imports the encoder of torchcodec, which needs ffmpeg, even where nothing is encoded."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    library: ModuleType = pytest.importorskip("datasets", reason="no Hugging Face datasets: pip install datasets")
    encoders = ModuleType("torchcodec.encoders")
    encoders.AudioEncoder = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.encoders", encoders)
    return library


def load(library: ModuleType, kind: str, folder: Path, tmp_path: Path) -> Any:
    return library.load_dataset(kind, data_dir=str(folder), cache_dir=str(tmp_path / "cache"))


@pytest.mark.slow
def test_hugging_face_loads_the_pictures(
    clips_and_corpus: tuple[list[Clip], Path], datasets: ModuleType, tmp_path: Path
) -> None:
    clips, corpus = clips_and_corpus
    export(corpus, "imagefolder", tmp_path / "out")
    found = load(datasets, "imagefolder", tmp_path / "out", tmp_path)
    assert set(found) == {"train", "test"}
    rows = [*found["train"], *found["test"]]
    assert [(row["id"], row["frame"]) for row in rows] == [(one.id, face.frame) for one in clips for face in one.faces]
    for row in rows:
        expected = read_image(corpus / f"frames/{row['id']}/{row['frame']:06d}.jpg")
        assert np.array_equal(np.asarray(row["image"]), expected)
    last = rows[-1]
    assert (last["label"], last["speech_s"], last["score"], last["manual"]) == ("happiness", 0.4, 0.8, False)
    assert (last["text"], last["rate"]) == ("Grüße!", 48_000)
    assert (rows[0]["label"], rows[0]["speech_s"], rows[0]["score"], rows[0]["manual"]) == ("anger", None, None, True)


@pytest.mark.slow
def test_hugging_face_loads_the_sound(
    clips_and_corpus: tuple[list[Clip], Path], datasets: ModuleType, tmp_path: Path
) -> None:
    clips, corpus = clips_and_corpus
    export(corpus, "audiofolder", tmp_path / "out")
    found = load(datasets, "audiofolder", tmp_path / "out", tmp_path)
    rows = [
        row for split in ("train", "test") for row in found[split].cast_column("audio", datasets.Audio(decode=False))
    ]
    assert [(row["id"], row["samples"]) for row in rows] == [(one.id, one.samples) for one in clips]
    for row in rows:
        assert np.array_equal(samples_of(Path(row["audio"]["path"])), samples_of(corpus / f"sound/{row['id']}.wav"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_loads_the_shards(clips_and_corpus: tuple[list[Clip], Path], tmp_path: Path) -> None:
    library = pytest.importorskip("webdataset", reason="no webdataset: pip install webdataset")
    clips, corpus = clips_and_corpus
    export(corpus, "webdataset", tmp_path / "out")
    rows = [
        row
        for split in ("train", "test")
        for row in library.WebDataset(str(tmp_path / f"out/{split}-000000.tar"), shardshuffle=False).decode()
    ]
    assert [(row["__key__"], row["json"]["label"], row.get("txt")) for row in rows] == [
        ("a", "anger", None),
        ("b", "happiness", "\n"),
        ("c", "happiness", "Grüße!\n"),
    ]
    for row, one in zip(rows, clips, strict=True):
        assert row["mp4"] == (corpus / f"clips/{one.id}.mp4").read_bytes()
        assert row["face.mp4"] == (corpus / f"faces/{one.id}.mp4").read_bytes()
        with wave.open(io.BytesIO(row["wav"])) as file:
            assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (*SOUND.values(), one.samples)


def test_the_description_names_the_manifest_and_its_columns(clips_and_corpus: tuple[list[Clip], Path]) -> None:
    clips, corpus = clips_and_corpus
    content = json.loads(croissant(corpus, clips, "CC BY 4.0"))
    files = {one["@id"]: one for one in content["distribution"]}
    assert files["manifest.parquet"]["sha256"] == sha256_file(corpus / "manifest.parquet")
    assert len(list(corpus.glob(files["frames"]["includes"]))) == sum(len(one.faces) for one in clips)
    columns, frames = content["recordSet"]
    assert {field["name"]: field["dataType"] for field in columns["field"]}["samples"] == "sc:Integer"
    assert [field["name"] for field in frames["field"]] == ["image", "clip", "number"]
    assert content["license"] == "CC BY 4.0"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib
def test_mlcroissant_loads_clips_and_pictures(clips_and_corpus: tuple[list[Clip], Path]) -> None:
    library = pytest.importorskip("mlcroissant", reason="no mlcroissant: pip install mlcroissant")
    clips, corpus = clips_and_corpus
    (corpus / "work").mkdir(exist_ok=True)
    finish(corpus, clips, About("video", "CC BY 4.0"))
    data = library.Dataset(str(corpus / "croissant.json"))
    assert not data.metadata.ctx.issues.errors
    rows = list(data.records("clip"))
    assert [row["clip/id"].decode() for row in rows] == [one.id for one in clips]
    assert [row["clip/samples"] for row in rows] == [one.samples for one in clips]
    assert [row["clip/end_s"] for row in rows] == [one.end_s for one in clips]
    assert rows[2]["clip/text"].decode() == "Grüße!" and rows[0]["clip/manual"] is True
    frames = {(row["frame/clip"].decode(), row["frame/number"]): row["frame/image"] for row in data.records("frame")}
    assert set(frames) == {(one.id, face.frame) for one in clips for face in one.faces}
    assert np.array_equal(np.asarray(frames["b", 15]), read_image(corpus / "frames/b/000015.jpg"))
