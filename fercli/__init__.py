"""fercli: who felt what, when, in a video."""

import os

# onnxruntime sends its vendor the machine's id, file names and run times unless this is set before it is imported.
# fercli works on biometric data: nothing leaves the machine.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
