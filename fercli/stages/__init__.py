"""The chain. Each stage reads tables, writes tables, and knows nothing of the others; they meet on disk."""

from fercli.stages.base import Stage
from fercli.stages.emotions import STAGE as EMOTIONS
from fercli.stages.export import STAGE as EXPORT
from fercli.stages.faces import STAGE as FACES
from fercli.stages.frames import STAGE as FRAMES
from fercli.stages.tracks import STAGE as TRACKS

STAGES: tuple[Stage, ...] = (FRAMES, FACES, TRACKS, EMOTIONS, EXPORT)
"""In the order they run."""

__all__ = ["EMOTIONS", "EXPORT", "FACES", "FRAMES", "STAGES", "TRACKS", "Stage"]
