"""Text that a spreadsheet would run is marked, and every text can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercli.escapes import plain_cell, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=x", "''-x"])
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ross", "O'Brien", "'t Hart", "a=b", "Zoë", "1"])
def test_other_text_stays(text: str) -> None:
    assert safe_cell(text) == plain_cell(text) == text


@given(st.text(st.sampled_from("'=+-@\t\rax "), max_size=6))
def test_every_text_comes_back(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
