"""Data on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any


def to_stdout(content: bytes) -> None:
    """Write bytes unchanged, independent of the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def json_to_stdout(result: Any) -> None:
    """Write JSON in UTF-8. Types that JSON does not have, such as paths, are written as text."""
    text = json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n"
    # Only surrogates of file names that are not UTF-8 are escaped, in the same way as JSON does.
    to_stdout(text.encode("utf-8", "backslashreplace"))
