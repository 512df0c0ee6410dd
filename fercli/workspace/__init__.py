"""One workspace is one video: its directories, receipts, lock, and how a finished stage is swapped in.

    episode.fercli/
      workspace.json     format version and what is known of the video
      index.npz          when each frame of the video is shown
      frames/ ...        one directory a stage, each with its receipt.json
      edits.jsonl        manual corrections, one line an edit; no stage ever writes it
      faces.partial/     a stage at work, or one that was killed: key.json, chunks/, out/

A stage directory is complete or absent. What a stage writes goes to `name.partial/out`, receipt last; then the whole
directory takes the place of the old one by renaming, so a kill at any moment leaves the old state or the new one.
Renaming needs one disk: the workspace may be a link, and what is in it may be read through links, but a stage whose
directory is one does not run.

Tables by which faces can be recognised, and everything of a stage at work, are for the owner's eyes only.
"""

from fercli.workspace.facts import FileState, VideoFacts
from fercli.workspace.receipts import Receipt
from fercli.workspace.staleness import Digests, require_tables, why_stale
from fercli.workspace.store import FORMAT, Workspace, hint_for_moved

__all__ = [
    "FORMAT",
    "Digests",
    "FileState",
    "Receipt",
    "VideoFacts",
    "Workspace",
    "hint_for_moved",
    "require_tables",
    "why_stale",
]
