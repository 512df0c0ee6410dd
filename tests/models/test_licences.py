"""Whether networks may be used commercially: what a document says of them, and what is refused."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

import fercli
from fercli.chain import STAGES, call
from fercli.cli.entry import main
from fercli.errors import ConfigError, ModelError
from fercli.models.licences import require_free, terms_of
from fercli.models.registry import MODELS
from fercli.results.load import load
from tests.failing import fails
from tests.results.test_load import film
from tests.workspaces import add_receipt

MESH = {name: MODELS[name].sha256 for name in ("face-mesh", "face-blendshapes")}


def test_the_terms_are_those_of_the_registered_bytes() -> None:
    classifier = MODELS["tsm-resnet18"]
    found = terms_of({"tsm-resnet18": classifier.sha256, **MESH})
    assert found["tsm-resnet18"] == {
        "sha256": classifier.sha256,
        "licence": classifier.licence,
        "training_data": classifier.training_data,
        "commercial_use": "unclear",
    }
    assert {found[name]["commercial_use"] for name in MESH} == {"yes"}


def test_other_bytes_of_that_name_and_files_of_the_user_are_not_known() -> None:
    for name in ("face-mesh", "classifier", "yunet"):
        (terms,) = terms_of({name: "ab" * 32}).values()
        assert terms["commercial_use"] == "unclear" and "given" in terms["licence"]


def test_a_file_of_the_user_has_the_training_data_that_it_states() -> None:
    headers = {"classifier": "RAF-DB (research only)", "tsm-resnet18": "something else"}
    found = terms_of({"classifier": "ab" * 32, "tsm-resnet18": MODELS["tsm-resnet18"].sha256}, headers)
    assert found["classifier"]["training_data"] == "RAF-DB (research only)"
    assert found["classifier"]["commercial_use"] == "unclear" and "given" in found["classifier"]["licence"]
    assert found["tsm-resnet18"]["training_data"] == MODELS["tsm-resnet18"].training_data


def test_python_refuses_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").touch()
    with fails(ModelError, "licence-not-free", "(unclear)"):
        fercli.annotate(tmp_path / "v.mp4", licences="free")
    with fails(ConfigError, "name-unknown", "cheap"):
        fercli.annotate_many([tmp_path / "v.mp4"], tmp_path / "out", licences="cheap")
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


def test_networks_of_unclear_licence_are_refused_with_the_tasks_that_have_a_free_one() -> None:
    require_free(MESH)
    with fails(ModelError, "licence-not-free", "centerface (unclear)") as caught:
        require_free({"centerface": MODELS["centerface"].sha256, **MESH})
    assert "mesh: face-mesh" in caught.value.hint and "none for detector" in caught.value.hint
    assert "face-mesh" not in caught.value.message


def test_every_network_of_the_default_chain_has_terms() -> None:
    for stage in (one for one in STAGES if not one.optional):
        for name, terms in terms_of(call(stage.weights, stage.params())).items():
            assert MODELS[name].licence == terms["licence"]


@pytest.mark.parametrize(
    "command", [["annotate", "VIDEO"], ["detect-faces", "W"], ["track", "W"], ["classify-emotions", "W"]]
)
def test_commands_refuse_before_any_work(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("VIDEO").touch()
    assert main([*command, "--licences", "free"]) == 5
    err = capsys.readouterr().err
    assert "error[licence-not-free]" in err and "hint: " in err
    assert [path.name for path in tmp_path.iterdir()] == ["VIDEO"]
    assert main([*command, "--licences", "cheap"]) == 2


def test_free_networks_go_on_to_the_work(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["measure-faces", str(tmp_path / "none"), "--licences", "free"]) == 3
    assert "error[workspace-missing]" in capsys.readouterr().err


def test_the_list_of_networks_shows_commercial_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("face-mesh" in line and line.rstrip().endswith("yes") for line in lines)
    assert any("centerface" in line and line.rstrip().endswith("unclear") for line in lines)


def test_a_document_names_them_beside_the_digest(tmp_path: Path) -> None:
    """That the schema takes them is seen by the tests of the formats, which check whole documents."""
    workspace = film(tmp_path / "w")
    add_receipt(workspace, "emotions", stride=3)
    provenance = load(workspace).provenance
    assert provenance["networks"] == terms_of(provenance["models"]) and provenance["networks"]
    definitions = json.loads(files("fercli.formats").joinpath("annotations.schema.json").read_text())["$defs"]
    jsonschema.validate(provenance["networks"]["tsm-resnet18"], definitions["network"])
    assert "networks" in definitions["provenance"]["properties"]
