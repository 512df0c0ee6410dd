"""Rules for the values of columns: defined with each column, checked for whole columns at once.

A schema defines columns and types. Values can still be invalid: a time that is not a number, a face that does not
exist. `rule` defines the rules of a column, `broken_rule` finds the first violation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ROWS = "rows"
"""Order of a column that numbers the rows: 0, 1, 2 ..."""
RISING = "rising"
"""Order of a column in which each value is above the one before it."""
SORTED = "sorted"
"""Order of a column in which no value is below the one before it."""

_ROUNDING = 1e-4
"""Tolerance of ranges of floats: the rounding error of sums of probabilities in float32."""


def rule(
    *,
    low: float | None = None,
    high: float | None = None,
    order: str = "",
    from_column: str = "",
    above_column: str = "",
    one_of: tuple[str, ...] = (),
    found_in: str = "",
    covers: bool = False,
) -> dict[str, str]:
    """The metadata of a field. Without a range integers are 0 or more, and floats any finite number.

    Args:
        low, high: range, both inclusive; also for the numbers in a list.
        order: ROWS, RISING or SORTED.
        from_column: column of the same table that is never above this one.
        above_column: the same, but never equal.
        one_of: all allowed values.
        found_in: `table.column` that contains every value of this one.
        covers: whether this column also contains every value of that column.
    """
    stated = {
        "low": "" if low is None else repr(float(low)),
        "high": "" if high is None else repr(float(high)),
        "order": order,
        "from_column": from_column,
        "above_column": above_column,
        "one_of": "|".join(one_of),
        "found_in": found_in,
        "covers": "yes" if covers else "",
    }
    return {name: value for name, value in stated.items() if value}


def rules_of(field: pa.Field) -> dict[str, str]:
    """The rules in a field's metadata, and the other metadata."""
    return {name.decode(): value.decode() for name, value in (field.metadata or {}).items()}


def broken_rule(table: pa.Table, schema: pa.Schema, first_row: int | None = 0) -> str:
    """The first invalid value, with its column; empty if all are valid.

    Args:
        table: columns of a table, all or some, all rows or some in their order.
        schema: schema with the rules; may have more columns.
        first_row: number of the table's first row, None if rows are missing in between or numbered otherwise.
    """
    for name in table.column_names:
        reason = _broken(table, schema.field(name), first_row)
        if reason:
            return f"column {name}: {reason}"
    return ""


def values_of(column: pa.ChunkedArray) -> NDArray[Any]:
    """The numbers of a column without nulls; lists are flattened."""
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        column = pc.list_flatten(column)
    return np.asarray(pc.drop_null(column).to_numpy())


def _broken(table: pa.Table, field: pa.Field, first_row: int | None) -> str:
    column, rules = table[field.name], rules_of(field)
    if not field.nullable and column.null_count:
        return "it has rows without a value"
    if pa.types.is_string(field.type):
        return _broken_text(column, rules)
    if pa.types.is_binary(field.type) or pa.types.is_boolean(field.type):
        return ""
    if pa.types.is_list(field.type) and pc.count_distinct(pc.list_value_length(column)).as_py() > 1:
        return "its lists differ in length"
    values = values_of(column)
    return (
        _outside(values, rules, integers=values.dtype.kind in "iu")
        or _disordered(values, rules.get("order", ""), first_row)
        or _below_its_column(table, values, rules)
    )


def _broken_text(column: pa.ChunkedArray, rules: dict[str, str]) -> str:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return "text that is not UTF-8"
    if "one_of" in rules:
        known = {*rules["one_of"].split("|"), None}
        strange = [value for value in pc.unique(column).to_pylist() if value not in known]
        return f"{strange[0]!r} is not one of {', '.join(rules['one_of'].split('|'))}" if strange else ""
    return ""


def _outside(values: NDArray[Any], rules: dict[str, str], *, integers: bool) -> str:
    """A value that is out of range; NaN always is."""
    if not len(values):
        return ""
    limit = float(np.finfo(np.float32).max)
    low = float(rules.get("low", 0.0 if integers else -limit))
    high = float(rules.get("high", limit))
    slack = 0.0 if integers else _ROUNDING
    if values.min() >= low - slack and values.max() <= high + slack:  # comparisons with NaN are false
        return ""
    bad = values[~((values >= low - slack) & (values <= high + slack))][0]
    if not integers and not np.isfinite(bad):
        return f"{bad} is not a finite number"
    return f"{bad} is below {low:g}" if bad < low else f"{bad} is above {high:g}"


def _disordered(values: NDArray[Any], order: str, first_row: int | None) -> str:
    if order == ROWS and first_row is not None:
        numbered = np.array_equal(values, np.arange(first_row, first_row + len(values)))
        return "" if numbered else f"it does not number the rows from {first_row}"
    steps = np.diff(values) if order else values[:0]
    wrong = np.flatnonzero(steps < 0 if order == SORTED else steps <= 0)
    return f"{values[wrong[0] + 1]} follows {values[wrong[0]]}" if len(wrong) else ""


def _below_its_column(table: pa.Table, values: NDArray[Any], rules: dict[str, str]) -> str:
    name = rules.get("from_column") or rules.get("above_column", "")
    if name not in table.column_names:
        return ""
    other = np.asarray(table[name].to_numpy())
    wrong = np.flatnonzero(values < other if "from_column" in rules else values <= other)
    return f"{values[wrong[0]]} where {name} is {other[wrong[0]]}" if len(wrong) else ""
