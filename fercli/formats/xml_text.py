"""Characters that no XML file may hold, whatever names have them."""

from __future__ import annotations

import re

_NOT_A_CHAR = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All but `Char`, production 2 of https://www.w3.org/TR/xml/#charsets: control characters and halves of pairs."""


def without_forbidden(xml: str) -> str:
    """XML text with U+FFFD in place of each character that XML 1.0 forbids, which no reference can stand for either."""
    return _NOT_A_CHAR.sub("\N{REPLACEMENT CHARACTER}", xml)
