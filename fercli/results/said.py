"""Words and texts of a language."""

from __future__ import annotations

from collections.abc import Sequence

from fercli.results.model import Word

_WITHOUT_BLANKS = frozenset(("zh", "ja", "th", "lo", "my", "yue"))
"""Languages that Whisper writes without blanks between words."""


def joined(words: Sequence[Word], language: str) -> str:
    """Words as a text."""
    return ("" if language in _WITHOUT_BLANKS else " ").join(word.text for word in words)


def tokens(text: str, language: str) -> list[str]:
    """A text as words; letters where the language has no blanks."""
    parts = text.split()
    return list("".join(parts)) if language in _WITHOUT_BLANKS else parts
