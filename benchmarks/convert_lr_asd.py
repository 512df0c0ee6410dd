"""Convert the published weights of LR-ASD to `weights/lr-asd.safetensors`.

    python benchmarks/convert_lr_asd.py pretrain_AVA.model weights/lr-asd.safetensors

Each batch normalisation is merged into the convolution before it, which changes the scores by rounding alone; the head
that was only used in training is left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

from fercli.hashing import sha256_file

PUBLISHED = "85e6c77f"
"""What the sha256 of the published file begins with."""
EPSILON = 1e-3


def convert(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors by their names in `fercli.models.lr_asd`."""
    found = {
        key.replace("lossAV.FC", "head"): tensor.contiguous()
        for key, tensor in state.items()
        if key.startswith(("lossAV.", "model.detector.gru"))
    }
    for key in [key for key in state if key.endswith("running_mean")]:
        norm = key.removesuffix(".running_mean")
        layer = norm.replace("_norm", "") if "_norm" in norm else norm.replace(".bn", ".attention")
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
        weight = state[f"{layer}.weight"]
        found[f"{layer}.weight"] = (weight * scale.reshape(-1, *[1] * (weight.ndim - 1))).contiguous()
        found[f"{layer}.bias"] = state[f"{norm}.bias"] - state[key] * scale
    return {key.removeprefix("model."): tensor for key, tensor in found.items()}


def main() -> None:
    """Write the file, and print its sha256."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("published", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    if not sha256_file(chosen.published).startswith(PUBLISHED):
        parser.error(f"{chosen.published} is not the published file")
    save_file(convert(torch.load(chosen.published, map_location="cpu", weights_only=True)), chosen.out)
    print(sha256_file(chosen.out))


if __name__ == "__main__":
    main()
