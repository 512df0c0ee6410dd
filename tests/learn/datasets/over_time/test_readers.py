"""Readers of other sets: their layouts with made-up numbers, and problems with file, line and reason."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.learn.datasets.over_time import OVER_TIME, Recording, Recordings, read_recordings
from tests.media_samples import numbered_video


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def one(found: Recordings, video: str) -> Recording:
    return next(recording for recording in found.recordings if recording.video == video)


def problems(found: Recordings) -> list[tuple[str, int]]:
    return [(Path(problem.file).name, problem.line) for problem in found.problems]


def test_aff_wild2_values_and_what_is_not_annotated(tmp_path: Path) -> None:
    va = tmp_path / "6th ABAW Annotations" / "VA_Estimation_Challenge"
    write(va / "Train_Set" / "12-24.txt", "valence,arousal\n0.5,-0.25\n-5,-5\n1,0\n")
    write(va / "Validation_Set" / "7_right.txt", "valence,arousal\n0,0\n")
    write(va / "Validation_Set" / "8.txt", "valence,arousal\n0,0\n0,2\n")
    found = read_recordings("aff-wild2-va", tmp_path)
    clip = one(found, "12-24")
    np.testing.assert_array_equal(clip.values["valence"], [0.5, np.nan, 1])
    np.testing.assert_array_equal(clip.values["arousal"], [-0.25, np.nan, 0])
    np.testing.assert_allclose(clip.times_s, np.arange(3) / 30)
    assert (clip.split, one(found, "7_right").split) == ("train", "valid")
    assert problems(found) == [("8.txt", 3)]
    assert "0 of 3 are timed by their video" in found.notes[0]


def test_aff_wild2_is_timed_by_its_videos(tmp_path: Path) -> None:
    (tmp_path / "batch1").mkdir()
    numbered_video(tmp_path / "batch1" / "a.mp4", 4, fps="10")
    write(tmp_path / "VA_Estimation_Challenge" / "Train_Set" / "a.txt", "valence,arousal\n" + "0,0\n" * 5)
    clip = one(read_recordings("aff-wild2-va", tmp_path), "a")
    np.testing.assert_allclose(clip.times_s, np.arange(5) / 10, atol=1e-6)
    assert clip.path is not None


def test_aff_wild2_classes(tmp_path: Path) -> None:
    header = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise,Other\n"
    expr = tmp_path / "EXPR_Recognition_Challenge" / "Train_Set"
    write(expr / "a.txt", header + "0\n4\n-1\n7\n")
    write(expr / "b.txt", header + "0\n9\n")
    write(expr / "c.txt", "Anger,Neutral\n0\n")
    found = read_recordings("aff-wild2-expr", tmp_path)
    labels = one(found, "a").labels
    assert labels is not None
    assert labels.tolist() == ["neutral", "happiness", "", "other"]
    assert found.classes[-1] == "other"
    assert problems(found) == [("b.txt", 3), ("c.txt", 1)]


def test_afew_va(tmp_path: Path) -> None:
    frames = {f"{n:05d}": {"valence": v, "arousal": -v, "landmarks": []} for n, v in enumerate((-10, 0, 5))}
    write(tmp_path / "01" / "001" / "001.json", json.dumps({"video_id": "001", "actor": "Ann", "frames": frames}))
    write(tmp_path / "01" / "002" / "002.json", json.dumps({"frames": {"00000": {"valence": 11, "arousal": 0}}}))
    write(tmp_path / "01" / "003" / "003.json", "[]")
    found = read_recordings("afew-va", tmp_path)
    clip = one(found, "001")
    assert (clip.person, clip.values["valence"].tolist()) == ("Ann", [-1.0, 0.0, 0.5])
    assert clip.values["arousal"].tolist() == [1.0, 0.0, -0.5]
    assert problems(found) == [("002.json", 0), ("003.json", 0)]


def test_omg(tmp_path: Path) -> None:
    header = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote\n"
    write(
        tmp_path / "omg_TrainVideos.csv", header + "u,10,12,abc,utterance_1.mp4,0.25,-0.5,3\nu,1,2,abc,u_2.mp4,2,0,3\n"
    )
    write(tmp_path / "omg_ValidationVideos.csv", header + "u,5,5,x,u_1.mp4,0,0,1\n")
    found = read_recordings("omg", tmp_path)
    clip = one(found, "abc/utterance_1")
    assert (clip.person, clip.split, clip.times_s.tolist()) == ("abc", "train", [0, 0.5, 1, 1.5])
    assert set(clip.values["valence"]) == {-0.5}
    assert set(clip.values["arousal"]) == {-0.5}
    assert problems(found) == [("omg_TrainVideos.csv", 3), ("omg_ValidationVideos.csv", 2)]


def test_recola_weighs_its_raters(tmp_path: Path) -> None:
    base = tmp_path / "RECOLA-Annotation" / "emotional_behaviour"
    rows = "time;FM1 ;FM2 ;FF1\n" + "".join(f"{k / 25:.2f};{v};{v};{v}\n" for k, v in enumerate((0, 0.5, -0.5)))
    write(base / "valence" / "P16.csv", rows)
    write(base / "arousal" / "P16.csv", rows)
    write(base / "valence" / "P17.csv", rows)
    write(base / "arousal" / "P17.csv", rows.replace("0.04", "0.05"))
    found = read_recordings("recola", tmp_path)
    clip = one(found, "P16")
    np.testing.assert_allclose(clip.values["valence"], [0, 0.5, -0.5], atol=1e-12)
    assert list(clip.raters) == ["FM1", "FM2", "FF1"]
    assert set(clip.values) == {"valence", "arousal"}
    assert problems(found) == [("P17.csv", 0)]


def test_the_gold_standard_of_avec_2016(tmp_path: Path) -> None:
    text = "@relation x\n@attribute name string\n\n@data\n'train_1',0.00,0.1\n'train_1',0.04,0.2\n"
    for dimension in ("valence", "arousal"):
        write(tmp_path / "ratings_gold_standard" / dimension / "train_1.arff", text)
        write(tmp_path / "ratings_gold_standard" / dimension / "dev_1.arff", text.replace("0.2", "2"))
    found = read_recordings("recola", tmp_path)
    clip = one(found, "train_1")
    assert (clip.split, clip.values["valence"].tolist()) == ("train", pytest.approx([0.1, 0.2]))
    assert problems(found) == [("dev_1.arff", 6)]


@pytest.mark.parametrize("header", ["", "name;time;arousal;valence;liking\n"], ids=["bare", "header"])
def test_sewa(tmp_path: Path, header: str) -> None:
    write(
        tmp_path / "labels" / "Devel_DE_01.csv", header + "'Devel_DE_01';0.0;0.1;-0.2;0\n'Devel_DE_01';0.1;0.3;-0.4;0\n"
    )
    clip = one(read_recordings("sewa", tmp_path), "Devel_DE_01")
    assert (clip.split, clip.values["arousal"].tolist()) == ("valid", pytest.approx([0.1, 0.3]))
    assert clip.values["valence"].tolist() == pytest.approx([-0.2, -0.4])


def test_avec(tmp_path: Path) -> None:
    write(tmp_path / "Training" / "Freeform" / "203_1_Freeform_video-Valence.csv", "0.1\n0.2\n0.3\n")
    write(tmp_path / "Training" / "Freeform" / "203_1_Freeform_video-Arousal.csv", "-0.1\n-0.2\n-0.3\n")
    write(tmp_path / "Development_Labels" / "Valence" / "205_2_cut.csv", "0.0,0.5\n0.5,1.5\n")
    write(tmp_path / "Development_Labels" / "Valence" / "206_2_cut.csv", "0.0,0.5\n0.5,0.25\n")
    found = read_recordings("avec", tmp_path)
    clip = one(found, "203_1_Freeform_video")
    assert (clip.person, clip.split, set(clip.values)) == ("203", "train", {"valence", "arousal"})
    np.testing.assert_allclose(clip.times_s, np.arange(3) / 30)
    assert one(found, "206_2_cut").times_s.tolist() == [0, 0.5]
    assert one(found, "206_2_cut").split == "valid"
    assert problems(found) == [("205_2_cut.csv", 2)]


def test_ratings_of_your_own(tmp_path: Path) -> None:
    write(tmp_path / "train" / "a.csv", "time,valence,class,person\n0,0.5,happiness,Ann\n1,,,Ann\n2,1,sadness,Ann\n")
    write(tmp_path / "dev" / "all.csv", "video,time,arousal\nb,0,0\nb,1,0.5\nc,0,1\n")
    write(tmp_path / "dev" / "d.csv", "time,valence\n0,0\n0,0\n")
    write(tmp_path / "dev" / "e.csv", "time,valence\n0,0\n1,3\n")
    write(tmp_path / "dev" / "f.csv", "t,valence\n0,0\n")
    found = read_recordings("own", tmp_path)
    clip = one(found, "a")
    assert (clip.person, clip.split) == ("Ann", "train")
    np.testing.assert_array_equal(clip.values["valence"], [0.5, np.nan, 1])
    assert clip.labels is not None
    assert clip.labels.tolist() == ["happiness", "", "sadness"]
    assert found.classes == ("happiness", "sadness")
    assert (one(found, "b").split, one(found, "c").values["arousal"].tolist()) == ("valid", [1.0])
    assert problems(found) == [("d.csv", 3), ("e.csv", 3), ("f.csv", 1)]


def _pictures(folder: Path, numbers: range, name: str = "img{}.jpg") -> None:
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / name.format(number)).write_bytes(b"")


def test_casme2_has_courses(tmp_path: Path) -> None:
    header = "Subject,Filename,,OnsetFrame,ApexFrame,OffsetFrame,,Action Units,Estimated Emotion\n"
    rows = "1,EP02_01f,,46,59,86,,4,happiness\n1,EP03_02,,10,/,30,,4,disgust\n1,EP04,,10,5,30,,4,fear\n"
    rows += "1,EP05,,1,2,3,,4,others\n"
    write(tmp_path / "CASME2-coding-20140508.csv", header + rows)
    for name, numbers in (("EP02_01f", range(40, 91)), ("EP03_02", range(10, 31)), ("EP04", range(1, 40))):
        _pictures(tmp_path / "CASME2_RAW_selected" / "sub01" / name, numbers)
    found = read_recordings("casme2", tmp_path)
    clip = one(found, "sub01/EP02_01f")
    assert clip.course is not None
    assert clip.course.apex_s == pytest.approx(19 / 200)
    assert clip.course.onset_s == pytest.approx(6 / 200)
    assert clip.course.offset_s == pytest.approx(46 / 200)
    assert clip.labels is not None
    assert (clip.labels == "happiness").sum() == 41
    unknown = one(found, "sub01/EP03_02").course
    assert unknown is not None
    assert unknown.apex_s is None
    assert problems(found) == [("CASME2-coding-20140508.csv", 4)]
    assert "left out: 1 clips of 'others', which is not an emotion of fercli" in found.notes


def test_samm_begins_below_its_notes(tmp_path: Path) -> None:
    notes = "SAMM Micro-Expressions,,,,,,\n,,,,,,\n"
    header = "Subject,Filename,Inducement Code,Onset Frame,Apex Frame,Offset Frame,Estimated Emotion\n"
    rows = "6,006_1_2,1,5562,5588,5632,Anger\n6,006_9_9,1,1,2,3,Anger\n6,006_1_3,1,1,2,3,Other\n"
    write(tmp_path / "SAMM_Micro_FACS_Codes_v2.csv", notes + header + rows)
    _pictures(tmp_path / "SAMM" / "006" / "006_1_2", range(5562, 5633), "006_{:05d}.jpg")
    found = read_recordings("samm", tmp_path)
    clip = one(found, "006/006_1_2")
    assert clip.course is not None
    assert (clip.person, clip.course.onset_s) == ("006", 0.0)
    assert clip.course.apex_s == pytest.approx(26 / 200)
    assert problems(found) == [("SAMM_Micro_FACS_Codes_v2.csv", 5)]


def test_smic_has_classes_and_no_apex(tmp_path: Path) -> None:
    _pictures(tmp_path / "SMIC_all_cropped" / "HS" / "s1" / "micro" / "negative" / "s1_ne_01", range(20))
    clip = one(read_recordings("smic", tmp_path), "s1/s1_ne_01")
    assert clip.labels is not None
    assert (clip.labels[0], len(clip.labels)) == ("negative", 20)
    assert clip.course is not None
    assert clip.course.apex_s is None


def test_ckplus_ends_with_its_apex(tmp_path: Path) -> None:
    _pictures(tmp_path / "cohn-kanade-images" / "S005" / "001", range(1, 12), "S005_001_{:08d}.png")
    write(tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt", "   3.0000000e+00\n")
    write(tmp_path / "Emotion" / "S005" / "002" / "S005_002_00000011_emotion.txt", "9\n")
    found = read_recordings("ckplus", tmp_path)
    clip = one(found, "S005_001")
    assert clip.course is not None
    assert clip.person == "S005"
    assert clip.course.apex_s == pytest.approx(1 / 3)
    assert clip.course.offset_s == pytest.approx(1 / 3)
    assert problems(found) == [("S005_002_00000011_emotion.txt", 1)]


def test_mmi_has_the_course_that_its_markers_say(tmp_path: Path) -> None:
    session = tmp_path / "Sessions" / "1"
    write(session / "session.xml", "<Session/>")
    write(session / "S035-004.xml", '<R><Metatag Name="Emotion" Value="4"/></R>')
    markers = "".join(
        f'<Marker Frame="{frame}" Type="{kind}"/>' for frame, kind in ((1, 0), (11, 1), (21, 2), (41, 3), (61, 0))
    )
    write(session / "S035-004-oao_aucs.xml", f'<R><ActionUnit Number="12">{markers}</ActionUnit></R>')
    write(session / "S035-005.xml", "<R>")
    found = read_recordings("mmi", tmp_path)
    clip = one(found, "S035-004")
    assert clip.course is not None
    assert (clip.course.onset_s, clip.course.apex_s, clip.course.offset_s) == (10 / 25, 29 / 25, 60 / 25)
    assert problems(found) == [("S035-005.xml", 1)]


@pytest.mark.parametrize("name", sorted(OVER_TIME))
def test_an_empty_folder_holds_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_recordings(name, tmp_path)
    assert caught.value.code == "dataset-not-found"
    assert caught.value.hint
