"""Nothing fercli depends on brings such a network, so tiny ones are built: their embedding is the mean colour."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import dlib
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy.ndimage import center_of_mass, gaussian_filter

from fercli.errors import WeightsError
from fercli.hashing import sha256_file
from fercli.media.images import read_image
from fercli.models.dlib_embedder import load_predictor
from fercli.models.onnx_embedder import TEMPLATE, OnnxEmbedder, align, load
from fercli.models.registry import find_model, find_weights, load_model, packaged_weights, weights_key
from tests.failing import fails

COLOUR = (200, 100, 50)
BOX = np.array([[120, 120, 180, 180]], dtype=np.float32)
SUBTRACT_FIVE = helper.make_node("Sub", ["picture", "five"], ["normal"])
CONVOLVE = helper.make_node("Conv", ["picture", "same"], ["normal"])
WEIGHTS = [
    numpy_helper.from_array(np.full((1, 3, 1, 1), 5, np.float32), "five"),
    numpy_helper.from_array(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1), "same"),
]


def network(
    path: Path,
    *begin: onnx.NodeProto,
    shape: tuple[int | str, ...] = ("n", 3, 112, 112),
    kind: int = TensorProto.FLOAT,
    end: onnx.NodeProto | None = None,
    weights_are_inputs: bool = False,
) -> Path:
    """A file with the mean colour of what `begin` makes of the picture."""
    flat = end or helper.make_node("Flatten", ["mean"], ["embedding"])
    picture = helper.make_tensor_value_info("picture", kind, shape)
    listed = [helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims) for tensor in WEIGHTS]
    graph = helper.make_graph(
        [*begin, helper.make_node("GlobalAveragePool", ["normal"], ["mean"]), flat],
        "tiny",
        [*(listed if weights_are_inputs else []), picture],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, None)],
        WEIGHTS,
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), path)
    return path


def plain(colour: tuple[int, int, int] = COLOUR) -> NDArray[np.uint8]:
    """A crop of one colour, large enough that an aligned face never shows what is beyond it."""
    return np.full((300, 300, 3), colour, dtype=np.uint8)


def unit(*values: float) -> NDArray[np.float64]:
    vector: NDArray[np.float64] = np.array(values) / np.linalg.norm(values)
    return vector


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    package = find_spec("skimage")
    assert package is not None and package.origin is not None
    return read_image(Path(package.origin).parent / "data" / "astronaut.png")


def test_a_network_that_normalises_takes_rgb_from_0_to_255(tmp_path: Path) -> None:
    found = load(network(tmp_path / "sface.onnx", SUBTRACT_FIVE), "cpu").embed([plain()], BOX)
    np.testing.assert_allclose(found, [unit(195, 95, 45)], atol=1e-5)
    assert found.dtype == np.float32


def test_a_network_that_begins_with_a_convolution_takes_values_from_minus_1_to_1(tmp_path: Path) -> None:
    found = load(network(tmp_path / "arcface.onnx", CONVOLVE), "cpu").embed([plain()], BOX)
    np.testing.assert_allclose(found, [unit(72.5, -27.5, -77.5)], atol=1e-4)


def test_normalising_is_found_behind_nodes_that_change_nothing_and_among_weights_listed_as_inputs(
    tmp_path: Path,
) -> None:
    same = helper.make_node("Identity", ["picture"], ["again"])
    subtract = helper.make_node("Sub", ["again", "five"], ["normal"])
    path = network(tmp_path / "old.onnx", same, subtract, weights_are_inputs=True)
    np.testing.assert_allclose(load(path, "cpu").embed([plain()], BOX), [unit(195, 95, 45)], atol=1e-5)


@pytest.mark.parametrize("batch", ["n", 1])
def test_every_face_gets_its_own_embedding_however_many_the_network_takes_at_once(
    tmp_path: Path, batch: int | str
) -> None:
    embedder = load(network(tmp_path / "net.onnx", SUBTRACT_FIVE, shape=(batch, 3, 112, 112)), "cpu")
    colours = [(10 * k + 10, 100, 200) for k in range(18)]
    found = embedder.embed([plain(colour) for colour in colours], np.repeat(BOX, 18, axis=0))
    expected = [unit(red - 5, green - 5, blue - 5) for red, green, blue in colours]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_no_faces_have_embeddings_of_the_right_length(tmp_path: Path) -> None:
    embedder = load(network(tmp_path / "net.onnx", SUBTRACT_FIVE), "cpu")
    assert embedder.embed([], np.zeros((0, 4), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(("shape", "side"), [(("n", 3, 224, 224), 224), ((1, 3, "height", "width"), 112)])
def test_faces_have_the_size_the_network_takes(tmp_path: Path, shape: tuple[int | str, ...], side: int) -> None:
    embedder = load(network(tmp_path / "net.onnx", SUBTRACT_FIVE, shape=shape), "cpu")
    assert embedder.chip(plain(), BOX[0]).shape == (side, side, 3)


@pytest.mark.parametrize("scale", [0.6, 3.0])
@pytest.mark.parametrize("side", [112, 224])
def test_landmarks_come_where_the_template_has_them(scale: float, side: int) -> None:
    turn = scale * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    placed = TEMPLATE @ turn.T + (100, 60)
    for point, wanted in zip(placed, TEMPLATE * side / 112, strict=True):
        spot = np.zeros((500, 500), dtype=np.float64)
        spot[round(point[1]), round(point[0])] = 1
        spot = gaussian_filter(spot, 2 * scale)
        picture = np.repeat((spot / spot.max() * 255).astype(np.uint8)[..., None], 3, axis=2)
        y, x = center_of_mass(align(picture, placed, side)[..., 0])
        assert (x, y) == pytest.approx(tuple(wanted), abs=side / 112 / scale)


def test_a_tilted_face_comes_out_upright(tmp_path: Path, portrait: NDArray[np.uint8]) -> None:
    embedder = load(network(tmp_path / "net.onnx", SUBTRACT_FIVE), "cpu")
    turn = cv2.getRotationMatrix2D((222, 138), 20, 1)
    tilted = np.asarray(cv2.warpAffine(portrait, turn, (512, 512)), dtype=np.uint8)
    chip = embedder.chip(tilted, np.array([172, 73, 272, 203], dtype=np.float32))
    dlib_weights = find_weights(find_model("dlib-resnet", "embedder"))
    assert dlib_weights is not None
    shape = load_predictor(dlib_weights.parent)(chip, dlib.rectangle(15, 5, 97, 112))
    found = np.array([[point.x, point.y] for point in shape.parts()])
    np.testing.assert_allclose(found, TEMPLATE, atol=6)


def test_a_file_is_an_embedder_by_its_path_and_known_by_its_bytes(tmp_path: Path) -> None:
    path = network(tmp_path / "own.onnx", CONVOLVE)
    spec = find_model(str(path), "embedder")
    assert isinstance(load_model(spec), OnnxEmbedder)
    assert weights_key(spec) == {"own.onnx": sha256_file(path)}


def test_a_file_that_is_no_network_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"mine\.onnx is not an ONNX network that can be run") as error:
        load(path, "cpu")
    assert "ArcFace" in error.value.hint
    assert capfd.readouterr().out == "", "stdout is for data"


def test_a_network_with_other_outputs_is_refused_with_what_it_has() -> None:
    with pytest.raises(WeightsError, match=r"centerface\.onnx is not a face recognition network.*heatmap tensor"):
        load(packaged_weights() / "centerface.onnx", "cpu")


@pytest.mark.parametrize("shape", [("n", 1, 112, 112), ("n", 3, 112, 96), (4, 3, 112, 112), ("n", 3)])
def test_a_network_with_another_input_is_refused(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    with pytest.raises(WeightsError, match=r"is not a face recognition network; .*: picture tensor\(float\)"):
        load(network(tmp_path / "net.onnx", helper.make_node("Identity", ["picture"], ["normal"]), shape=shape), "cpu")


def test_a_network_that_takes_bytes_is_refused(tmp_path: Path) -> None:
    cast = helper.make_node("Cast", ["picture"], ["normal"], to=TensorProto.FLOAT)
    with pytest.raises(WeightsError, match=r"picture tensor\(uint8\)"):
        load(network(tmp_path / "net.onnx", cast, kind=TensorProto.UINT8), "cpu")


def test_a_network_that_mixes_the_pictures_of_a_batch_is_refused(tmp_path: Path) -> None:
    mixed = helper.make_node("Flatten", ["mean"], ["embedding"], axis=0)
    with pytest.raises(WeightsError, match=r"net\.onnx returns \(1, 6\) for 2 pictures"):
        load(network(tmp_path / "net.onnx", SUBTRACT_FIVE, end=mixed), "cpu")


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    path = network(tmp_path / "net.onnx", CONVOLVE)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    with pytest.raises(WeightsError, match=r"net\.onnx stores its weights in other files") as error:
        load(path, "cpu")
    assert "onnx.save" in error.value.hint


def test_bytes_that_are_no_utf8_and_numbers_that_are_not_finite_are_weights_errors(tmp_path: Path) -> None:
    good = network(tmp_path / "good.onnx", CONVOLVE).read_bytes()
    (tmp_path / "bytes.onnx").write_bytes(
        good.replace(b"GlobalAveragePool", b"Global\xe4veragePool").replace(b"tiny", b"t\xe4ny")
    )
    with pytest.raises(WeightsError, match=r"bytes\.onnx") as found:
        load(tmp_path / "bytes.onnx", "cpu")
    assert found.value.exit_code == 5
    logarithm = helper.make_node("Log", ["picture"], ["normal"])
    with fails(WeightsError, "weights-not-finite", "nan.onnx"):
        load(network(tmp_path / "nan.onnx", logarithm), "cpu")
