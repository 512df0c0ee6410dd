"""Readers of data sets of emotional speech in their official layouts.

Classes that are not emotions, such as boredom or frustration, are left out; `calm` stays a class of its own, which
counts as neutral in annotations.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

from fercli.errors import ConfigError, DatasetError
from fercli.learn.voice.clips import Clip, files_under

Parsed = tuple[str, str] | None
"""Label and speaker of a file; None for a file of another kind."""


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


def ravdess(root: Path) -> list[Clip]:
    """Livingstone and Russo 2018: `Actor_01/03-01-06-01-02-01-01.wav`; speech only, no songs. Video files are read
    where there is no sound file of the same utterance."""
    labels = ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")

    def parse(path: Path) -> Parsed:
        found = re.fullmatch(r"(0[13])-01-(0[1-8])-0[12]-0[12]-0[12]-(\d\d)", path.stem)
        return (labels[int(found[2]) - 1], found[3]) if found else None

    files = files_under(root)
    heard = {path.stem[3:] for path in files if path.stem.startswith("03-")}
    chosen = [path for path in files if path.stem.startswith("03-") or path.stem[3:] not in heard]
    return _named("RAVDESS", chosen, parse, "Actor_01/03-01-06-01-02-01-01.wav")


def emodb(root: Path) -> list[Clip]:
    """Burkhardt et al. 2005: `wav/03a01Fa.wav`, the sixth letter for the German name of the emotion; boredom is left
    out."""
    labels = {"W": "anger", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral"}

    def parse(path: Path) -> Parsed:
        found = re.fullmatch(r"(\d\d)[ab]\d\d([WLEAFTN])[a-z]?", path.stem)
        return (labels[found[2]], found[1]) if found and found[2] in labels else None

    return _named("EmoDB", files_under(root), parse, "wav/03a01Fa.wav")


def cremad(root: Path) -> list[Clip]:
    """Cao et al. 2014: `AudioWAV/1001_DFA_ANG_XX.wav`."""
    labels = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "SAD": "sadness", "NEU": "neutral"}

    def parse(path: Path) -> Parsed:
        found = re.fullmatch(r"(\d{4})_[A-Z]{3}_([A-Z]{3})_[A-Z]{2}", path.stem)
        return (labels[found[2]], found[1]) if found and found[2] in labels else None

    return _named("CREMA-D", files_under(root), parse, "AudioWAV/1001_DFA_ANG_XX.wav")


def savee(root: Path) -> list[Clip]:
    """Haq and Jackson 2009: `AudioData/DC/sa01.wav`, or `ALL/DC_sa01.wav`."""
    labels = {
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    }

    def parse(path: Path) -> Parsed:
        found = re.fullmatch(r"(?:(DC|JE|JK|KL)_)?(sa|su|[adfhn])\d\d", path.stem)
        speaker = (found[1] or path.parent.name) if found else ""
        return (labels[found[2]], speaker) if found and speaker in ("DC", "JE", "JK", "KL") else None

    return _named("SAVEE", files_under(root), parse, "AudioData/DC/sa01.wav")


def tess(root: Path) -> list[Clip]:
    """Pichora-Fuller and Dupuis 2020: `OAF_angry/OAF_back_angry.wav`; `ps` is pleasant surprise."""
    labels = {
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",
        "sad": "sadness",
    }

    def parse(path: Path) -> Parsed:
        found = re.fullmatch(r"(OAF?|YAF)_\w+_([a-z]+)", path.stem)
        return (labels[found[2]], found[1][:2] + "F") if found and found[2] in labels else None

    return _named("TESS", _once(files_under(root)), parse, "OAF_angry/OAF_back_angry.wav")


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

    def parse(path: Path) -> Parsed:
        label = labels.get(known.get(path.stem, ""))
        return (label, f"{path.stem[:5]}{path.stem[-4]}") if label else None

    files = [path for path in files_under(root) if "sentences" in path.parts]
    layout = "Session1/sentences/wav/*/*.wav and Session1/dialog/EmoEvaluation/*.txt"
    return _named("IEMOCAP", files, parse, layout)


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
    if not found:
        raise DatasetError(
            "no clip of MELD is there", hint="its layout is train_sent_emo.csv and train_splits/dia0_utt0.mp4"
        )
    return found


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


def _named(name: str, files: list[Path], parse: Callable[[Path], Parsed], layout: str) -> list[Clip]:
    """The clips whose file names say label and speaker; raises DatasetError if there are none."""
    found = [Clip(path, *parsed) for path in files if (parsed := parse(path)) is not None]
    if not found:
        raise DatasetError(f"no clip of {name} is there", hint=f"its layout is {layout}")
    return found


def _once(files: list[Path]) -> list[Path]:
    """One file of each name: the archive of TESS holds itself a second time."""
    return [*{path.name: path for path in reversed(files)}.values()][::-1]


DATASETS: dict[str, Callable[[Path], list[Clip]]] = {
    "ravdess": ravdess,
    "emodb": emodb,
    "cremad": cremad,
    "savee": savee,
    "tess": tess,
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
