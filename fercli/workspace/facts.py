"""What workspace.json holds: what is known of the video, and the state of its file when it was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VideoFacts:
    """What is known of the video without decoding it.

    Attributes:
        path: absolute.
        size: bytes.
        sha256: hex digest of the file.
        width, height: of the upright picture (turned and mirrored as a player shows it), stored pixels; of the first
            frame, to which frames of another size are fitted. All boxes are in these pixels.
        rotation: clockwise degrees a player turns the stored picture by: 0, 90, 180 or 270.
        fps: average frames a second.
        duration_s: of the video stream, seconds.
        start_s: when the first frame is shown, seconds from where a player begins.
        raw_start_s: what the clock inside the file shows when a player shows 0, seconds: the start of the stream that
            begins first. A time here and this are the file's own timestamp, but for the offset of a clock that jumps.
        codec: as ffmpeg names it.
        mirrored: whether left and right are swapped after that turn.
        pixel_aspect: width / height of one stored pixel of the upright picture as a player shows it; 1.0 is square.
    """

    path: str
    size: int
    sha256: str
    width: int
    height: int
    rotation: int
    fps: float
    duration_s: float
    start_s: float
    raw_start_s: float
    codec: str
    mirrored: bool = False
    pixel_aspect: float = 1.0

    @property
    def end_s(self) -> float:
        """When the last frame ends, seconds."""
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class FileState:
    """What tells without reading a file whether it changed, as git does: size, modification time and inode.

    Attributes:
        size: bytes.
        modified_ns: modification time, nanoseconds since the epoch.
        inode: number of the file on its disk.
    """

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """Of a file as it is now; None if there is none that can be seen."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)
