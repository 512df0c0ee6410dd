"""Training faces out of hand-made workspaces that somebody corrected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.edits.editing import ignore, rename
from fercli.errors import DatasetError, MissingStage
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import DatasetSplits, FaceSet, corrected, read_dataset
from fercli.learn.datasets.images import SIDE
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.importers.films import film
from tests.workspaces import VIDEO, add_receipt, crops_table, make_workspace

FACES = 24


def grey_with_border(number: int) -> NDArray[np.uint8]:
    """A crop whose middle, one over 1.7 of the side, is as grey as its number says, with white around it."""
    crop = np.full((170, 170, 3), 255, np.uint8)
    crop[25:145, 25:145] = 10 * number
    return crop


def corrected_film(path: Path, *rows: str, name: str = "ep.mp4") -> Workspace:
    workspace = film(path)
    make_workspace(path, crops=crops_table([grey_with_border(number) for number in range(FACES)]))
    workspace = Workspace.create(path, replace(VIDEO, path=f"/films/{name}"))
    if rows:
        annotate(workspace, *rows)
    return workspace


def everything(data: DatasetSplits) -> FaceSet:
    return data.part("all")


def test_a_segment_is_cut_into_clips_of_a_second_with_its_label(tmp_path: Path) -> None:
    corrected_film(tmp_path / "w", "Person 1,4,6,afraid")
    faces = everything(corrected.read(tmp_path / "w"))
    # 4, 4.5, 5 and 5.5 s are the frames in which Person 1 is alone: faces 16 to 19
    assert faces.images.shape == (2, 4, SIDE, SIDE)
    assert faces.main.classes == EMOTIONS
    assert faces.main.labels.tolist() == [EMOTIONS.index("fear")] * 2
    greys = faces.images[:, :, SIDE // 2, SIDE // 2].tolist()
    assert greys == [[160, 160, 170, 170], [180, 180, 190, 190]]
    assert faces.sources == tuple(str(tmp_path / "w" / "faces" / "crops.parquet" / face) for face in ("16", "18"))


def test_only_the_middle_of_a_crop_is_taken(tmp_path: Path) -> None:
    corrected_film(tmp_path / "w", "Person 1,4,5,afraid")
    data = corrected.read(tmp_path / "w")
    assert data.face_scale == 1.1
    assert everything(data).images.max() == 170  # nothing of the white border
    add_receipt(Workspace.open(tmp_path / "w"), "faces", crop_scale=1.1)
    assert everything(corrected.read(tmp_path / "w")).images.max() == 255


def test_tracks_are_clips_of_their_own_and_what_shows_nothing_is_none(tmp_path: Path) -> None:
    corrected_film(
        tmp_path / "w", "Person 1,5.5,8.5,happy", "Person 1,0,5.5,", "Person 2,0,1,not assessable", "Person 1,9,10,sad"
    )
    data = corrected.read(tmp_path / "w")
    faces = everything(data)
    assert sorted(Path(source).name for source in faces.sources) == ["19", "20", "22"]
    assert data.problems == ()


def test_faces_that_are_not_assessable_are_left_out_and_reported(tmp_path: Path) -> None:
    workspace = corrected_film(
        tmp_path / "w", "Person 2,2.5,3,happy", "Person 2,3,4,sad", "Ben,1,2,sad", "Person 1,8,9,contempt"
    )
    with workspace.edits.open("a") as file:
        file.write("rubbish\n")
    data = corrected.read(tmp_path / "w")
    assert [Path(source).name for source in sorted(everything(data).sources)] == ["11", "20"]
    assert [str(problem) for problem in data.problems] == [
        f"{workspace.edits}:5: it is not JSON: Expecting value: line 1 column 1 (char 0)",
        f"{workspace.edits}:2: no assessable face of Person 2 from 3 to 4 s",
        f"{workspace.edits}:3: no assessable face of Ben from 1 to 2 s",
    ]
    assert everything(data).main.classes == EMOTIONS_8


def test_a_name_is_one_subject_in_all_videos_and_a_number_one_in_each(tmp_path: Path) -> None:
    for number in (1, 2):
        path = tmp_path / "season" / f"{number}.fercli"
        path.parent.mkdir(exist_ok=True)
        workspace = corrected_film(path, "Person 1,0,1,happy", "Person 2,0,1,sad", name=f"{number}.mp4")
        rename(workspace, "Person 2", "Ross")
    corrected_film(tmp_path / "season" / "untouched.fercli")
    data = read_dataset("corrected", tmp_path / "season")
    digest = VIDEO.sha256[:8]
    numbered = [f"{number}.mp4 {digest}: Person 1" for number in (1, 2)]
    assert sorted(everything(data).subjects) == [*numbered, "Ross", "Ross"]
    homes = [set(data.part(split).subjects) for split in ("train", "valid", "test")]
    assert all(homes) and sum(len(home) for home in homes) == 3


def test_who_is_left_out_of_exports_is_not_trained_on(tmp_path: Path) -> None:
    workspace = corrected_film(tmp_path / "w", "Person 2,0,1,happy", "Person 1,0,1,happy")
    ignore(workspace, "Person 2")
    assert len(everything(corrected.read(tmp_path / "w"))) == 1


def test_faces_that_were_classified_before_they_were_tracked_anew_are_not_trained_on(tmp_path: Path) -> None:
    workspace = corrected_film(tmp_path / "w", "Person 1,0,1,happy")
    receipt = tmp_path / "w" / "emotions" / "receipt.json"
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "inputs": {}}))
    with pytest.raises(MissingStage, match="needs classify-emotions first: its input frames changed") as caught:
        corrected.read(tmp_path / "w")
    assert caught.value.hint == f"with the options you gave it before, run: fercli classify-emotions {workspace.path}"


def test_directories_with_nothing_to_learn_from_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="is not a workspace and contains none"):
        corrected.read(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"file is not a directory") as caught:
        corrected.read(tmp_path / "file")
    assert "workspaces" in caught.value.hint
    corrected_film(tmp_path / "w")
    with pytest.raises(DatasetError, match="no manual annotations under") as caught:
        corrected.read(tmp_path / "w")
    assert "fercli import" in caught.value.hint
    corrected_film(tmp_path / "deleted", "Person 1,0,1,")
    with pytest.raises(DatasetError, match="no usable sample"):
        corrected.read(tmp_path / "deleted")
