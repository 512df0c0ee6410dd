from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.centerface import CenterFace, load
from fercli.models.registry import find_model, load_model
from tests.failing import fails
from tests.models.pictures import LANDMARKS, holds_the_face, portrait


@pytest.fixture(scope="module")
def centerface() -> CenterFace:
    detector: CenterFace = load_model(find_model("centerface", "detector"))
    return detector


class Network:
    """Stands for the onnxruntime session: two faces at chosen cells, and what it was shown."""

    def __init__(self, cells: dict[tuple[int, int], float], log_sides: tuple[float, float]) -> None:
        self.cells, self.log_sides = cells, log_sides
        self.shown: NDArray[np.float32] | None = None

    def run(self, outputs: list[str], inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        self.shown = inputs["image"]
        height, width = self.shown.shape[2] // 4, self.shown.shape[3] // 4
        heatmap = np.zeros((1, 1, height, width), np.float32)
        for (row, column), score in self.cells.items():
            heatmap[0, 0, row, column] = score
        size = np.broadcast_to(np.array(self.log_sides, np.float32)[:, None, None], (2, height, width))
        offset = np.broadcast_to(np.array([0.25, -0.25], np.float32)[:, None, None], (2, height, width))
        corners = np.array([0.25, 0.2, 0.3, 0.8, 0.5, 0.5, 0.75, 0.4, 0.75, 0.6], np.float32)
        landmarks = np.broadcast_to(corners[:, None, None], (10, height, width))
        return [heatmap, size[None], offset[None], landmarks[None]]


def _detect(network: Network, height: int = 90, width: int = 100) -> Any:
    return CenterFace(network).detect(np.full((height, width, 3), 7, np.uint8))


def test_a_cell_becomes_a_box_and_landmarks() -> None:
    found = _detect(Network({(10, 15): 0.8}, (np.log(10), np.log(5))))  # 40 high, 20 wide
    centre_x, centre_y = (15 - 0.25 + 0.5) * 4, (10 + 0.25 + 0.5) * 4
    np.testing.assert_allclose(found.boxes, [[centre_x - 10, centre_y - 20, centre_x + 10, centre_y + 20]], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.8])
    np.testing.assert_allclose(found.landmarks[0, 0], [centre_x - 10 + 0.2 * 20, centre_y - 20 + 0.25 * 40], rtol=1e-5)
    np.testing.assert_allclose(found.landmarks[0, 4], [centre_x - 10 + 0.6 * 20, centre_y - 20 + 0.75 * 40], rtol=1e-5)
    assert found.boxes.dtype == found.scores.dtype == found.landmarks.dtype == np.float32


def test_neighbouring_cells_are_one_face_at_their_mean_and_far_ones_are_another() -> None:
    found = _detect(Network({(10, 15): 0.6, (10, 16): 0.3, (10, 2): 0.9}, (np.log(10), np.log(10))))
    np.testing.assert_allclose(found.scores, [0.9, 0.6])
    centres = found.boxes[:, [0, 2]].mean(axis=1)
    np.testing.assert_allclose(centres, [(2 + 0.25) * 4, (15 + 1 / 3 + 0.25) * 4], rtol=1e-5)


def test_half_overlapping_boxes_are_one_face_and_do_not_pull_it() -> None:
    found = _detect(Network({(10, 12): 0.9, (10, 15): 0.5}, (np.log(10), np.log(10))))
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[:, [0, 2]].mean(), (12 + 0.25) * 4, rtol=1e-5)


def test_the_network_sees_rgb_padded_to_a_multiple_below_and_to_the_right() -> None:
    network = Network({}, (0, 0))
    image = np.random.default_rng(0).integers(1, 256, (33, 64, 3), dtype=np.uint8)
    assert len(CenterFace(network).detect(image)) == 0
    assert network.shown is not None
    assert network.shown.shape == (1, 3, 64, 64)
    np.testing.assert_array_equal(network.shown[0, :, :33, :], image.transpose(2, 0, 1))
    assert not network.shown[0, :, 33:, :].any()


def test_finds_a_face_with_its_landmarks_in_the_order_of_the_picture(centerface: CenterFace) -> None:
    found = centerface.detect(portrait())
    assert len(found.take(np.flatnonzero(found.scores > 0.5))) == 1
    assert found.scores[0] > 0.9
    assert holds_the_face(found.boxes[0])
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks[0], LANDMARKS, atol=6)


def test_colour_order_matters_little_but_the_right_one_is_used(centerface: CenterFace) -> None:
    image = portrait()[:256, 100:356]
    swapped = np.ascontiguousarray(image[:, :, ::-1])
    assert centerface.detect(image).scores[0] > centerface.detect(swapped).scores[0]


def test_the_box_moves_with_the_face(centerface: CenterFace) -> None:
    """The network's own offsets leave a saw-tooth of about 4 pixels, standard deviation 1 (see `_merged`)."""
    image = portrait()[:256, 100:356]
    places = []
    for shift in range(8):
        moved = np.pad(image, ((shift, 0), (shift, 0), (0, 0)), mode="edge")
        box = centerface.detect(moved).boxes[0]
        places.append((box[:2] + box[2:]) / 2 - shift)
    assert np.std(places, axis=0).max() < 0.6


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (31, 33), (64, 32)])
def test_images_of_any_size_without_a_face(centerface: CenterFace, shape: tuple[int, int]) -> None:
    found = centerface.detect(np.full((*shape, 3), 120, np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert found.landmarks is not None
    assert found.landmarks.shape == (0, 5, 2)


def test_a_small_and_a_large_face(centerface: CenterFace) -> None:
    small = np.asarray(cv2.resize(portrait(), (100, 100), interpolation=cv2.INTER_AREA), np.uint8)
    found = centerface.detect(small)
    assert found.scores[0] > 0.5
    assert holds_the_face(found.boxes[0] * 5.12)
    large = np.asarray(cv2.resize(portrait()[50:190, 160:290], (594, 640), interpolation=cv2.INTER_CUBIC), np.uint8)
    found = centerface.detect(large)
    assert found.scores[0] > 0.9
    assert found.boxes[0, 3] - found.boxes[0, 1] > 400


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"mine\.onnx is not the CenterFace network"):
        load(path, "cpu")
    with fails(WeightsError, "weights-missing"):
        load(None, "cpu")


def test_another_network_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", [tensor], [result])
    path = tmp_path / "relu.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 9)], ir_version=4), path)
    with pytest.raises(WeightsError, match=r"relu\.onnx is not the CenterFace network"):
        load(path, "cpu")
