from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from examples import make_episode as episode
from examples.make_sample import FPS, HEIGHT, WIDTH, package_file
from fercli.geometry import iou_matrix
from fercli.learn.datasets.framing import largest_face
from fercli.learn.evaluation.person_truth import TrueShot, read_person_truth

GREY, WHITE = 90, 250


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("episode") / "episode.mp4"
    assert episode.main([str(path), "--shots", "4", "--truth", str(path.with_suffix(".json"))]) == 0
    return path


@pytest.fixture(scope="module")
def shots(made: Path) -> list[TrueShot]:
    return read_person_truth(made.with_suffix(".json"))


@pytest.fixture(scope="module")
def pictures(made: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(made)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def take(person: str, box: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch) -> episode.Take:
    """A grey picture of 80 x 60, black at its left edge, whose face is a white box."""
    x1, y1, x2, y2 = box
    picture = np.full((60, 80, 3), GREY, np.uint8)
    picture[:, :8] = 0
    picture[y1:y2, x1:x2] = WHITE
    monkeypatch.setattr(episode, "largest_face", lambda picture: np.array(box, np.float32))
    return episode.Take(person, "a picture", [picture])


def test_shots_follow_one_another_and_fill_the_video(shots: list[TrueShot], pictures: list[NDArray[np.uint8]]) -> None:
    assert shots[0].start_s == 0 and shots[-1].end_s == len(pictures) / FPS
    assert all(a.end_s == b.start_s for a, b in pairwise(shots))
    assert all(1 <= shot.end_s - shot.start_s <= 2 for shot in shots)
    assert [[face.person for face in shot.faces] for shot in shots] == [["man"], ["woman"], ["man"], ["woman", "man"]]
    assert pictures[0].shape == (HEIGHT, WIDTH, 3)


def test_the_picture_changes_exactly_where_the_truth_says(
    shots: list[TrueShot], pictures: list[NDArray[np.uint8]]
) -> None:
    changes = np.array([np.abs(a.astype(int) - b).mean() for a, b in pairwise(pictures)])
    biggest = np.argsort(changes)[-3:]
    assert sorted(biggest + 1) == [round(shot.start_s * FPS) for shot in shots[1:]]
    assert changes[biggest].min() > 3 * np.delete(changes, biggest).max()


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_the_detector_finds_the_faces_where_the_truth_says(
    shots: list[TrueShot], pictures: list[NDArray[np.uint8]], share: float
) -> None:
    for shot in shots:
        frame = round((shot.start_s + share * (shot.end_s - shot.start_s)) * FPS)
        width = WIDTH // len(shot.faces)
        for number, face in enumerate(shot.faces):
            left = number * width
            found = largest_face(pictures[frame][:, left : left + width])
            assert found is not None
            true = face.at(np.array([frame / FPS]))
            assert iou_matrix(found[None] + np.array([left, 0, left, 0], np.float32), true)[0, 0] > 0.6


@pytest.mark.parametrize("kind", episode.KINDS)
@pytest.mark.parametrize("frame", [0, 20])
def test_every_kind_of_shot_shows_the_face_where_the_truth_says(
    kind: episode.Kind, frame: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = tuple(take(str(number), (20, 10, 40, 38), monkeypatch) for number in range(kind.views))
    shot = episode.Shot(kind, 25, takes)
    picture = list(shot.images())[frame]
    halfway = (GREY + WHITE) / 2 * kind.light
    width = WIDTH // kind.views
    for number, face in enumerate(shot.faces(start=100)):
        assert face["person"] == str(number)
        times = [row[0] for row in face["boxes"]]
        assert (times[0], times[-1]) == (4.0, 5.0)
        true = face["boxes"][times.index((100 + frame) / FPS)][1:]
        bright = picture.mean(axis=2) > halfway
        bright[:, : number * width] = bright[:, (number + 1) * width :] = False
        rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
        assert [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] == pytest.approx(true, abs=1.5)


def test_what_sets_the_kinds_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(kind: episode.Kind) -> NDArray[np.uint8]:
        return next(episode.Shot(kind, 25, (take("a", (20, 10, 40, 38), monkeypatch),)).images())

    assert first(episode.DARK).max() == pytest.approx(0.3 * WHITE, abs=1)
    sharp, soft = (
        np.abs(np.diff(first(kind).astype(int), axis=1)).max() for kind in (episode.PAN, episode.OUT_OF_FOCUS)
    )
    assert soft < 0.7 * sharp
    place = episode.Framing(0.5, 0.5, 200)
    straight, mirrored = (first(episode.Kind(place, place, mirrored=way)) for way in (False, True))
    assert np.abs(straight[:, ::-1].astype(int) - mirrored).max() <= 1
    assert np.abs(straight.astype(int) - mirrored).max() > 50


@pytest.mark.parametrize("persons", [2, 3, 6, 7, 9, 18])
def test_all_persons_is_seen_in_every_kind_and_never_beside_themselves(persons: int) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    cast = [[episode.Take(f"{person}", f"{person}/{n}", [picture]) for n in range(40)] for person in range(persons)]
    shots = episode.plan_shots(cast, len(episode.KINDS) * persons)
    lead = {(shot.takes[0].person, shot.kind) for shot in shots}
    assert len(lead) == len(episode.KINDS) * persons
    assert all(len({take.person for take in shot.takes}) == shot.kind.views for shot in shots)
    assert all(FPS <= shot.frames <= 2 * FPS for shot in shots) and len({shot.frames for shot in shots}) > 10
    used = [id(take) for shot in shots for take in shot.takes]
    assert len(used) == len(set(used))


@pytest.mark.slow
def test_folders_of_pictures_are_more_persons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "johns" / "Ann").mkdir(parents=True)
    (tmp_path / "johns" / "LICENSE.txt").write_text("free")
    (tmp_path / "johns" / "Ann" / "notes.txt").write_text("no picture")
    portrait = cv2.imread(str(package_file("skimage", "data/astronaut.png", "scikit-image")))
    assert portrait is not None
    cv2.imwrite(str(tmp_path / "johns" / "Ann" / "1.png"), portrait[:256, 96:352])
    command = [str(tmp_path / "e.mp4"), "--shots", "3", "--johns", str(tmp_path / "johns")]
    assert episode.main(command) == 0
    truth: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert truth["fps"] == FPS
    assert [shot["faces"][0]["person"] for shot in truth["shots"]] == ["man", "woman", "Ann"]


def test_pictures_that_cannot_be_used_are_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(tmp_path / "e.mp4"), "--shots", "3", "--johns", str(tmp_path / "johns")]
    assert episode.main(command) == 1
    assert f"no folders with pictures in {tmp_path / 'johns'}" in capsys.readouterr().err
    (tmp_path / "johns" / "Ann").mkdir(parents=True)
    assert episode.main(command) == 1
    assert f"no folders with pictures in {tmp_path / 'johns'}" in capsys.readouterr().err
    picture = tmp_path / "johns" / "Ann" / "1.png"
    cv2.imwrite(str(picture), np.full((90, 90, 3), GREY, np.uint8))
    assert episode.main(command) == 1
    assert f"no face is found in {picture}" in capsys.readouterr().err
    picture.write_bytes(b"broken")
    assert episode.main(command) == 1
    assert str(picture) in capsys.readouterr().err
    assert not (tmp_path / "e.mp4").exists()


@pytest.mark.slow
def test_the_same_file_every_time(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("a.mp4", "b.mp4"))
    assert episode.make_episode(first, shots=1) == episode.make_episode(second, shots=1)
    assert first.read_bytes() == second.read_bytes()


def test_a_place_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert episode.main([str(tmp_path / "none" / "e.mp4"), "--shots", "1"]) == 1
    assert f"cannot write {tmp_path / 'none' / 'e.mp4'}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        episode.main([str(tmp_path / "e.mp4"), "--shots", "0"])


def test_soft_transitions_lie_between_the_shots_of_the_truth(tmp_path: Path) -> None:
    path, length = tmp_path / "soft.mp4", round(0.48 * FPS)
    arguments = [str(path), "--shots", "4", "--soft", "0.48", "--truth", str(path.with_suffix(".json"))]
    assert episode.main(arguments) == 0
    shots = read_person_truth(path.with_suffix(".json"))
    assert [round((b.start_s - a.end_s) * FPS) for a, b in pairwise(shots)] == [length] * 3
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    begin = [round(shot.end_s * FPS) for shot in shots[:-1]]
    wipe, black, dissolve = (pictures[start : start + length] for start in begin)
    assert [np.mean(part[length // 2]) < 40 for part in (wipe, black, dissolve)] == [False, True, False]
    before, after = (pictures[begin[2] + step].astype(float) for step in (-1, length))
    assert np.abs(dissolve[length // 2] - (before + after) / 2).mean() < 0.2 * np.abs(after - before).mean()
    changed = np.abs(wipe[length // 2].astype(float) - pictures[begin[0] - 1]).mean(axis=(0, 2))
    assert changed[: WIDTH // 3].mean() > 5 * changed[-WIDTH // 3 :].mean()


@pytest.mark.parametrize("soft", ["-0.1", "1.1"])
def test_transitions_of_other_lengths_are_refused(soft: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        episode.main([str(tmp_path / "soft.mp4"), "--soft", soft])
    assert stopped.value.code == 2
