"""No face that was found may be recognised, not even between the frames that were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pytest

from fercli.views.render.blur import CELLS, ENLARGED, MARGIN_S, Hidden, blur, enlarged
from fercli.views.render.sampled import Sampled
from tests.workspaces import face_row, faces_table, frames_table, tracks_table


def sampled(pts: Sequence[float], shots: Sequence[int] | None = None) -> Sampled:
    return Sampled.of(frames_table(pts, shots=shots))


def hidden(
    frames: Sampled,
    seen: Sequence[tuple[int, float]],
    tracks: Mapping[int, Sequence[int]] | None = None,
    visible: Sequence[int] = (),
) -> Hidden:
    """`seen` holds (frame, left edge) of faces 80 pixels wide and 100 high."""
    faces = faces_table([face_row(frame, x1=left, x2=left + 80) for frame, left in seen])
    return Hidden(frames, faces, tracks_table(tracks or {}), visible)


def lefts(regions: Sequence[np.ndarray]) -> list[float]:
    """Left edges before they were moved outwards."""
    return sorted(float(box[0] + box[2]) / 2 - 40 for box in regions)


def energy(image: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def test_detail_is_gone_inside_the_box_and_nothing_changes_outside() -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    before = image.copy()
    blur(image, np.array([50.5, 40, 150, 160], np.float32))
    inside = np.s_[40:160, 50:150]
    assert energy(image[inside]) < 1e-3 * energy(before[inside])
    assert image[inside].astype(float).mean() == pytest.approx(before[inside].astype(float).mean(), abs=2)
    image[inside] = before[inside]
    assert np.array_equal(image, before)


def test_what_is_left_of_a_face_are_a_few_mean_colours() -> None:
    """A face of any size is no more than CELLS x CELLS numbers in each channel."""
    side = 30 * CELLS
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    means = image.reshape(CELLS, 30, CELLS, 30, 3).mean(axis=(1, 3))
    blur(image, np.array([0, 0, side, side], np.float32))
    again = cv2.resize(np.rint(means).astype(np.uint8), (side, side), interpolation=cv2.INTER_LINEAR)
    assert np.abs(again.astype(int) - image).max() <= 1


@pytest.mark.parametrize("box", [(-20, -20, 30, 30), (280, 180, 400, 400), (-50, -50, -10, -10), (10, 10, 10, 10)])
def test_boxes_at_the_edge_and_outside(box: tuple[float, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    before = image.copy()
    blur(image, np.array(box, np.float32))
    outside = np.ones(image.shape[:2], bool)
    outside[max(0, int(box[1])) : max(0, int(box[3])), max(0, int(box[0])) : max(0, int(box[2]))] = False
    assert np.array_equal(image[outside], before[outside])


def test_the_box_is_enlarged_about_its_centre() -> None:
    assert enlarged(np.array([100, 50, 180, 150], np.float32)) == pytest.approx(
        [140 - 40 * ENLARGED, 100 - 50 * ENLARGED, 140 + 40 * ENLARGED, 100 + 50 * ENLARGED]
    )


def test_a_face_in_a_track_moves_evenly_between_two_sightings() -> None:
    found = hidden(sampled([0.0, 0.1, 0.2]), [(0, 100), (1, 200)], {0: [0, 1]})
    assert lefts(found.at(0.025)) == pytest.approx([125])


def test_a_track_is_followed_through_frames_in_which_its_face_was_missed() -> None:
    found = hidden(sampled([0.0, 0.1, 0.2, 0.3]), [(0, 100), (3, 400)], {0: [0, 1]})
    assert lefts(found.at(0.15)) == pytest.approx([250])


def test_a_face_without_a_track_is_hidden_up_to_the_frames_that_do_not_show_it() -> None:
    found = hidden(sampled([0.0, 0.4, 0.8, 1.2]), [(1, 100)])
    assert [len(found.at(time_s)) for time_s in (0.0, 0.01, 0.4, 0.79, 0.81)] == [1, 1, 1, 1, 0]


def test_it_is_hidden_a_little_longer_than_it_was_seen() -> None:
    found = hidden(sampled([k / 10 for k in range(21)]), [(10, 100)])
    times = (1 - MARGIN_S - 0.01, 1 - MARGIN_S + 0.01, 1 + MARGIN_S - 0.01, 1 + MARGIN_S + 0.01)
    assert [len(found.at(time_s)) for time_s in times] == [0, 1, 1, 0]


def test_it_is_not_hidden_in_the_next_shot_but_in_every_frame_in_which_the_cut_may_lie() -> None:
    frames = sampled([0.0, 0.1, 0.2, 0.3], [0, 0, 1, 1])
    found = hidden(frames, [(1, 100), (2, 300)])
    assert lefts(found.at(0.1)) == [100]
    assert lefts(found.at(0.15)) == [100, 300]
    assert lefts(found.at(0.2)) == [300]


def test_where_is_unknown_how_a_face_moved_both_places_and_all_between_are_hidden() -> None:
    (box,) = hidden(sampled([0.0, 0.3, 0.6]), [(0, 100), (2, 400)], {0: [0, 1]}).at(0.5)
    assert box == pytest.approx(enlarged(np.array([100, 50, 480, 150], np.float32)))


def test_all_is_hidden_where_no_person_looked() -> None:
    found = hidden(sampled([0.0, 0.1, 1.0]), [(0, 100)], {0: [0]}, visible=[0])
    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    before = image.copy()
    (box,) = found.at(0.5)
    blur(image, box)
    assert energy(image) < 1e-3 * energy(before)
    assert found.at(0.1) == [] and found.all_over == [0.5]


def test_tracks_may_be_left_visible_but_no_face_without_a_track() -> None:
    found = hidden(sampled([0.0, 0.1]), [(0, 100), (0, 300), (0, 500)], {0: [0], 1: [1]}, visible=[0])
    assert lefts(found.at(0.0)) == [300, 500]


def test_no_face_nothing_hidden() -> None:
    assert hidden(sampled([0.0, 0.1]), []).at(0.05) == []
