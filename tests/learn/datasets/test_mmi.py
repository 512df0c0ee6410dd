"""MMI, invented. The reader opens no picture, so empty files do; videos are small ones that show their frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import DatasetError, InputError
from fercli.learn.datasets import framing
from fercli.learn.datasets.mmi import read
from fercli.learn.datasets.moving import Frames, frame_path
from fercli.learn.datasets.pack import pack
from fercli.learn.datasets.samples import Problem, Sample
from fercli.models.detections import Detections
from tests.media_samples import cut_short, numbered_video, read_number, write_video
from tests.models.pictures import portrait

MPEG4 = ("-c:v", "mpeg4", "-q:v", "2")


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
    assert found.notes == ("left out: 1 recordings that are labelled with action units and no emotion",)


@pytest.mark.parametrize("suffix", [".avi", ".mpg", ".mp4"])
def test_videos_are_decoded_and_the_middle_third_is_taken(tmp_path: Path, suffix: str) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    video = numbered_video(folder / f"S001-001{suffix}", 30, fps="25", encode=MPEG4 if suffix != ".mpg" else ())
    found = read(tmp_path)
    (sample,) = found.samples
    assert sample.frames == tuple(video / str(number) for number in (10, 13, 16, 19))
    assert [read_number(found.read_picture(frame)) for frame in sample.frames] == [10, 13, 16, 19]
    assert (found.frontal, found.problems) == (True, ())
    assert found.notes == ("clips: 1 of the middle third of the frames",)


CODING = """<?xml version="1.0" encoding="ISO-8859-1"?><ActionUnits>
<ActionUnit Number="12"><Marker Frame="1" Type="0"/><Marker Frame="4" Type="1"/><Marker Frame="8" Type="2"/>
<Marker Frame="17" Type="3"/><Marker Frame="22" Type="0"/></ActionUnit>
<ActionUnit Number="6"><Marker Frame="20" Type="3"/><Marker Frame="12" Type="2"/><Marker Frame="5" Type="1"/>
</ActionUnit>
<ActionUnit Number="45"><Marker Frame="25" Type="2"/><Marker Frame="27" Type="3"/></ActionUnit>
</ActionUnits>"""
"""Counted from 1, unit 12 is at its apex in frames 8 to 16, unit 6 in 12 to 19, and an eye blink in 25 and 26."""


def test_the_coded_apex_is_taken_where_there_is_one(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    (folder / "S001-001-oao_aucs.xml").write_text(CODING)
    numbered_video(folder / "S001-001.avi", 30, encode=MPEG4)
    other = make_session(tmp_path, 2, "S002-001")
    (other / "S002-001-oao_aucs.xml").write_text(CODING)
    pictures = make_frames(other, "S002-001", 14)  # fewer than were coded
    found = read(tmp_path)
    first, second = found.samples
    shown = [read_number(found.read_picture(frame)) for frame in first.frames]
    assert shown == [11, 12, 14, 15]  # both units are at their apex in frames 12 to 16, counted from 1
    assert second.frames == tuple(pictures[11:14])
    assert found.notes == ("clips: 2 of the coded apex",)


def test_a_coding_without_frames_is_a_problem(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    coding = folder / "S001-001-oao_aucs.xml"
    coding.write_text('<ActionUnits><ActionUnit Number="1"><Marker Type="2"/></ActionUnit></ActionUnits>')
    make_frames(folder, "S001-001", 3)
    (problem,) = read(tmp_path).problems
    assert problem.file == str(coding) and "action unit 1" in problem.reason


def test_a_video_that_is_none_is_a_problem(tmp_path: Path) -> None:
    broken = make_session(tmp_path, 1, "S001-001") / "S001-001.avi"
    broken.write_text("no video")
    folder = make_session(tmp_path, 2, "S002-001")
    numbered_video(folder / "whole.avi", 30, encode=MPEG4)
    cut_short(folder / "whole.avi", folder / "S002-001.avi", 0.8)
    found = read(tmp_path)
    (problem,) = found.problems
    assert problem.file == str(broken) and "not a video" in problem.reason
    (sample,) = found.samples  # as far as it goes
    assert all(read_number(found.read_picture(frame)) == int(frame.name) for frame in sample.frames)
    with pytest.raises(InputError):
        found.read_picture(sample.frames[0].with_name("29"))


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
    reason = f"emotion {code!r} is not one of the basic ones, 1 to 6"
    assert (found.samples, found.problems) == ((), (Problem(str(folder / "S001-001.xml"), 0, reason),))


class Faces:
    """A detector that finds the bright squares of a picture; the nose of one is as far to the right as it is red."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        boxes, points = [], []
        for left in (0, image.shape[1] // 2):
            half = image[:, left : left + image.shape[1] // 2]
            ys, xs = np.nonzero(half[..., 1] > 150)
            if not len(xs):
                continue
            x1, y1, x2, y2 = left + xs.min(), ys.min(), left + xs.max() + 1, ys.max() + 1
            nose = half[ys[0], xs[0], 0] / 255
            at = [(0.2, 0.3), (0.8, 0.3), (0.2 + 0.6 * nose, 0.5), (0.3, 0.8), (0.7, 0.8)]
            boxes.append((x1, y1, x2, y2))
            points.append([(x1 + x * (x2 - x1), y1 + y * (y2 - y1)) for x, y in at])
        shape = np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32)
        return Detections(*shape, np.array(points, np.float32).reshape(-1, 5, 2))


FRONT, TURNED, PROFILE = (128, 255, 0), (200, 255, 0), (250, 255, 0)
"""Colours of faces that look straight ahead, to the side but frontal enough, and not."""


def mirror(left: tuple[int, int, int], right: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A picture of two heads of which the right one is larger."""
    image = np.zeros((120, 240, 3), np.uint8)
    image[30:70, 30:70] = left
    image[20:90, 140:210] = right
    return image


@pytest.mark.parametrize("view", ["0", "1", "2", "3", ""])
def test_of_a_picture_with_a_mirror_the_front_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(framing, "default_detector", Faces)
    heads = {"S000": (FRONT, PROFILE), "S001": (PROFILE, TURNED), "S002": (PROFILE, PROFILE)}
    for number, subject in enumerate(heads):
        make_frames(make_session(tmp_path, number, f"{subject}-001", view=view), f"{subject}-001", 1)
    found = replace(read(tmp_path), read_picture=lambda path: mirror(*heads[path.parent.name[:4]]))
    data = pack(found)
    whole = data.part("all")
    sides = {
        subject: int((image[0] > 128).any(axis=0).sum())
        for subject, image in zip(whole.subjects, whole.images, strict=True)
    }
    assert set(sides) == {"S000", "S001"} and all(50 < side < 64 for side in sides.values())
    (problem,) = data.problems
    assert "S002-001" in problem.file and "no frontal face" in problem.reason


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_video_that_lies_on_its_side_is_turned(tmp_path: Path, turns: int) -> None:
    head = portrait()[:300, 70:370]
    for number in (1, 2, 3):
        folder = make_session(tmp_path, number, f"S00{number}-001", "4")
        write_video(
            folder / f"S00{number}-001.avi", [np.rot90(head, turns if number == 1 else 0).copy()] * 6, encode=MPEG4
        )
    data = pack(read(tmp_path))
    assert data.problems == ()
    whole = data.part("all")
    faces = {subject: clip[0].astype(int) for subject, clip in zip(whole.subjects, whole.images, strict=True)}
    assert np.abs(faces["S001"] - faces["S002"]).mean() < 6  # upright as the others


def test_broken_xml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    (folder / "S001-001.xml").write_text('<Meta>\n<Metatag Name="Emotion"\n</Meta>')
    other = make_session(tmp_path, 2, "S002-001")
    (other / "S002-001-oao_aucs.xml").write_text("")
    make_frames(other, "S002-001", 3)
    make_frames(make_session(tmp_path, 3, "S003-001"), "S003-001", 1)
    found = read(tmp_path)
    assert [(problem.file, problem.line) for problem in found.problems] == [
        (str(folder / "S001-001.xml"), 3),
        (str(other / "S002-001-oao_aucs.xml"), 1),
    ]
    assert all("broken XML" in problem.reason for problem in found.problems)
    assert [sample.subject for sample in found.samples] == ["S003"]


def test_missing_descriptions_are_problems(tmp_path: Path) -> None:
    bare = make_session(tmp_path, 1, "S001-001")
    (bare / "S001-001.xml").unlink()
    encoded = make_session(tmp_path, 3, "S003-001") / "S003-001.xml"
    encoded.write_text('<?xml version="1.0" encoding="x-unknown"?><Meta/>')
    reasons = {problem.file: problem.reason for problem in read(tmp_path).problems}
    assert reasons.pop(str(encoded)).startswith(("cannot be read: ", "broken XML: "))
    assert reasons == {str(bare): "there is no file like S035-004.xml with the labels of the session"}


def test_roots_where_there_is_no_mmi(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    with pytest.raises(DatasetError, match=f"no MMI under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/Sessions/1841/ with session.xml" in caught.value.hint


def test_frames_of_a_video_are_in_square_pixels(tmp_path: Path) -> None:
    """PAL: 720 columns are shown as 768."""
    picture = np.zeros((48, 90, 3), np.uint8)
    video = write_video(tmp_path / "v.avi", [picture] * 3, encode=(*MPEG4, "-vf", "setsar=16/15"))
    assert Frames([frame_path(video, 1)])(frame_path(video, 1)).shape == (48, 96, 3)


@pytest.mark.parametrize("encoding", ["utf-7", "no-such-thing", "utf-32"])
def test_a_description_in_an_unknown_encoding_is_a_problem_that_names_it(tmp_path: Path, encoding: str) -> None:
    folder = make_session(tmp_path, 1, "S001-001")
    make_frames(folder, "S001-001", 3)
    (folder / "S001-001.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><Session/>')
    found = read(tmp_path)
    assert found.samples == ()
    assert [problem.file for problem in found.problems] == [str(folder / "S001-001.xml")]
