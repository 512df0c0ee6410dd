"""Dataclasses from untrusted JSON: every field must have its declared type."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], values: Any) -> T:
    """An instance of a dataclass; an integer is accepted for a float, a list for a tuple.

    Raises:
        TypeError: not an object, an unknown or missing field, or a value of another type.
        ValueError: a number that is not finite.
    """
    if not isinstance(values, dict):
        raise TypeError(f"{values!r:.40} is not an object")
    hints = _hints(kind)  # type: ignore[arg-type]  # every class is hashable
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # only dataclasses are handed over
    unknown = sorted(str(name) for name in values.keys() - known)
    if unknown:
        raise TypeError(f"there is no {unknown[0]}")
    return kind(**{name: _value(value, hints[name], name) for name, value in values.items()})


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    """Evaluating the annotations takes a third of the time of reading a workspace if it is done each time."""
    return get_type_hints(kind)


def check_known(kind: type[Any], values: dict[str, Any]) -> None:
    """As `build`, but unknown fields are ignored: they belong to another version.

    Raises:
        TypeError, ValueError: as `build`.
    """
    known = {field.name for field in fields(kind)}
    build(kind, {name: value for name, value in values.items() if name in known})


def _value(value: Any, kind: Any, name: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin in (Union, UnionType):
        return value if value is None else _value(value, next(one for one in inner if one is not type(None)), name)
    if is_dataclass(kind):
        return build(kind, value)  # type: ignore[arg-type]
    if origin is dict and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _value(item, inner[1], f"{name}.{key}") for key, item in value.items()}
    if origin in (list, tuple) and isinstance(value, (list, tuple)):
        return origin(_value(item, inner[0], name) for item in value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}")
        return value
    if (
        isinstance(kind, type)
        and origin is None
        and isinstance(value, kind)
        and isinstance(value, bool) == (kind is bool)
    ):
        return value
    raise TypeError(f"{name} is {value!r:.40}")
