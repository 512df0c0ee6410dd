"""fercli: who felt what, when, in a video."""

import os

# onnxruntime sends its vendor the machine's id, file names and run times unless this is set before it is imported.
# fercli works on biometric data: nothing leaves the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# OpenCV reads this when it is first imported, and refuses a larger picture by its header, before it takes memory. The
# cameras of phones give up to 108 million pixels; whoever has larger pictures sets the variable.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))

__version__ = "0.1.0"
