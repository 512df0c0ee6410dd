"""Features of voices: whose they are, when, and where there are none."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

from fercli import tables
from fercli.chain import VALENCE
from fercli.cli.entry import main
from fercli.config import ValenceParams
from fercli.errors import MissingStage, ModelError
from fercli.features import voice
from fercli.features.file import read_facts, read_features
from fercli.features.measure import VOICE, VOICE_SIZE, Request, measure, on_steps, on_windows
from fercli.hashing import output_digests
from fercli.models.sequence import Modality, SequenceHeader, save_sequence_model
from fercli.models.sequences.networks import build_sequence_network
from fercli.progress import Silent
from fercli.stages import valence
from fercli.workspace import Digests, Workspace, why_stale
from fercli.workspace.staleness import planned_receipt
from tests.fake_speech import add_speech, pieces_of
from tests.rated import rate, smiling
from tests.workspaces import add_receipt

RATE = 16_000


class FakeEncoder:
    """50 states a second: the mean of the sound, in all elements."""

    def states(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        means = samples[: len(samples) // 320 * 320].reshape(-1, 320).mean(axis=1)
        return np.repeat(means[:, None], VOICE_SIZE, axis=1)


class Heard(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "load_voice_encoder", lambda layer: FakeEncoder())
    monkeypatch.setattr(voice, "weights_key", lambda spec: {"whisper-base": "a" * 64})


def talking(path: Path, lines: list[tuple[float, float, str]], talks: tuple[float, float] | None) -> Workspace:
    """Ross is on screen up to 8 s, Rachel from 2 to 4 s. The sound is above zero up to 2 s, below it from there to 9 s,
    then silent; `talks` are how probably each of them is heard talking, None without detect-speakers."""
    workspace = add_speech(smiling(path), lines)
    samples = np.zeros(10 * RATE, np.float32)
    samples[: 2 * RATE], samples[2 * RATE : 9 * RATE] = 0.3, -0.3
    tables.write_table(workspace.table("sound"), [pieces_of(samples, 0.0)], tables.SOUND)
    add_receipt(workspace, "audio")
    if talks is not None:
        members = tables.read_table(workspace.table("tracks"), tables.TRACKS).sort_by("face").to_pylist()
        rows = [{"face": one["face"], "talks": talks[one["track"]]} for one in members]
        workspace.table("talking").parent.mkdir()
        table = pa.Table.from_pylist(rows, schema=tables.TALKING_FACES)
        tables.write_table(workspace.table("talking"), [table], tables.TALKING_FACES)
        add_receipt(workspace, "speakers")
    return workspace


def test_a_voice_belongs_to_the_tracks_of_the_speaker_second_by_second(tmp_path: Path) -> None:
    workspace = talking(tmp_path / "w", [(1.0, 3.0, "so it was")], (0.9, 0.1))
    (measured,) = measure(workspace, Request((VOICE,)))
    assert measured.modality == Modality(VOICE, VOICE_SIZE, f"mean of layer 3 of whisper-base, sha256 {'a' * 64}")
    assert measured.track.tolist() == [0, 0]
    assert measured.start_s == pytest.approx([1, 2]) and measured.end_s == pytest.approx([2, 3])
    assert measured.values[0] == pytest.approx(0.05, abs=1e-3)  # all voices are equally loud
    assert measured.values[1] == pytest.approx(-0.05, abs=1e-3)
    workspace = talking(tmp_path / "v", [(2.0, 4.0, "no it was not")], (0.1, 0.9))
    (measured,) = measure(workspace, Request((VOICE,)))
    assert set(measured.track.tolist()) == {1}


def test_where_nobody_on_screen_is_heard_it_is_missing(tmp_path: Path) -> None:
    lines = [(1.0, 2.0, "yes"), (6.0, 6.2, "oh"), (7.0, 9.0, "and so on"), (9.2, 9.8, "silence")]
    workspace = talking(tmp_path / "w", lines, (0.9, 0.1))
    steps = {step[0]: step[1:] for step in on_steps(measure(workspace, Request(("pose", VOICE))), 1.0)}
    starts, _, (pose, heard) = steps[0]
    assert starts.tolist() == list(range(8))
    assert np.isfinite(pose).all()
    assert np.isfinite(heard).all(axis=1).tolist() == [False, True, False, False, False, False, False, True]
    assert np.isnan(steps[1][2][1]).all()


def test_without_knowing_who_speaks_nothing_is_measured_and_said(tmp_path: Path) -> None:
    workspace, reporter = talking(tmp_path / "w", [(1.0, 3.0, "so it was")], None), Heard()
    (measured,) = measure(workspace, Request((VOICE,)), reporter)
    assert measured.values.shape == (0, VOICE_SIZE)
    assert len(reporter.warnings) == 1 and "detect-speakers" in reporter.warnings[0]
    rows = tables.read_table(workspace.table("persons"), tables.PERSONS).to_pylist()
    table = pa.Table.from_pylist([{**row, "person": "Ross"} for row in rows], schema=tables.PERSONS)
    tables.write_table(workspace.table("persons"), [table], tables.PERSONS)
    add_receipt(workspace, "persons")
    reporter = Heard()
    (measured,) = measure(workspace, Request((VOICE,)), reporter)
    assert set(measured.track.tolist()) == {0, 1} and not reporter.warnings  # there is no one else


def test_windows_stay_those_of_the_face(tmp_path: Path) -> None:
    workspace = talking(tmp_path / "w", [(1.0, 3.0, "so it was")], (0.9, 0.1))
    alone = {step[0]: step[1] for step in on_windows(measure(workspace, Request(("emotions",))))}
    both = {step[0]: step[1] for step in on_windows(measure(workspace, Request(("emotions", VOICE))))}
    assert alone.keys() == both.keys() == {0, 1}
    assert all(np.array_equal(alone[track], both[track]) for track in alone)


def test_it_needs_what_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = smiling(tmp_path / "w")
    with pytest.raises(MissingStage) as caught:
        measure(workspace, Request((VOICE,)))
    assert "extract-audio" in caught.value.hint
    assert main(["features", str(workspace.path), "--of", "pose,voice", "-o", str(tmp_path / "f.parquet")]) == 4
    assert not (tmp_path / "f.parquet").exists()


def test_the_command_writes_voices_beside_faces(tmp_path: Path) -> None:
    workspace, out = talking(tmp_path / "w", [(1.0, 3.0, "so it was")], (0.9, 0.1)), tmp_path / "f.parquet"
    assert main(["features", str(workspace.path), "--of", "blendshapes,voice", "--rate", "2", "-o", str(out)]) == 0
    assert [(one.name, one.size) for one in read_facts(out).modalities] == [("blendshapes", 51), (VOICE, VOICE_SIZE)]
    own = next(one for one in read_features(out) if one.track == 0)
    known = np.isfinite(own.values[VOICE]).all(axis=1)
    assert own.start_s[known].tolist() == [1.0, 1.5, 2.0, 2.5]


def hearing(path: Path) -> ValenceParams:
    """A network that rates valence from the voice alone."""
    torch.manual_seed(0)
    header = SequenceHeader("gru", "valence", ("valence",), (Modality(VOICE, VOICE_SIZE),), 2.0, 8, (0.3,))
    network = build_sequence_network("gru", [VOICE_SIZE], 1, 8)
    save_sequence_model(path, network.state_dict(), header)
    return ValenceParams(str(path))


def test_a_network_that_hears_rates_and_is_stale_when_something_else_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valence, "weights_key", lambda spec: {"whisper-base": "a" * 64})
    params = hearing(tmp_path / "a.safetensors")
    assert valence.also_reads(ValenceParams()) == ()
    assert set(valence.also_reads(params)) > {"utterances", "sound", "persons"}
    assert valence.weights(params).keys() == {"whisper-base", "a.safetensors"}
    workspace = talking(tmp_path / "w", [(1.0, 3.0, "so it was")], (0.9, 0.1))
    rate(workspace, params)
    rows = tables.read_table(workspace.table("valence"), tables.VALENCE)
    seconds, values = rows["seconds"].to_numpy(), rows["valence"].to_numpy()
    own = (rows["track"].to_numpy() == 0) & np.isfinite(values)
    assert seconds[own].min() == pytest.approx(1.0) and seconds[own].max() == pytest.approx(2.9)
    place = workspace.path / "valence"
    receipt = replace(planned_receipt(workspace, VALENCE, params, Digests()), outputs=output_digests(place))
    content = json.dumps(asdict(receipt))
    (place / "receipt.json").write_text(content)
    assert why_stale(workspace, VALENCE, Digests(), params) is None
    assert why_stale(workspace, VALENCE, Digests(by_receipts=True)) is None
    add_speech(workspace, [(1.0, 2.0, "something else")])
    (place / "receipt.json").write_text(content)
    for digests in (Digests(), Digests(by_receipts=True)):
        reason = why_stale(workspace, VALENCE, digests, params)
        assert reason is not None and "changed" in reason


def test_the_vectors_of_whisper_have_that_length() -> None:
    from fercli.models.voice import load_voice_encoder

    pytest.importorskip("faster_whisper", reason="pip install 'fercli[sound]'")
    try:
        found = load_voice_encoder()
    except ModelError as error:
        pytest.skip(f"{error.message}: {error.hint}")
    sound = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    assert found.states(sound).shape[1] == VOICE_SIZE
