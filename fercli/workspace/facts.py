"""Content of workspace.json: facts of the video, and the state of its file when it was read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VideoFacts:
    """Facts of the video.

    Attributes:
        path: absolute.
        size: bytes. sha256: hex digest of the file.
        width, height: stored pixels of the upright picture (rotated and mirrored as in a player), from the first frame;
            frames of another size are fitted to it. All boxes are in these pixels. Both are 0 if there is only sound.
        rotation: clockwise degrees by which a player rotates the stored picture: 0, 90, 180 or 270.
        fps: average frame rate.
        duration_s: duration of the video stream, seconds.
        start_s: time of the first frame, seconds from the start in a player.
        raw_start_s: container time at player time 0, seconds: the start of the earliest stream. Added to a time in
            fercli, it gives the timestamp in the file, except for the offset of a clock that jumps.
        codec: ffmpeg's name of the codec.
        mirrored: whether left and right are swapped after that rotation.
        pixel_aspect: width / height of a stored pixel of the upright picture in a player; 1.0 is square.
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
    def has_picture(self) -> bool:
        """Whether it is a video; a file with sound only has neither frames nor a frame rate."""
        return self.width > 0

    @property
    def end_s(self) -> float:
        """When the last frame ends, seconds."""
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class FileState:
    """State of a file, to detect changes without reading it, as git does: size, modification time and inode.

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
        """The present state of a file; None if it does not exist or cannot be accessed."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)
