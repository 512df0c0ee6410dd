"""fercli: who felt what, when, in a video.

    result = fercli.annotate("episode.mp4", gallery="people/")
    result = fercli.open("episode.fercli")

See `fercli.api` for all of it. What is listed in `__all__` is imported when it is first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fercli.version import VERSION

if TYPE_CHECKING:
    from fercli.api import Result, annotate
    from fercli.api import open_workspace as open
    from fercli.config import EmotionsParams, FacesParams, FramesParams, PersonsParams, Runtime, TracksParams
    from fercli.errors import FercliError
    from fercli.progress import Progress

# onnxruntime sends its vendor the machine's id, file names and run times unless this is set before it is imported.
# fercli works on biometric data: nothing leaves the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# OpenCV reads this when it is first imported, and refuses a larger picture by its header, before it takes memory. The
# cameras of phones give up to 108 million pixels; whoever has larger pictures sets the variable.
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
    "open",
]

_HOMES = {
    "annotate": ("fercli.api", "annotate"),
    "open": ("fercli.api", "open_workspace"),
    "Result": ("fercli.api", "Result"),
    "FercliError": ("fercli.errors", "FercliError"),
    "Progress": ("fercli.progress", "Progress"),
    **{name: ("fercli.config", name) for name in __all__ if name.endswith("Params") or name == "Runtime"},
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: `import fercli` alone stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'fercli' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
