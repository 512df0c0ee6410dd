"""Make the material for the tutorial on corpora: five short videos of a host with a guest, and photographs of the host.

    python -m examples.make_talk_show show/

`show/videos/1.mp4` to `5.mp4`: the man of the sample (`make_sample.py`), cut, the woman. `show/photos/`: pictures of
the man, and one of the woman among them. The same packages always give the same files.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

from PIL import Image

from examples.make_sample import MissingPictureError, carphone_frames, woman_frames, write_video

VIDEOS = 5
HOST_FRAMES, GUEST_FRAMES = 40, 20
"""Frames of each video, at 25 a second."""


def make_talk_show(folder: Path) -> None:
    """Write the videos and the photographs.

    Raises:
        MissingPictureError: a package is not installed.
        OSError: a file cannot be written.
    """
    for name in ("videos", "photos"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    host, guest = list(carphone_frames()), list(woman_frames())
    part = len(host) // VIDEOS
    for number in range(VIDEOS):
        own = host[number * part : (number + 1) * part]
        own = list(islice(own + own[-2::-1], HOST_FRAMES))
        write_video(folder / f"videos/{number + 1}.mp4", own + guest[number * GUEST_FRAMES :][:GUEST_FRAMES])
    photos = {f"host{number}": host[number * part] for number in range(VIDEOS)} | {"guest": guest[0]}
    for name, image in photos.items():
        Image.fromarray(image).save(folder / f"photos/{name}.png")


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    try:
        make_talk_show(parser.parse_args(arguments).folder)
    except MissingPictureError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
