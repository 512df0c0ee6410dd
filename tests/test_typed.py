"""Dataclasses from JSON: a value of another type is refused, whatever a reader would have made of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from fercli.config import FacesParams
from fercli.typed import build
from fercli.workspace import Receipt

RECEIPT = Receipt("track", 5, {"cast": ""}, {"video": "ab"}, {"net": "cd"}, counts={"tracks": 3}, seconds=1)


def test_what_was_written_comes_back() -> None:
    assert build(Receipt, asdict(RECEIPT)) == RECEIPT
    assert build(FacesParams, asdict(FacesParams())) == FacesParams()


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": 5},
        {"version": "5"},
        {"version": True},
        {"params": []},
        {"inputs": {"video": 5}},
        {"warnings": "text"},
        {"warnings": [None]},
        {"seconds": "1"},
        {"seconds": float("nan")},
        {"invented": 1},
    ],
)
def test_another_type_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        build(Receipt, asdict(RECEIPT) | changed)


@pytest.mark.parametrize("values", [None, [], "text", 5, {"stage": "x"}])
def test_what_is_no_such_object_is_refused(values: Any) -> None:
    with pytest.raises(TypeError):
        build(Receipt, values)
