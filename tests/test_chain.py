"""The chain is declared once, and what it declares is there."""

from __future__ import annotations

from dataclasses import is_dataclass

import pytest

from fercli.chain import (
    ATTRIBUTES,
    EMOTIONS,
    FACES,
    FRAMES,
    PERSONS,
    STAGE_OF,
    STAGES,
    TRACKS,
    Stage,
    call,
    in_order,
    needed_for,
)
from fercli.errors import ModelError
from fercli.tables import SCHEMAS


def test_no_stage_reads_what_a_later_one_writes() -> None:
    known = {"video"}
    for stage in STAGES:
        assert set(stage.reads) <= known, stage.name
        known |= set(stage.writes)
    assert known == {"video", "emotions", *SCHEMAS}


def test_every_table_has_one_writer_and_every_name_is_given_once() -> None:
    assert len(STAGE_OF) == sum(len(stage.writes) for stage in STAGES)
    for names in ([stage.name for stage in STAGES], [stage.title for stage in STAGES]):
        assert len(set(names)) == len(names)


def networks_of(stage: Stage) -> dict[str, str]:
    """Its networks with their sha256; the test is skipped if weights that do not come with fercli are missing."""
    try:
        networks: dict[str, str] = call(stage.weights, stage.params())
    except ModelError as error:
        if stage.optional:
            pytest.skip(f"{error.message}: {error.hint}")
        raise
    return networks


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_functions_of_a_stage_take_its_parameters(stage: Stage) -> None:
    assert is_dataclass(stage.params)
    params = stage.params()
    call(stage.check, params)
    assert all(len(sha256) == 64 for sha256 in networks_of(stage).values())
    assert call(stage.outside, params) == {}


@pytest.mark.parametrize(
    ("table", "stages"),
    [
        ("frames", (FRAMES,)),
        ("crops", (FRAMES, FACES)),
        ("persons", (FRAMES, FACES, TRACKS, PERSONS)),
        ("segments", (FRAMES, FACES, TRACKS, ATTRIBUTES, EMOTIONS)),
        ("attributes", (FRAMES, FACES, ATTRIBUTES)),
    ],
)
def test_what_has_to_run_for_a_table(table: str, stages: tuple[Stage, ...]) -> None:
    assert needed_for(table) == stages
    assert needed_for("emotions")[-1] is EMOTIONS


def test_the_order_follows_from_what_is_read_and_written() -> None:
    backwards = in_order(reversed(STAGES))
    assert backwards != STAGES  # emotions and persons do not wait for each other
    backwards = tuple(stage for stage in backwards if not stage.optional)
    assert backwards[:2] == (FRAMES, FACES) and backwards.index(EMOTIONS) > backwards.index(TRACKS)
    with pytest.raises(ValueError, match="tracks"):
        in_order((FRAMES, TRACKS))


def test_a_command_may_run_several_stages_of_which_the_later_have_their_own_titles() -> None:
    assert [stage.name for stage in STAGES if stage.command == "track"] == ["tracks", "persons"]
    assert (TRACKS.title, PERSONS.title) == ("track", "persons")


def test_the_default_chain_needs_no_optional_stage() -> None:
    optional = {table for stage in STAGES if stage.optional for table in stage.writes}
    assert optional
    assert [stage for stage in STAGES if not stage.optional and optional & set(stage.reads)] == []
