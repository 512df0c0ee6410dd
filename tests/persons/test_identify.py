from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.persons.cast import Group
from fercli.persons.identify import Tracks, identify

ROSS, RACHEL = 0.0, 10.0


def looks(*places: float) -> NDArray[np.float32]:
    """Embeddings of persons on a line."""
    return np.array([[place, 0.0] for place in places], dtype=np.float32)


def tracks(*places: float, conflicts: Sequence[tuple[int, int]] = ()) -> Tracks:
    return Tracks(looks(*places), np.full(len(places), 0.7, dtype=np.float32), conflicts)


def groups(*numbers: int) -> NDArray[np.int32]:
    return np.array(numbers, dtype=np.int32)


GALLERY = {"Rachel": looks(RACHEL), "Ross": looks(ROSS, ROSS + 0.1)}


def test_without_a_gallery_persons_are_numbered() -> None:
    names, scores = identify(tracks(0, 20, 0.1), groups(0, 1, 0), {}, None, 0.5)
    assert names == ["Person 1", "Person 2", "Person 1"]
    assert (scores > 0.9).all()


def test_a_gallery_names_whom_it_knows_and_the_others_are_unknown() -> None:
    names, _ = identify(tracks(30, 0.05, 10, 50), groups(0, 1, 2, 3), GALLERY, None, 0.5)
    assert names == ["Unknown 1", "Ross", "Rachel", "Unknown 2"]


def test_two_groups_of_one_known_person_become_one() -> None:
    names, _ = identify(tracks(0.1, 0.0), groups(0, 1), GALLERY, None, 0.5)
    assert names == ["Ross", "Ross"]


def test_two_in_one_frame_are_not_both_ross() -> None:
    names, _ = identify(tracks(0.3, 0.0, conflicts=[(0, 1)]), groups(0, 1), GALLERY, None, 0.5)
    assert names == ["Unknown 1", "Ross"]


def test_a_track_is_the_surer_the_nearer_the_pictures() -> None:
    _, scores = identify(tracks(0.05, 0.59), groups(0, 1), GALLERY, None, 0.55)
    assert scores[0] > 0.99 > scores[1] > 0.5


def test_sureness_is_measured_against_the_limit_of_the_network_in_use() -> None:
    near, wide = tracks(0.05, 0.59), tracks(0.1, 1.18)
    pictures = {name: 2 * embeddings for name, embeddings in GALLERY.items()}
    _, scores = identify(near, groups(0, 1), GALLERY, None, 0.55)
    np.testing.assert_allclose(identify(wide, groups(0, 1), pictures, None, 1.1)[1], scores, rtol=1e-5)


def test_a_cast_is_told_what_the_gallery_knows_and_who_was_seen_together() -> None:
    told: list[tuple[Sequence[Group], Sequence[tuple[int, int]]]] = []

    def enrol(groups: Sequence[Group], conflicts: Sequence[tuple[int, int]]) -> list[str]:
        told.append((groups, conflicts))
        return ["Ross", "Person 8"]

    names, _ = identify(tracks(0, 30, 31, conflicts=[(0, 1), (0, 2)]), groups(0, 1, 1), GALLERY, enrol, 2.0)
    assert names == ["Ross", "Person 8", "Person 8"]
    [(given, conflicts)] = told
    assert [group.name for group in given] == ["Ross", None]
    assert given[1].embeddings[:, 0].tolist() == [30, 31]
    assert conflicts == [(0, 1)]


@pytest.mark.parametrize("gallery", [{}, GALLERY])
def test_a_video_without_a_face_to_tell(gallery: dict[str, NDArray[np.float32]]) -> None:
    nothing = Tracks(np.zeros((0, 0), np.float32), np.zeros(0, np.float32), ())
    names, scores = identify(nothing, groups(), gallery, None, 0.5)
    assert names == []
    assert scores.shape == (0,)
