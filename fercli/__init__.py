"""fercli: who felt what, when, in a video.

    result = fercli.annotate("episode.mp4", gallery="people/")
    result = fercli.open("episode.fercli")
    outcomes = fercli.annotate_many(["season1/"], "annotations/", cast="show.cast")

See `fercli.api` for the whole API. The names in `__all__` are imported when they are first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fercli.version import VERSION

if TYPE_CHECKING:
    from fercli.api import Result, annotate
    from fercli.api import open_workspace as open
    from fercli.batch.api import annotate_many
    from fercli.config import EmotionsParams, FacesParams, FramesParams, PersonsParams, Runtime, TracksParams
    from fercli.errors import FercliError
    from fercli.progress import Progress

# onnxruntime sends a computer id, file names and run times to its vendor unless this is set before the import. fercli
# works on biometric data, so nothing may be sent.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# OpenCV reads this at its first import, and refuses a larger picture by its header, before it allocates memory. Phone
# cameras have up to 108 million pixels; for larger pictures, set the variable.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))

__version__ = VERSION

__all__ = [
    "AttributesParams",
    "EmotionsParams",
    "FacesParams",
    "FercliError",
    "FramesParams",
    "PersonsParams",
    "Progress",
    "Result",
    "Runtime",
    "TracksParams",
    "annotate",
    "annotate_many",
    "open",
]

_HOMES = {
    "annotate": ("fercli.api", "annotate"),
    "annotate_many": ("fercli.batch.api", "annotate_many"),
    "open": ("fercli.api", "open_workspace"),
    "Result": ("fercli.api", "Result"),
    "FercliError": ("fercli.errors", "FercliError"),
    "Progress": ("fercli.progress", "Progress"),
    **{name: ("fercli.config", name) for name in __all__ if name.endswith("Params") or name == "Runtime"},
}


def __getattr__(name: str) -> Any:
    """Import names when they are used, so that `import fercli` is fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fercli' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
