"""Where a data set is looked for when `--root` is not given, and where it can be had."""

from __future__ import annotations

import os
from pathlib import Path

from fercli.errors import ConfigError
from fercli.learn.datasets import require_known
from fercli.learn.datasets.over_time import OVER_TIME

DATA_VARIABLE = "FERCLI_DATA"
"""Environment variable: the directory with all data sets."""

OBTAIN = {
    "affectnet": "apply at http://mohammadmahoor.com/affectnet/",
    "affectnet7": "apply at http://mohammadmahoor.com/affectnet/",
    "casme2": "apply at http://casme.psych.ac.cn/casme/e2",
    "ckplus": "apply at https://www.jeffcohn.net/resources/",
    "fer2013": "download it from https://www.kaggle.com/competitions/challenges-in-representation-learning-facial-"
    "expression-recognition-challenge",
    "ferplus": "download the votes from https://github.com/microsoft/FERPlus and put them beside fer2013.csv",
    "friends": "its annotations are given to members of the VTT project (IITP 2017-0-01780)",
    "jaffe": "apply at https://zenodo.org/record/3451524",
    "kdef": "apply at https://kdef.se",
    "mmi": "apply at https://mmifacedb.eu",
    "mug": "apply at https://mug.ee.auth.gr/fed",
    "raf": "apply at http://www.whdeng.cn/raf/model1.html",
    "raf-compound": "apply at http://www.whdeng.cn/raf/model1.html",
    "raf-multi": "apply at http://www.whdeng.cn/raf/model2.html",
    "aff-wild2-expr": "apply at https://ibug.doc.ic.ac.uk/resources/aff-wild2/",
    "aff-wild2-va": "apply at https://ibug.doc.ic.ac.uk/resources/aff-wild2/",
    "afew-va": "apply at https://ibug.doc.ic.ac.uk/resources/afew-va-database/",
    "avec": "apply to the organisers of AVEC 2013 and 2014 (Valstar et al.)",
    "omg": "ask its authors: Barros et al. 2018, arXiv 1803.05434",
    "recola": "apply at https://diuf.unifr.ch/main/diva/recola/",
    "samm": "apply to its authors: Davison et al. 2018",
    "send": "apply at https://github.com/StanfordSocialNeuroscienceLab/SEND",
    "sewa": "apply at https://db.sewaproject.eu",
    "smic": "apply to its authors: Li et al. 2013",
}
"""Data set -> where to get it. `folder` and `corrected` are the user's own, so they have no usual place either."""

_FOLDERS = {
    "affectnet7": ("affectnet",),
    "ferplus": ("ferplus", "fer2013"),
    "raf-compound": ("raf",),
    "raf-multi": ("raf", "raf-ml"),
    "aff-wild2-expr": ("aff-wild2",),
    "aff-wild2-va": ("aff-wild2",),
}
"""Folders of sets that are not named as the set."""


def find_root(name: str, root: Path | None = None) -> Path:
    """The given root, or else the first usual place of a data set that exists.

    The places are `$FERCLI_DATA/NAME`, `./NAME` in capitals, `./NAME`.

    Args:
        name: a key of `DATASETS`.
        root: `--root`, if given.

    Raises:
        ConfigError: an unknown data set, or no root is given and there is nothing at the usual places.
    """
    if name not in OVER_TIME:
        require_known(name)
    if root is not None:
        return root
    if name not in OBTAIN:
        raise ConfigError(
            f"{name} is a set of your own: it needs --root",
            hint="give its directory with --root",
            code="option-missing",
        )
    places = usual_places(name)
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise ConfigError(
            f"no {name}: --root is not given, and there is nothing at {', '.join(map(str, places))}",
            hint=f"{OBTAIN[name]}, then give --root, or set {DATA_VARIABLE} to the directory that holds {places[-1]}",
            code="option-missing",
        )
    return found


def usual_places(name: str) -> list[Path]:
    """Where a data set is looked for, in order."""
    folders = _FOLDERS.get(name, (name,))
    data = os.environ.get(DATA_VARIABLE)
    places = [Path(data) / folder for folder in folders] if data else []
    return places + [Path(spelling) for folder in folders for spelling in (folder.upper(), folder)]
