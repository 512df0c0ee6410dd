from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fercli.formats.face_rows import (
    at_times,
    boxes_inside,
    identity_numbers,
    middle_faces,
    rows_of_segments,
    shown_emotions,
)
from fercli.results.model import NO_TRACK, Segment
from tests.formats.face_documents import ROSS, SEGMENTS, SHOWN, VIDEO, empty_document, make_document


def test_a_segment_has_the_faces_of_its_track_from_its_start_to_before_its_end() -> None:
    result = make_document()
    found = [(s.emotion, rows.tolist()) for s, rows in rows_of_segments(result, result.details().faces)]
    assert found == [
        ("happiness", [0, 2]),
        ("not assessable", [1]),
        ("anger", [3]),
        ("sadness", [5]),
        ("contempt", [6, 7]),
    ]
    assert [segment.emotion for segment in result.all_segments] == [emotion for emotion, _ in found]


def test_faces_show_what_their_segment_says_and_not_their_window() -> None:
    result = make_document()
    assert shown_emotions(result, result.details().faces).tolist() == SHOWN


def test_no_person_has_a_number_twice_in_a_frame() -> None:
    result = make_document()
    # Persons are 1 and 2; track 2 shares frame 4 with track 0 of the same person, track 3 is nobody's.
    assert identity_numbers(result, result.details().faces).tolist() == [1, 2, 1, 2, 3, 1, 4, 4]


def test_boxes_end_at_the_edges_of_the_frame() -> None:
    boxes = boxes_inside(make_document().details().faces, VIDEO)
    assert boxes.dtype == np.float64
    assert boxes[6].tolist() == [0.0, 30.0, 36.0, 100.0]
    assert boxes[0].tolist() == [10.0, 20.0, 50.0, 60.0]


def test_no_faces() -> None:
    result = empty_document()
    faces = result.details().faces
    assert list(rows_of_segments(result, faces)) == []
    assert list(middle_faces(result, faces)) == []
    assert len(identity_numbers(result, faces)) == len(shown_emotions(result, faces)) == 0
    assert boxes_inside(faces, VIDEO).shape == (0, 4)


def test_a_segment_whose_track_has_no_faces_has_no_rows() -> None:
    result = make_document([])
    faces = result.details().faces
    assert [len(rows) for _, rows in rows_of_segments(result, faces)] == [0] * 5
    assert [row for _, row in middle_faces(result, faces)] == [None] * 5


def test_a_persons_own_segment_has_the_persons_faces_in_any_track() -> None:
    said = Segment(0.3, 0.65, "fear", ROSS, NO_TRACK, None, None, "", source="human")
    stranger = replace(said, person="Nobody Tracked")
    result = make_document(segments=[said, stranger], gaps=[])
    found = [(s.person, rows.tolist()) for s, rows in rows_of_segments(result, result.details().faces)]
    assert found == [(ROSS, [2, 4, 5]), ("Nobody Tracked", [])]


def test_the_face_of_a_segment_is_the_nearest_to_its_middle() -> None:
    result = make_document(segments=[replace(SEGMENTS[0], end_s=0.59)], gaps=[])
    assert [row for _, row in middle_faces(result, result.details().faces)] == [2]  # 0.4 s of 0.2 and 0.4


def test_ratings_at_other_times_are_interpolated_and_gaps_stay_gaps() -> None:
    seconds, values = np.array([1.0, 1.1, 1.2, 1.3]), np.array([0.0, 0.5, np.nan, 1.0])
    found = at_times(seconds, values, np.array([0.8, 0.95, 1.0, 1.05, 1.14, 1.16, 1.2, 1.26, 1.3, 1.35, 1.5]))
    assert np.isnan(found[[0, 5, 6, 10]]).all()
    assert found[[1, 2, 3, 4, 7, 8, 9]] == pytest.approx([0.0, 0.0, 0.25, 0.5, 1.0, 1.0, 1.0])
    assert at_times(np.array([1.0]), np.array([0.5]), np.array([0.99, 2.0])).tolist()[0] == 0.5
