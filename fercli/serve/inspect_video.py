"""Looks at the header of an uploaded video, in a process of its own: a file that crashes or stalls the decoder harms
nothing else.

    python -m fercli.serve.inspect_video FILE
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from fercli.errors import FercliError, InputError, VideoError
from fercli.serve.settings import Limits

_TIMEOUT_S = 60.0


def inspect(path: Path, limits: Limits) -> dict[str, Any]:
    """Facts of a video from its header: `seconds` (None if it does not say), `width`, `height`.

    Raises:
        VideoError: it is no video, too long, or its frames are too large.
    """
    command = [sys.executable, "-m", "fercli.serve.inspect_video", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise _no_video(path, "the decoder stops at it") from error
    if "message" in found:
        raise VideoError(found["message"], hint=found["hint"], code=found["code"])
    _check(path, found, limits)
    return found


def _check(path: Path, facts: dict[str, Any], limits: Limits) -> None:
    if facts["width"] * facts["height"] > limits.pixels:
        raise VideoError(
            f"{path.name} has frames of {facts['width']} x {facts['height']} pixels",
            hint=f"this service takes up to {limits.pixels} pixels a frame",
            code="video-too-large",
        )
    if facts["seconds"] and facts["seconds"] > limits.hours * 3600:
        raise VideoError(
            f"{path.name} is {facts['seconds'] / 3600:.1f} hours long",
            hint=f"this service takes up to {limits.hours:g} hours",
            code="video-too-long",
        )


def _no_video(path: Path, reason: str) -> InputError:
    return InputError(f"{path.name} is no video: {reason}", hint="post a video file", code="upload-is-no-video")


def _facts(path: Path) -> dict[str, Any]:
    from fercli.media.container import open_video

    with open_video(path) as (container, stream):
        seconds = container.duration / 1_000_000 if container.duration else None
        return {"seconds": seconds, "width": stream.width, "height": stream.height}


def main(path: Path) -> None:
    """Print the facts, or the error, as JSON."""
    try:
        answer = _facts(path)
    except FercliError as error:
        answer = {"code": error.code, "message": error.message, "hint": error.hint}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
