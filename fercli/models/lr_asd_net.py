"""LR-ASD in torch, for a GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.errors import WeightsError
from fercli.models.lr_asd import BLOCKS, MEAN, STD
from fercli.models.weights import load_state


class TorchSpeakerNetwork:
    """The network; its methods are those of `SpeakerNetwork`.

    Args:
        state: tensors by name, written by `benchmarks/convert_lr_asd.py`; float32.
    """

    def __init__(self, state: dict[str, Tensor], device: Any) -> None:
        self._device = device
        self._state = {name: tensor.to(device) for name, tensor in state.items()}
        self._grus = {}
        for side in ("forward", "backward"):
            gru = nn.GRU(256, 64, batch_first=True)
            prefix = f"detector.gru_{side}."
            gru.load_state_dict({key[len(prefix) :]: t for key, t in state.items() if key.startswith(prefix)})
            self._grus[side] = gru.to(device).eval()

    def see(self, pictures: NDArray[np.uint8]) -> Tensor:
        """(N, SIDE, SIDE) grey pictures at FPS -> (1, N, 128)."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).float()
            found = ((pixels / 255 - MEAN) / STD)[:, None].to(memory_format=torch.channels_last)
            for block in BLOCKS:
                name = f"visualEncoder.{block}"
                if block != BLOCKS[0]:
                    found = functional.max_pool2d(found, 3, 2, 1)
                for layer in ("s_1", "s_2"):  # the convolutions in space take each picture for itself
                    stride = 2 if (block, layer) == (BLOCKS[0], "s_1") else 1
                    found = self._convolved(found, f"{name}.{layer}", lambda weight: weight[:, :, 0], stride)
                # Those in time take each place for itself. Channels are last in memory, so this is a view.
                n, channels, height, width = found.shape
                found = found.permute(0, 2, 3, 1).reshape(1, n, height * width, channels).permute(0, 3, 1, 2)
                for layer in ("t_1", "t_2"):
                    found = self._convolved(found, f"{name}.{layer}", lambda weight: weight[..., 0])
                found = found.permute(0, 2, 3, 1).reshape(n, height, width, channels).permute(0, 3, 1, 2)
            return found.amax(dim=(2, 3))[None]

    def hear(self, mfcc: NDArray[np.float32]) -> Tensor:
        """(4 N, COEFFICIENTS) -> (1, N, 128)."""
        with torch.inference_mode():
            found = torch.from_numpy(np.ascontiguousarray(mfcc.T)).to(self._device)[None, None]
            for block in BLOCKS:
                if block != BLOCKS[0]:
                    found = functional.max_pool2d(found, (1, 3), (1, 2), (0, 1))
                for layer in ("m_1", "m_2", "t_1", "t_2"):
                    found = self._convolved(found, f"audioEncoder.{block}.{layer}", lambda weight: weight)
            return found.mean(dim=2).transpose(1, 2)

    def talks(self, seen: Tensor, heard: Tensor) -> NDArray[np.float32]:
        """Score of each picture, from what `see` and `hear` return, of the same length: (N,), above 0 if it talks."""
        with torch.inference_mode():
            joined = self._gate(torch.cat((heard, seen), 2), "fusion.attention")
            ahead, _ = self._grus["forward"](joined)
            back, _ = self._grus["backward"](joined.flip(1))
            joined = self._gate(torch.cat((ahead, back.flip(1)), 2), "detector.attention.attention")
            scores = functional.linear(joined[0], self._state["head.weight"], self._state["head.bias"])
            return np.asarray(scores[:, 1].cpu().numpy(), np.float32)

    def _convolved(self, values: Tensor, layer: str, kernel: Callable[[Tensor], Tensor], stride: int = 1) -> Tensor:
        """A convolution in two dimensions that keeps the size, if the stride is 1, and what is above 0 of it."""
        weight = kernel(self._state[f"{layer}.weight"])
        padding = tuple(side // 2 for side in weight.shape[2:])
        return functional.relu_(functional.conv2d(values, weight, self._state[f"{layer}.bias"], stride, padding))

    def _gate(self, joined: Tensor, layer: str) -> Tensor:
        """Each channel multiplied by a share that depends on all of them."""
        opened = functional.linear(joined, self._state[f"{layer}.weight"][..., 0], self._state[f"{layer}.bias"])
        return joined * opened.sigmoid()


def read_network(weights: Path, device: str) -> TorchSpeakerNetwork:
    """The network of a file.

    Raises:
        WeightsError: the file cannot be read, or is of another network.
    """
    try:
        return TorchSpeakerNetwork(load_state(weights), device)
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{weights} is not LR-ASD: {error}", hint="reinstall fercli") from error
