"""The official layouts of data sets of emotional speech."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.errors import ConfigError, DatasetError
from fercli.learn.voice.datasets import DATASETS, TERMS, read_clips
from tests.failing import fails

LAYOUTS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "ravdess": (
        [
            "Actor_01/03-01-06-01-02-01-01.wav",
            "Actor_12/03-01-02-02-01-02-12.wav",
            "Actor_01/03-02-03-01-02-01-01.wav",
            "Actor_01/01-01-06-01-02-01-01.mp4",
            "Actor_02/01-01-08-01-01-01-02.mp4",
            "readme.wav",
        ],
        [("fear", "01"), ("surprise", "02"), ("calm", "12")],
    ),
    "emodb": (
        ["wav/03a01Fa.wav", "wav/16b10Wb.wav", "wav/08a02La.wav", "wav/09a05Tb.wav"],
        [("happiness", "03"), ("sadness", "09"), ("anger", "16")],
    ),
    "cremad": (
        ["AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1091_WSI_NEU_HI.wav"],
        [("anger", "1001"), ("neutral", "1091")],
    ),
    "savee": (
        [
            "AudioData/DC/sa01.wav",
            "AudioData/JK/su15.wav",
            "AudioData/KL/n02.wav",
            "AudioData/XX/a01.wav",
            "ALL/JE_d03.wav",
        ],
        [("sadness", "DC"), ("surprise", "JK"), ("neutral", "KL"), ("disgust", "JE")],
    ),
    "tess": (
        ["OAF_angry/OAF_back_angry.wav", "YAF_pleasant_surprised/YAF_bar_ps.wav", "more/OAF_angry/OAF_back_angry.wav"],
        [("anger", "OA"), ("surprise", "YA")],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_names_say_label_and_speaker(tmp_path: Path, name: str) -> None:
    files, expected = LAYOUTS[name]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert sorted((clip.label, clip.speaker) for clip in read_clips(name, tmp_path)) == sorted(expected)


def test_iemocap_has_labels_beside_the_sound(tmp_path: Path) -> None:
    sound = tmp_path / "Session1" / "sentences" / "wav" / "Ses01F_impro01"
    labels = tmp_path / "Session1" / "dialog" / "EmoEvaluation"
    sound.mkdir(parents=True)
    labels.mkdir(parents=True)
    lines = ["% header", ""]
    for name, label in [("F000", "neu"), ("M001", "exc"), ("F002", "fru"), ("M003", "xxx")]:
        (sound / f"Ses01F_impro01_{name}.wav").touch()
        lines.append(f"[6.2901 - 8.2357]\tSes01F_impro01_{name}\t{label}\t[2.5000, 2.5000, 2.5000]")
    (labels / "Ses01F_impro01.txt").write_text("\n".join(lines))
    clips = read_clips("iemocap", tmp_path)
    assert [(clip.label, clip.speaker) for clip in clips] == [("neutral", "Ses01F"), ("happiness", "Ses01M")]


def test_meld_has_tables_and_official_splits(tmp_path: Path) -> None:
    for split, folder in [("train", "train_splits"), ("dev", "dev_splits_complete")]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "dia0_utt1.mp4").touch()
        (tmp_path / f"{split}_sent_emo.csv").write_text(
            "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
            '1,"Oh, my God",Ross,joy,positive,0,1\n2,Hi,Joey,neutral,neutral,0,2\n'
        )
    clips = read_clips("meld", tmp_path)
    assert [(clip.label, clip.speaker, clip.split) for clip in clips] == [
        ("happiness", "Ross", "train"),
        ("happiness", "Ross", "valid"),
    ]
    (tmp_path / "train_sent_emo.csv").write_text("something,else\n1,2\n")
    with fails(DatasetError, "dataset-unusable", "train_sent_emo.csv"):
        read_clips("meld", tmp_path)


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_or_missing_directory_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError):
        read_clips(name, tmp_path)
    with pytest.raises(DatasetError):
        read_clips(name, tmp_path / "missing")
    assert name in TERMS


def test_another_name_is_an_error(tmp_path: Path) -> None:
    with fails(ConfigError, "name-unknown", "fer2013"):
        read_clips("fer2013", tmp_path)
