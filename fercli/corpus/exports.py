"""A corpus in the layouts that other programs read.

    imagefolder  SPLIT/ID/N.jpg with SPLIT/metadata.parquet: Hugging Face `datasets`, `load_dataset("imagefolder", ...)`
    audiofolder  SPLIT/ID.wav with SPLIT/metadata.parquet: the same for sound
    webdataset   SPLIT-000000.tar with ID.mp4, ID.face.mp4, ID.wav, ID.json and, if it is known, ID.txt: WebDataset
    meld         train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv as of MELD (Poria et al. 2019), with
                 dia0_utt0.mp4 in folders beside them

Clips in the split `left-out` are in none of them. Files are linked where the file system can, and copied otherwise.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fercli.corpus.clip_files import CLIPS, FACES, FRAMES
from fercli.corpus.clip_sound import SOUND
from fercli.corpus.manifest import MANIFEST, SCHEMA, Clip, read_manifest
from fercli.corpus.splits import SHARES, TEST, TRAIN, VALID
from fercli.errors import ConfigError, InputError, command
from fercli.writing import OWNER_ONLY_DIRECTORY, new_file, write_atomically, writing

PER_SHARD = 1000
"""Clips in a tar file."""
_MELD = {TRAIN: ("train", "train_splits"), VALID: ("dev", "dev_splits_complete"), TEST: ("test", "output_splits")}
"""Split -> prefix of the CSV file, and folder of the clips."""
_MELD_COLUMNS = ["Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID"]
_MELD_COLUMNS += ["Season", "Episode", "StartTime", "EndTime"]
_MELD_EMOTIONS = {"happiness": "joy"}
_SENTIMENT = {"happiness": "positive", "neutral": "neutral", "surprise": ""}
"""All others are negative; surprise can be both, and MELD's annotators decided from the text."""
_COLUMNS = [field.name for field in fields(Clip) if field.name not in ("faces", "split")]
_SCHEMA = pa.schema([("file_name", pa.string()), ("label", pa.string()), *(SCHEMA.field(name) for name in _COLUMNS)])
"""The same in all splits, also where a column is empty: `load_dataset` takes the types of the first one for all."""
_FRAME_SCHEMA = _SCHEMA.insert(1, pa.field("frame", pa.int64()))


def export(corpus: Path, kind: str, output: Path) -> int:
    """Write a corpus in another layout; returns the number of clips.

    Args:
        corpus: folder of a corpus with its clips. kind: one of KINDS. output: a new or empty folder.

    Raises:
        ConfigError: the kind is unknown, or the output is not empty.
        InputError: there is no corpus, it has only the manifest, or no clip for this layout.
        OutputError: a file cannot be written.
    """
    if kind not in KINDS:
        raise ConfigError(f"unknown layout {kind!r}", hint=f"use one of {', '.join(KINDS)}", code="name-unknown")
    clips = read_corpus(corpus)
    with writing(output):
        if output.is_file() or (output.is_dir() and any(output.iterdir())):
            raise ConfigError(f"{output} is there already", hint="give a new folder with -o", code="output-exists")
        output.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
    clips = [clip for clip in clips if clip.split in SHARES and (kind != "audiofolder" or clip.samples)]
    if not clips:
        raise InputError(
            f"{corpus} has no clip for {kind}", hint="build it from videos with sound", code="corpus-empty"
        )
    for split in SHARES:
        own = [clip for clip in clips if clip.split == split]
        if own:
            with writing(output):
                KINDS[kind](corpus, own, split, output)
    return len(clips)


def read_corpus(corpus: Path) -> list[Clip]:
    """The clips of a corpus, all of which have their files.

    Raises:
        InputError: it is none, or clips are missing.
    """
    clips = read_manifest(corpus / MANIFEST)
    missing = [clip.id for clip in clips if not (corpus / CLIPS / f"{clip.id}.mp4").is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(clips)} clips are not in {corpus}, such as {missing[0]}",
            hint=f"run: {command('dataset', 'rebuild', corpus / MANIFEST, '--videos', 'DIR', '-o', corpus)}",
            code="clips-missing",
        )
    return clips


def link(source: Path, target: Path) -> None:
    """Another name for a file, or a copy on another file system; raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _row(clip: Clip) -> dict[str, Any]:
    """All of a clip but its faces, with its emotion as `label`."""
    return {"label": clip.emotion, **{name: getattr(clip, name) for name in _COLUMNS}}


def _imagefolder(corpus: Path, clips: Sequence[Clip], split: str, output: Path) -> None:
    rows = []
    for clip in clips:
        for file in sorted((corpus / FRAMES / clip.id).glob("*.jpg")):
            link(file, output / split / clip.id / file.name)
            rows.append({"file_name": f"{clip.id}/{file.name}", "frame": int(file.stem), **_row(clip)})
    _metadata(output / split, rows, _FRAME_SCHEMA)


def _audiofolder(corpus: Path, clips: Sequence[Clip], split: str, output: Path) -> None:
    for clip in clips:
        link(corpus / SOUND / f"{clip.id}.wav", output / split / f"{clip.id}.wav")
    _metadata(output / split, [{"file_name": f"{clip.id}.wav", **_row(clip)} for clip in clips], _SCHEMA)


def _metadata(folder: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    path = folder / "metadata.parquet"
    with new_file(path, private=True) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)


def _webdataset(corpus: Path, clips: Sequence[Clip], split: str, output: Path) -> None:
    """The files of a clip follow each other, and have its id up to the first dot as their key."""
    for number, start in enumerate(range(0, len(clips), PER_SHARD)):
        path = output / f"{split}-{number:06d}.tar"
        with new_file(path, private=True) as temporary, tarfile.open(temporary, "w") as tar:
            for clip in clips[start : start + PER_SHARD]:
                key = clip.id.replace(".", "-")
                _add(tar, f"{key}.json", json.dumps(_row(clip), ensure_ascii=False).encode())
                for place, suffix in (
                    (corpus / CLIPS / f"{clip.id}.mp4", "mp4"),
                    (corpus / FACES / f"{clip.id}.mp4", "face.mp4"),
                    (corpus / SOUND / f"{clip.id}.wav", "wav"),
                ):
                    if place.is_file():
                        _add(tar, f"{key}.{suffix}", place.read_bytes())
                if clip.transcribed:
                    _add(tar, f"{key}.txt", f"{clip.text}\n".encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A member without time or owner, so that the same clips give the same file."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _meld(corpus: Path, clips: Sequence[Clip], split: str, output: Path) -> None:
    """A dialogue is a video, an utterance a clip, by start."""
    prefix, folder = _MELD[split]
    videos = sorted({(clip.video, clip.sha256) for clip in clips})
    ordered = sorted(clips, key=lambda clip: (clip.video, clip.sha256, clip.start_s, clip.id))
    utterances = dict.fromkeys(videos, 0)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_MELD_COLUMNS)
    for number, clip in enumerate(ordered, 1):
        video = clip.video, clip.sha256
        dialogue, utterance = videos.index(video), utterances[video]
        utterances[video] += 1
        writer.writerow(
            [
                number,
                clip.text,
                clip.person,
                _MELD_EMOTIONS.get(clip.emotion, clip.emotion),
                _SENTIMENT.get(clip.emotion, "negative"),
                dialogue,
                utterance,
                "",
                clip.video,
                _clock(clip.start_s),
                _clock(clip.end_s),
            ]
        )
        link(corpus / CLIPS / f"{clip.id}.mp4", output / folder / f"dia{dialogue}_utt{utterance}.mp4")
    write_atomically(output / f"{prefix}_sent_emo.csv", text.getvalue().encode(), private=True)


def _clock(seconds: float) -> str:
    """`00:16:16,059`."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


KINDS: dict[str, Callable[[Path, Sequence[Clip], str, Path], None]] = {
    "imagefolder": _imagefolder,
    "audiofolder": _audiofolder,
    "webdataset": _webdataset,
    "meld": _meld,
}
