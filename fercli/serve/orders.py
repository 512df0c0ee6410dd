"""From the options of a request to an order for the engine, validated by the dataclasses that `annotate` uses."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from fercli import pipeline
from fercli.api import check_device, plan_for
from fercli.batch.jobs import Job
from fercli.batch.places import Place
from fercli.batch.work import Order, Task
from fercli.chain import STAGES, Plan
from fercli.config import DECODERS, PersonsParams, Runtime, limit_of
from fercli.errors import ConfigError, FercliError
from fercli.models.licences import require_licences
from fercli.serve.places import below
from fercli.serve.table import Row
from fercli.typed import build
from fercli.workspace import Digests
from fercli.workspace.places import SUFFIX

STAGE_PARAMS = {stage.name: stage.params for stage in STAGES}
"""Name of a stage in `options` -> its parameters."""
_PATHS = {
    "faces": ("weights",),
    "persons": ("gallery", "cast"),
    "emotions": ("model",),
    "tracks": ("embedder",),
    "speech": ("model",),
}
"""Stage -> parameters that may be a path, which must lie below the root."""
_OWN_FILES = frozenset({"weights", "gallery", "cast"})
"""Parameters that are always a path; the others may be the name of a network."""
_FILE_SUFFIXES = (".safetensors", ".onnx", ".bin")
LICENCES = ("all", "free")
WORKSPACE = f"video{SUFFIX}"
"""Name of the workspace in the folder of a job."""


def order_of(options: Any, root: Path, device: str) -> Order:
    """The order for a job.

    Args:
        options: stage -> its parameters; and `licences`, `batch`. Paths are relative to the root.
        root: the root of the service.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        ConfigError: an option is not known, or its value cannot be used.
        InputError: a path leads out of the root.
    """
    if not isinstance(options, dict):
        raise _unusable("the options are not an object")
    unknown = sorted(str(name) for name in options.keys() - STAGE_PARAMS.keys() - {"licences", "batch"})
    if unknown:
        raise _unusable(f"there is no option {unknown[0]!r:.60}")
    params = [_params(name, options, root) for name in STAGE_PARAMS if name in options or name == "persons"]
    batch = options.get("batch", Runtime.batch)
    if type(batch) is not int:
        raise _unusable("batch is not a whole number")
    order = Order(tuple(params), (), Runtime(device, batch))
    licences = options.get("licences", LICENCES[0])
    if licences not in LICENCES:
        raise _unusable(f"licences is {licences!r:.40}, not all or free")
    require_licences(licences, plan_for(order.params))
    return order


def check(order: Order, digests: Digests) -> Plan:
    """Check an order before it is queued; returns its stages.

    Args:
        order: the order.
        digests: of networks and galleries that were read before.

    Raises:
        ConfigError, InputError, ModelError: a parameter, a gallery or a network cannot be used.
    """
    plan = plan_for(order.params)
    pipeline.check(plan, digests)
    check_device(order.runtime)
    return plan


def task_of(row: Row, folder: Path) -> Task:
    """The task of a job, with its workspace in the folder of the job."""
    return Task(0, Job(Path(row.video), Path(row.name)), Place(folder / WORKSPACE, folder / "video"))


def option_schemas() -> dict[str, Any]:
    """JSON schemas of the options, for OpenAPI."""
    from pydantic import TypeAdapter

    stages = {name: TypeAdapter(kind).json_schema() for name, kind in STAGE_PARAMS.items()}
    for name, schema in stages.items():
        schema["description"] = f"Parameters of the stage {name}; see `fercli config`."
        schema["additionalProperties"] = False
    return {
        **stages,
        "licences": {"type": "string", "enum": list(LICENCES)},
        "batch": {"type": "integer", "minimum": 1, "maximum": 4096},
    }


def _params(name: str, options: dict[str, Any], root: Path) -> Any:
    given = options.get(name, {})
    if not isinstance(given, dict):
        raise _unusable(f"{name} is not an object")
    values = dict(given)
    if name == "persons":
        _as_tracks(values, options.get("tracks"))
    for parameter in _PATHS.get(name, ()):
        value = values.get(parameter)
        if isinstance(value, str) and value and (parameter in _OWN_FILES or _is_path(value)):
            values[parameter] = str(below(root, value))
    kind = STAGE_PARAMS[name]
    if name == "frames" and values.get("decoder") == DECODERS[0]:
        values["decoder"] = DECODERS[1]
    if name == "tracks" and isinstance(embedder := values.get("embedder"), str):
        values.setdefault("limit", limit_of(embedder, _distance(options)))
    try:
        return build(kind, values)
    except FercliError:
        raise
    except (TypeError, ValueError) as error:
        known = ", ".join(field.name for field in fields(kind))
        raise _unusable(f"{name}: {error}", hint=f"known: {known}") from error


def _as_tracks(values: dict[str, Any], tracks: Any) -> None:
    """Persons have the embedder of the tracks."""
    if isinstance(tracks, dict) and isinstance(tracks.get("embedder"), str):
        values.setdefault("embedder", tracks["embedder"])


def _distance(options: dict[str, Any]) -> float:
    """`max_distance` of the persons, which is the limit for a network of the user's own; checked with the persons."""
    persons = options.get("persons")
    given = persons.get("max_distance") if isinstance(persons, dict) else None
    return float(given) if isinstance(given, (int, float)) else PersonsParams.max_distance


def _is_path(value: str) -> bool:
    """Whether the name of a network is a file; anything with a separator is, so that no path passes as a name."""
    return "/" in value or "\\" in value or value.startswith(".") or value.lower().endswith(_FILE_SUFFIXES)


def _unusable(message: str, hint: str = "GET /openapi.json lists the options") -> ConfigError:
    return ConfigError(message, hint=hint, code="option-unusable")
