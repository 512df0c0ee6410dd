"""Annotations and features on common steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from examples.make_stories import stories
from fercli.features.file import TrackFeatures
from fercli.learn.datasets.over_time.recordings import Course, Recording
from fercli.learn.sequences.series import Target, bin_names, binned, intensity_of, is_name_of, join, states_of
from fercli.models.sequence import STATES
from tests.learn.sequences.made import features_of, recordings_of

VALENCE = Target("valence", ("valence",), 2.0)


def _track(video: str, start: float, steps: int, value: float, person: str = "Ross") -> TrackFeatures:
    starts = start + np.arange(steps) / 2
    return TrackFeatures(video, 0, person, starts, starts + 0.5, {"face": np.full((steps, 2), value, np.float32)})


def _recording(**changes: object) -> Recording:
    times = np.arange(8) / 2
    return replace(Recording("clip", "7", times, {"valence": np.linspace(-1, 1, 8)}), **changes)  # type: ignore[arg-type]


def test_features_and_annotations_of_one_rate_are_what_they_were() -> None:
    made = stories(4, steps=20)
    facts, tracks = features_of(made)
    series, notes = join(recordings_of(made), tracks, ["face", "voice"], VALENCE)
    assert notes == ["4 of 4 recordings have features and annotations"]
    for one, story in zip(series, made, strict=True):
        assert (one.video, one.person, one.split) == (story.video, story.person, story.split.lower())
        np.testing.assert_allclose(one.values[:, 0], story.annotated, atol=1e-6)
        np.testing.assert_allclose(np.concatenate(one.inputs, axis=1), story.features, atol=1e-5)
    assert [one.name for one in facts.modalities] == ["face", "voice"]


def test_steps_without_features_are_missing_not_zero() -> None:
    tracks = [_track("clip", 0.0, 2, 1.0), _track("clip", 2.0, 2, 3.0)]
    ((one,), _) = join([_recording()], tracks, ["face"], VALENCE)
    np.testing.assert_array_equal(one.inputs[0][:, 0], [1, 1, np.nan, np.nan, 3, 3, np.nan, np.nan])
    assert np.isfinite(one.values).all()


def test_other_rates_are_averaged() -> None:
    ((one,), _) = join([_recording()], [_track("clip", 0.0, 8, 1.0)], ["face"], replace(VALENCE, rate=1.0))
    np.testing.assert_allclose(one.values[:, 0], np.linspace(-1, 1, 8).reshape(4, 2).mean(axis=1), atol=1e-6)


def test_the_person_is_the_named_one_or_the_one_seen_most() -> None:
    tracks = [_track("clip", 0.0, 8, 1.0, "Ross"), _track("clip", 0.0, 4, 2.0, "7")]
    ((one,), notes) = join([_recording()], tracks, ["face"], VALENCE)
    assert np.nanmax(one.inputs[0]) == 2.0
    assert len(notes) == 1
    ((one,), notes) = join([_recording(person="8")], tracks, ["face"], VALENCE)
    assert np.nanmax(one.inputs[0]) == 1.0
    assert "several persons in 1 videos" in notes[1]


def test_videos_without_features_are_counted() -> None:
    series, notes = join([_recording(), _recording(video="other")], [_track("clip", 0, 8, 1.0)], ["face"], VALENCE)
    assert len(series) == 1
    assert notes[1] == "no features of 1 recordings, such as other"
    series, _ = join([_recording()], [_track("clip", 100.0, 8, 1.0)], ["face"], VALENCE)
    assert series == []


@pytest.mark.parametrize(
    ("name", "video", "same"),
    [("ID1_vid1", "ID1_vid1", True), ("ID1_vid1_small", "ID1_vid1", True), ("ID1_vid11", "ID1_vid1", False)],
)
def test_names(name: str, video: str, same: bool) -> None:
    assert is_name_of(name, video) is same


def test_classes_are_parts_of_the_range_or_those_of_the_set() -> None:
    target = Target("classes", bin_names(3), 2.0, 3)
    ((one,), _) = join([_recording()], [_track("clip", 0.0, 8, 1.0)], ["face"], target)
    assert one.labels.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    labels = np.array(["happiness"] * 3 + [""] * 2 + ["sadness"] * 3)
    target = Target("classes", ("sadness", "happiness"), 2.0)
    ((one,), _) = join([_recording(values={}, labels=labels)], [_track("clip", 0.0, 8, 1.0)], ["face"], target)
    assert one.labels.tolist() == [1, 1, 1, -1, -1, 0, 0, 0]


def test_parts_of_the_range() -> None:
    assert binned(np.array([-1, -0.34, -0.33, 0.33, 0.34, 1, np.nan]), 3).tolist() == [0, 0, 1, 1, 2, 2, -1]
    assert len(bin_names(9)) == len(set(bin_names(9))) == 9


def test_the_course_of_an_expression() -> None:
    recording = _recording(course=Course(1.0, 2.0, 4.0))
    np.testing.assert_allclose(
        intensity_of(recording, np.array([0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])), [0, 0, 0.5, 1, 0.5, 0, 0]
    )
    rising = _recording(course=Course(1.0, 2.0, 2.0))
    np.testing.assert_allclose(intensity_of(rising, np.array([1.5, 2.0, 9.0])), [0.5, 1, 1])
    assert np.isnan(intensity_of(_recording(course=Course(1.0, None, 2.0)), np.zeros(1))).all()


def test_states_follow_the_intensity() -> None:
    intensity = np.array([0, 0.2, 0.5, 0.9, 1, 0.9, 0.5, 0.1, np.nan])
    names = [STATES[state] if state >= 0 else "" for state in states_of(intensity, 4)]
    assert names == ["onset", "onset", "rising", "apex", "apex", "apex", "falling", "offset", ""]
