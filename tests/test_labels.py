"""The one order of classes, other people's names for them, and the short names of exports."""

from __future__ import annotations

import pytest

from fercli import labels
from fercli.labels import EMOTIONS, EMOTIONS_8, NOT_ASSESSABLE, RECORD_NAMES, canonical


def test_canonical_order() -> None:
    assert EMOTIONS == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert (*EMOTIONS, "contempt") == EMOTIONS_8


def test_every_class_has_its_own_record_name() -> None:
    assert set(RECORD_NAMES) == {*EMOTIONS_8, NOT_ASSESSABLE}
    assert len(set(RECORD_NAMES.values())) == len(RECORD_NAMES)
    assert RECORD_NAMES["happiness"] == "happy"


@pytest.mark.parametrize("label", EMOTIONS_8)
def test_a_label_and_its_record_name_are_both_understood(label: str) -> None:
    assert canonical(label) == label
    assert canonical(RECORD_NAMES[label]) == label


def test_no_spelling_means_two_classes() -> None:
    spellings = [name for label, names in labels._SYNONYMS.items() for name in (label, *names)]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize(("name", "label"), [(" Happy\n", "happiness"), ("SAD", "sadness"), ("Fearful", "fear")])
def test_case_and_blanks_do_not_matter(name: str, label: str) -> None:
    assert canonical(name) == label


@pytest.mark.parametrize("name", ["", "unknown", "NF", "not assessable", "hap"])
def test_other_names_are_no_class(name: str) -> None:
    assert canonical(name) is None
