"""Readers of data sets of emotional speech in their official layouts.

Classes that are not emotions, such as boredom or frustration, are left out; `calm` stays a class of its own, which
counts as neutral in annotations.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fercli.errors import ConfigError, DatasetError
from fercli.learn.voice.clips import Clip, files_under


def read_clips(name: str, root: Path) -> list[Clip]:
    """The clips of a data set, sorted by file.

    Raises:
        ConfigError: no such data set.
        DatasetError: its files are not there, or cannot be read.
    """
    if name not in DATASETS:
        raise ConfigError(
            f"unknown data set of voices {name!r}", hint=f"known: {', '.join(DATASETS)}", code="name-unknown"
        )
    return DATASETS[name](root)


def terms(name: str) -> str:
    """Training data and terms of use, for the header of a classifier."""
    return TERMS.get(name, name)


@dataclass(frozen=True)
class Named:
    """A data set whose files say label and speaker by their names.

    Attributes:
        name: as its authors write it. example: a file of it.
        pattern: matches the name of a file behind its directory, without the suffix; groups `label` and `speaker`.
        labels: label in the name -> class; files with others are left out.
        chosen: which of the files are read.
    """

    name: str
    example: str
    pattern: str
    labels: Mapping[str, str]
    chosen: Callable[[list[Path]], list[Path]] = list

    def read(self, root: Path) -> list[Clip]:
        """The clips under a directory; raises DatasetError if there are none."""
        found = []
        for path in self.chosen(files_under(root)):
            match = re.fullmatch(self.pattern, f"{path.parent.name}/{path.stem}")
            if match and match["label"] in self.labels:
                found.append(Clip(path, self.labels[match["label"]], match["speaker"]))
        return _there(found, self.name, self.example)


def _sound_before_video(files: list[Path]) -> list[Path]:
    """Without the videos of utterances of which there is a file of sound."""
    heard = {path.stem[3:] for path in files if path.stem.startswith("03-")}
    return [path for path in files if path.stem.startswith("03-") or path.stem[3:] not in heard]


def _once(files: list[Path]) -> list[Path]:
    """One file of each name: the archive of TESS holds itself a second time."""
    return [*{path.name: path for path in reversed(files)}.values()][::-1]


NAMED = {
    "ravdess": Named(  # Livingstone and Russo 2018; speech only, no songs
        "RAVDESS",
        "Actor_01/03-01-06-01-02-01-01.wav",
        r".*/0[13]-01-(?P<label>0[1-8])-0[12]-0[12]-0[12]-(?P<speaker>\d\d)",
        {
            "01": "neutral",
            "02": "calm",
            "03": "happiness",
            "04": "sadness",
            "05": "anger",
            "06": "fear",
            "07": "disgust",
            "08": "surprise",
        },
        _sound_before_video,
    ),
    "emodb": Named(  # Burkhardt et al. 2005; the sixth letter is that of the German name
        "EmoDB",
        "wav/03a01Fa.wav",
        r".*/(?P<speaker>\d\d)[ab]\d\d(?P<label>[A-Z])[a-z]?",
        {"W": "anger", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral"},
    ),
    "cremad": Named(  # Cao et al. 2014
        "CREMA-D",
        "AudioWAV/1001_DFA_ANG_XX.wav",
        r".*/(?P<speaker>\d{4})_[A-Z]{3}_(?P<label>[A-Z]{3})_[A-Z]{2}",
        {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "SAD": "sadness", "NEU": "neutral"},
    ),
    "savee": Named(  # Haq and Jackson 2009; the speaker is the directory, or stands in front
        "SAVEE",
        "AudioData/DC/sa01.wav, or ALL/DC_sa01.wav",
        r"(?:.*/)?(?P<speaker>DC|JE|JK|KL)[/_](?P<label>[a-z]+)\d\d",
        {
            "a": "anger",
            "d": "disgust",
            "f": "fear",
            "h": "happiness",
            "n": "neutral",
            "sa": "sadness",
            "su": "surprise",
        },
    ),
    "tess": Named(  # Pichora-Fuller and Dupuis 2020; `ps` is pleasant surprise, and one name begins with OA_
        "TESS",
        "OAF_angry/OAF_back_angry.wav",
        r".*/(?P<speaker>OA|YA)F?_\w+_(?P<label>[a-z]+)",
        {
            "angry": "anger",
            "disgust": "disgust",
            "fear": "fear",
            "happy": "happiness",
            "neutral": "neutral",
            "ps": "surprise",
            "sad": "sadness",
        },
        _once,
    ),
}


_LINE = re.compile(r"\[[\d.]+ - [\d.]+\]\t(Ses\d\d[FM]_\w+)\t(\w+)\t")


def iemocap(root: Path) -> list[Clip]:
    """Busso et al. 2008: `Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav` with the labels of
    `Session1/dialog/EmoEvaluation/Ses01F_impro01.txt`; excitement counts as happiness, frustration is left out."""
    labels = {
        "ang": "anger",
        "dis": "disgust",
        "fea": "fear",
        "hap": "happiness",
        "exc": "happiness",
        "sad": "sadness",
        "sur": "surprise",
        "neu": "neutral",
    }
    known: dict[str, str] = {}
    for path in sorted(root.glob("Session*/dialog/EmoEvaluation/*.txt")):
        known.update(dict(_LINE.findall(path.read_text(encoding="utf-8", errors="replace"))))

    found = []
    for path in files_under(root):
        label = labels.get(known.get(path.stem, "")) if "sentences" in path.parts else None
        if label:
            found.append(Clip(path, label, f"{path.stem[:5]}{path.stem[-4]}"))
    return _there(found, "IEMOCAP", "Session1/sentences/wav/*/*.wav and Session1/dialog/EmoEvaluation/*.txt")


def meld(root: Path) -> list[Clip]:
    """Poria et al. 2019: `train_sent_emo.csv` with `train_splits/dia0_utt0.mp4`, and `dev` and `test` likewise; the
    tables may also lie in `train/`, `dev/` and `test/`."""
    folders = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
    found = []
    for name, folder in folders.items():
        table = next((path for path in sorted(root.rglob(f"{name}_sent_emo.csv"))), None)
        files = {path.stem: path for path in sorted(root.rglob("dia*_utt*.*")) if folder in path.parts}
        if table is not None and files:
            found += _meld_split(table, files, {"dev": "valid"}.get(name, name))
    return _there(found, "MELD", "train_sent_emo.csv and train_splits/dia0_utt0.mp4")


def _meld_split(table: Path, files: dict[str, Path], split: str) -> list[Clip]:
    labels = {"joy": "happiness"}
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = [
                (f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}", row["Emotion"].lower(), row["Speaker"])
                for row in csv.DictReader(file)
            ]
    except (KeyError, AttributeError, csv.Error) as error:
        raise DatasetError(f"{table} is not a table of MELD: {error}", hint="download it again") from error
    return [
        Clip(files[name], labels.get(label, label), speaker, split) for name, label, speaker in rows if name in files
    ]


def _there(found: list[Clip], name: str, layout: str) -> list[Clip]:
    """The clips; raises DatasetError if there are none."""
    if not found:
        raise DatasetError(f"no clip of {name} is there", hint=f"its layout is {layout}")
    return found


DATASETS: dict[str, Callable[[Path], list[Clip]]] = {
    **{name: one.read for name, one in NAMED.items()},
    "iemocap": iemocap,
    "meld": meld,
}
"""Name -> its reader."""
TERMS = {
    "ravdess": "RAVDESS (Livingstone and Russo 2018), CC BY-NC-SA 4.0: not for commercial use",
    "emodb": "EmoDB (Burkhardt et al. 2005)",
    "cremad": "CREMA-D (Cao et al. 2014), ODbL",
    "savee": "SAVEE (Haq and Jackson 2009): research use",
    "tess": "TESS (Pichora-Fuller and Dupuis 2020), CC BY-NC-ND 4.0: not for commercial use",
    "iemocap": "IEMOCAP (Busso et al. 2008): research use",
    "meld": "MELD (Poria et al. 2019), scenes of Friends: research use",
}
