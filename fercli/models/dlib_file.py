"""The weights of dlib's face recognition network (`dlib_face_recognition_resnet_model_v1`, CC0), from dlib's own file.

Architecture: dlib's example `dnn_face_recognition_ex.cpp`, a ResNet of 29 convolutions. Its affine layers are folded
into the convolutions here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError

DIMENSIONS = 128
"""Length of an embedding."""
CHIP_SIZE = 150
"""Side of an aligned face, pixels."""
MEAN_RGB = (122.782, 117.001, 104.298)
SCALE = 256
"""The network takes (pixel - MEAN_RGB) / SCALE."""
STEM = (32, 3, 7, 7)
"""Shape of the filters of the first convolution."""
LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, blocks, whether the first block halves the picture; from input to output."""
HINT = "pip install --force-reinstall face_recognition_models"


def blocks() -> Iterator[tuple[int, int, bool]]:
    """Channels before and after each residual block, and whether it halves the picture."""
    before = STEM[0]
    for after, count, halves in LEVELS:
        for number in range(count):
            yield before, after, halves and number == 0
            before = after


def filters() -> dict[str, tuple[int, int, int, int]]:
    """Name -> shape of the filters of each convolution, in the order of the file."""
    found = {"stem": STEM}
    for number, (before, after, _) in enumerate(blocks()):
        found[f"blocks.{number}.first"] = (after, before, 3, 3)
        found[f"blocks.{number}.second"] = (after, after, 3, 3)
    return found


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Name -> weights, `NAME.weight` and `NAME.bias` of each of `filters`, and `head.weight` (DIMENSIONS, channels).

    Raises:
        WeightsError: the file cannot be read or holds another network.
    """
    shapes = filters()
    last = LEVELS[-1][0]
    stored = [shape for layer in shapes.values() for shape in _stored_shapes(layer)]
    try:
        state = iter(list(_tensors(path.read_bytes(), [*stored, (last, DIMENSIONS)])))
    except OSError as error:
        raise WeightsError(
            f"cannot read weights {path}: {error.strerror}", hint=HINT, code="file-unreadable"
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path} is not dlib_face_recognition_resnet_model_v1: {error}", hint=HINT) from error
    found = {}
    for name, shape in shapes.items():
        n = shape[0]
        convolution, affine = next(state), next(state)
        scale, shift = affine[:n], affine[n:]
        found[f"{name}.weight"] = convolution[:-n].reshape(shape) * scale[:, None, None, None]
        found[f"{name}.bias"] = convolution[-n:] * scale + shift
    found["head.weight"] = np.ascontiguousarray(next(state).T)
    return found


def _stored_shapes(filters: tuple[int, int, int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What dlib stores of a convolution and the affine layer behind it: filters and biases, scales and shifts."""
    return (int(np.prod(filters)) + filters[0],), (2 * filters[0],)


def _tensors(data: bytes, shapes: Sequence[tuple[int, ...]]) -> Iterator[NDArray[np.float32]]:
    """Tensors of known shapes, in order. dlib writes a tensor as format version 2, four dimensions, float32 values.

    Raises:
        ValueError: one is not there.
    """
    place = 0
    for shape in shapes:
        header = b"".join(_dlib_integer(value) for value in (2, *shape, *[1] * (4 - len(shape))))
        count = int(np.prod(shape))
        start = data.index(header, place) + len(header)
        place = start + 4 * count
        yield np.frombuffer(data, dtype="<f4", count=count, offset=start).reshape(shape)


def _dlib_integer(value: int) -> bytes:
    """dlib's serialisation of a positive integer: how many bytes, then the bytes, lowest first."""
    length = (value.bit_length() + 7) // 8
    return bytes([length]) + value.to_bytes(length, "little")
