"""Text on a terminal: what comes from other people's files can neither move the cursor nor turn a line around."""

from __future__ import annotations

_UNSEEN = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Control characters, ends of lines and paragraphs, and the overrides and isolates of direction."""
_ESCAPED = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSEEN}
_ESCAPED |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
_LINES = {code: text for code, text in _ESCAPED.items() if code != ord("\n")}


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with `\x1b`, `\n` or `\u202e` in the place of each character that a terminal obeys or that hides.

    Args:
        lines: whether the text may have several lines, as some hints have.
    """
    return text.translate(_LINES if lines else _ESCAPED)
