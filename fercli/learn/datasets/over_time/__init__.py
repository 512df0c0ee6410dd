"""Sets with annotations over time by name: one small reader each, imported when used."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.over_time.recordings import Recording, Recordings

OVER_TIME = {
    "aff-wild2-expr": "fercli.learn.datasets.over_time.affwild2:read_expr",
    "aff-wild2-va": "fercli.learn.datasets.over_time.affwild2:read_va",
    "afew-va": "fercli.learn.datasets.over_time.afew_va:read",
    "avec": "fercli.learn.datasets.over_time.avec:read",
    "casme2": "fercli.learn.datasets.over_time.courses:read_casme2",
    "ckplus": "fercli.learn.datasets.over_time.courses:read_ckplus",
    "mmi": "fercli.learn.datasets.over_time.courses:read_mmi",
    "omg": "fercli.learn.datasets.over_time.omg:read",
    "own": "fercli.learn.datasets.over_time.own:read",
    "recola": "fercli.learn.datasets.over_time.recola:read",
    "samm": "fercli.learn.datasets.over_time.courses:read_samm",
    "send": "fercli.learn.datasets.over_time.send:read",
    "sewa": "fercli.learn.datasets.over_time.sewa:read",
    "smic": "fercli.learn.datasets.over_time.courses:read_smic",
}
"""Name -> `module:function`; the function takes the root and returns Recordings."""


def read_recordings(name: str, root: Path, *, strict: bool = False) -> Recordings:
    """Read a set.

    Args:
        name: a key of OVER_TIME.
        root: its directory, as it was unpacked.
        strict: whether a file that cannot be used is an error.

    Raises:
        ConfigError: no set of that name.
        DatasetError: `root` does not hold that set, or, if `strict`, a file cannot be used.
    """
    if name not in OVER_TIME:
        raise ConfigError(
            f"{name!r} has no annotations over time", hint=f"known: {', '.join(OVER_TIME)}", code="name-unknown"
        )
    if not root.exists():
        raise DatasetError(
            f"no such file or directory: {root}", hint=f"give the path of {name} with --root", code="file-missing"
        )
    module, function = OVER_TIME[name].split(":")
    found: Recordings = getattr(import_module(module), function)(root)
    if strict and found.problems:
        raise DatasetError(
            f"{len(found.problems)} files of {name} cannot be used, the first: {found.problems[0]}",
            hint="correct the data set, or omit --strict to continue without them",
        )
    return found


__all__ = ["OVER_TIME", "Recording", "Recordings", "read_recordings"]
