"""The registry's record of a network."""

from __future__ import annotations

from dataclasses import dataclass

COMMERCIAL = ("yes", "no", "unclear")


@dataclass(frozen=True)
class ModelSpec:
    """One network.

    Attributes:
        name: name in options.
        task: `detector`, `embedder`, `mesh`, `blendshapes`, `occlusion`, `voice`, `speech`, `speakers`, `voices` or
            `classifier`.
        loader: `module:function`; the function takes the path of the weights (or None) and the device.
        licence, source, training_data: licence, source and training data of the weights.
        weights: file name in `weights/`, or `package:path/in/package` for weights that come with a dependency;
            empty if the user must give a file, or if the package has no separate file. sha256: sha256 of that file;
        empty if `weights` is empty or the user gives the file.
        commercial: whether they may be used commercially, one of COMMERCIAL; see `models.licences`.
        needs: required package.
        install: the command that installs it.
        needs_file: whether the user must give a weights file.
        optional: whether fercli is complete without it.
        address: where `fercli models fetch` gets its files; empty if it does not.
        parcels: packages that hold the same files, for places from which that cannot be reached.
    """

    name: str
    task: str
    loader: str
    licence: str
    source: str
    training_data: str
    weights: str = ""
    sha256: str = ""
    commercial: str = "unclear"
    needs: str = ""
    install: str = ""
    needs_file: bool = False
    optional: bool = False
    address: str = ""
    parcels: tuple[str, ...] = ()
