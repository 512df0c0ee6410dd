"""Whether the networks of a run may be used commercially, as far as is known. No legal advice.

`yes`: the weights have a licence that permits it, and nothing known about the training data speaks against it.
`no`: the licence of the weights forbids it.
`unclear`: the licence of the weights permits it or is not known, and the training data are for research, have no clear
licence, or are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fercli.chain import Plan, call
from fercli.errors import ConfigError, ModelError
from fercli.models.registry import MODELS

CHOICES = ("all", "free")


def require_licences(choice: str, plan: Plan) -> None:
    """Check the networks of a plan before any work.

    Args:
        choice: `all`, or `free` for those that are known to be free for commercial use.
        plan: stages with their parameters.

    Raises:
        ConfigError: another choice.
        ModelError: a network is not free, or cannot be used.
    """
    if choice not in CHOICES:
        raise ConfigError(f"unknown licences {choice!r}", hint=f"known: {', '.join(CHOICES)}", code="name-unknown")
    if choice == "free":
        require_free({name: sha256 for stage, params in plan for name, sha256 in call(stage.weights, params).items()})


def terms_of(networks: Mapping[str, str], headers: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Name -> sha256, licence, training data and commercial use of networks, for the provenance of a document.

    Args:
        networks: name -> sha256 of the weights; empty if they are part of a library. A file of the user that has the
            name of a known network but other bytes is not that network.
        headers: name -> training data, as the file itself states them; used for files of the user.
    """
    stated = headers or {}
    return {name: {"sha256": sha256, **_terms(name, sha256, stated.get(name, ""))} for name, sha256 in networks.items()}


def require_free(networks: Mapping[str, str]) -> None:
    """Refuse networks whose commercial use is not known to be permitted.

    Raises:
        ModelError: there are some; the hint says which tasks have a network of which it is.
    """
    others = {name: terms for name, terms in terms_of(networks).items() if terms["commercial_use"] != "yes"}
    if others:
        named = ", ".join(f"{name} ({terms['commercial_use']})" for name, terms in others.items())
        raise ModelError(
            f"--licences free: commercial use is not known to be permitted for {named}",
            hint=f"with a free network: {_free_tasks()}; `fercli models` shows licences and training data",
            code="licence-not-free",
        )


def _terms(name: str, sha256: str, stated: str) -> dict[str, str]:
    spec = MODELS.get(name)
    if spec is None or spec.sha256 != sha256 or spec.needs_file:
        unknown = "of the file that was given"
        return {"licence": unknown, "training_data": stated or unknown, "commercial_use": "unclear"}
    return {"licence": spec.licence, "training_data": spec.training_data, "commercial_use": spec.commercial}


def _free_tasks() -> str:
    tasks: dict[str, list[str]] = {spec.task: [] for spec in MODELS.values()}
    for spec in MODELS.values():
        if spec.commercial == "yes":
            tasks[spec.task].append(spec.name)
    having = "; ".join(f"{task}: {', '.join(names)}" for task, names in tasks.items() if names)
    return f"{having or 'no task'}; none for {', '.join(task for task, names in tasks.items() if not names)}"
