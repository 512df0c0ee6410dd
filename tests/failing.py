"""Errors by class and code, which stay, and by the facts in a message: files, lines, names, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fercli.errors import FercliError


@contextmanager
def fails(cls: type[FercliError], code: str, *facts: str) -> Iterator[pytest.ExceptionInfo[FercliError]]:
    """As `pytest.raises`: the block raises an error of this class with this code whose message has all the facts."""
    with pytest.raises(cls) as caught:
        yield caught
    assert caught.value.code == code
    assert [fact for fact in facts if fact not in caught.value.message] == [], caught.value.message
