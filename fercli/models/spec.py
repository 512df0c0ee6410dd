"""What the registry knows of a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSpec:
    """One network.

    Attributes:
        name: what a person types.
        task: `detector`, `embedder`, `mesh`, `blendshapes`, `occlusion` or `classifier`.
        loader: `module:function`; the function takes the path of the weights (or None) and the device.
        licence, source, training_data: of the weights.
        weights: file name in `weights/`, or `package:path/in/package` for weights that come with a dependency;
            empty where a file must be given by hand or the package holds no separate file.
        sha256: of that file; empty where `weights` is, and for a file of a person's own.
        needs: package that must be importable.
        install: the command that installs it.
        needs_file: whether it only works with a weights file given by hand.
    """

    name: str
    task: str
    loader: str
    licence: str
    source: str
    training_data: str
    weights: str = ""
    sha256: str = ""
    needs: str = ""
    install: str = ""
    needs_file: bool = False
