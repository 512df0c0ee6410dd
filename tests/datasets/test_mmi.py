"""MMI, invented; the reader never opens a picture or a video, so empty files do."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from fercli.datasets.mmi import read
from fercli.datasets.samples import Problem, Sample
from fercli.errors import DatasetError


def make_session(root: Path, number: int, name: str, emotion: str | None = "1", view: str = "0") -> Path:
    """A session with what describes it, and no recording yet."""
    folder = root / "Sessions" / str(number)
    folder.mkdir(parents=True)
    (folder / "session.xml").write_text(
        f'<?xml version="1.0"?><session><track type="Video" filename="{name}.avi" view="{view}">'
        f'<annotation filename="{name}.xml"/></track></session>'
    )
    tag = "" if emotion is None else f'<Metatag Name="Emotion" Value="{emotion}"/>'
    (folder / f"{name}.xml").write_text(f'<?xml version="1.0"?>\n<Meta><Metatag Name="Kind" Value="9"/>\n{tag}</Meta>')
    (folder / f"{name}-oao_aucs.xml").write_text("<ActionUnits/>")
    return folder


def make_frames(folder: Path, name: str, count: int) -> list[Path]:
    (folder / name).mkdir()
    frames = [folder / name / f"{index:05d}.jpg" for index in range(1, count + 1)]
    for frame in frames:
        frame.touch()
    return frames


def test_the_clip_is_the_middle_third_of_the_frames_beside_a_video(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1841, "S035-004", "6")
    (folder / "S035-004.avi").touch()
    frames = make_frames(folder, "S035-004", 10)
    found = read(tmp_path)
    assert found.samples == (Sample(tuple(frames[3:7]), "surprise", subject="S035"),)
    assert found.classes == ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    assert (found.name, found.problems) == ("mmi", ())


def test_every_code(tmp_path: Path) -> None:
    for code in range(1, 7):
        make_frames(make_session(tmp_path, code, f"S00{code}-001", str(code)), f"S00{code}-001", 1)
    assert {sample.subject: sample.label for sample in read(tmp_path / "Sessions").samples} == {
        "S001": "anger",
        "S002": "disgust",
        "S003": "fear",
        "S004": "happiness",
        "S005": "sadness",
        "S006": "surprise",
    }


def test_a_session_may_be_a_still(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001", "4")
    (folder / "S001-001.JPG").touch()
    assert read(tmp_path).samples == (Sample((folder / "S001-001.JPG",), "happiness", subject="S001"),)


def test_sessions_of_action_units_are_passed_over(tmp_path: Path) -> None:
    (make_session(tmp_path, 1, "S001-001", None) / "S001-001.avi").touch()
    found = read(tmp_path)
    assert (found.samples, found.problems) == ((), ())


@pytest.mark.parametrize("suffix", [".avi", ".mpg"])
def test_a_video_without_frames_names_the_command_that_makes_them(tmp_path: Path, suffix: str) -> None:
    root = tmp_path / "my data"
    video = make_session(root, 1, "S001-001") / f"S001-001{suffix}"
    video.touch()
    (problem,) = read(root).problems
    assert problem.file == str(video)
    make, extract = problem.reason.removeprefix("its frames are needed: ").split(" && ")
    frames = video.parent / "S001-001"
    assert shlex.split(make) == ["mkdir", "-p", str(frames)]
    assert shlex.split(extract) == ["ffmpeg", "-i", str(video), "-qscale:v", "2", str(frames / "%05d.jpg")]


def test_an_empty_folder_of_frames_is_no_frames(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    make_frames(folder, "S001-001", 0)
    (problem,) = read(tmp_path).problems
    assert problem == Problem(str(folder / "S001-001.xml"), 0, "no video and no picture of that name beside it")


@pytest.mark.parametrize("code", ["0", "7", "happy", ""])
def test_codes_out_of_range_are_problems(tmp_path: Path, code: str) -> None:
    folder = make_session(tmp_path, 1, "S001-001", code)
    make_frames(folder, "S001-001", 3)
    found = read(tmp_path)
    reason = f"emotion {code!r} is none of the basic ones, 1 to 6"
    assert (found.samples, found.problems) == ((), (Problem(str(folder / "S001-001.xml"), 0, reason),))


@pytest.mark.parametrize(
    ("view", "seen"), [("1", "profile"), ("2", "front and profile in one picture"), ("3", "'3'"), ("", "''")]
)
def test_only_the_front_is_read(tmp_path: Path, view: str, seen: str) -> None:
    folder = make_session(tmp_path, 1, "S001-001", view=view)
    make_frames(folder, "S001-001", 3)
    (problem,) = read(tmp_path).problems
    assert problem == Problem(str(folder / "session.xml"), 0, f"the view is {seen}, only the front is read")


def test_broken_xml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    (folder / "S001-001.xml").write_text('<Meta>\n<Metatag Name="Emotion"\n</Meta>')
    other = make_session(tmp_path, 2, "S002-001")
    (other / "session.xml").write_text("")
    make_frames(make_session(tmp_path, 3, "S003-001"), "S003-001", 1)
    found = read(tmp_path)
    assert [(problem.file, problem.line) for problem in found.problems] == [
        (str(folder / "S001-001.xml"), 3),
        (str(other / "session.xml"), 1),
    ]
    assert all("broken XML" in problem.reason for problem in found.problems)
    assert [sample.subject for sample in found.samples] == ["S003"]


def test_missing_descriptions_are_problems(tmp_path: Path) -> None:
    bare = make_session(tmp_path, 1, "S001-001")
    (bare / "S001-001.xml").unlink()
    headless = make_session(tmp_path, 2, "S002-001")
    (headless / "session.xml").unlink()
    reasons = {problem.file: problem.reason for problem in read(tmp_path).problems}
    assert reasons == {
        str(bare): "no file like S035-004.xml says what the session shows",
        str(headless / "session.xml"): "cannot be read: No such file or directory",
    }


def test_roots_where_there_is_no_mmi(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    with pytest.raises(DatasetError, match=f"no MMI under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/Sessions/1841/ with session.xml" in caught.value.hint
