"""One workspace is one video: its directories, receipts, lock, and how a finished stage is swapped in.

    episode.fercli/
      workspace.json     format version and facts of the video
      index.npz          time of each frame of the video
      frames/ ...        one directory per stage, each with its receipt.json
      edits.jsonl        manual corrections, one line per edit; no stage writes it
      faces.partial/     a running or killed stage: key.json, chunks-KEY/, out/

A stage directory is complete or absent. A stage writes to `name.partial/out`, the receipt last; then the directory
replaces the old one by renaming, so after a kill at any moment there is either the old or the new state. Renaming needs
a single disk: the workspace may be a link, and its files may be read through links, but a stage whose directory is a
link does not run.

Only the owner can read biometric tables and the files of a running stage.
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
