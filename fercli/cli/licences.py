"""`--licences`: refuse networks before any work."""

from __future__ import annotations

from fercli.chain import Plan, call
from fercli.errors import ConfigError


def require_licences(choice: str, plan: Plan) -> None:
    """Check the networks of a plan.

    Args:
        choice: `all`, or `free` for those that are known to be free for commercial use.
        plan: stages with their parameters.

    Raises:
        ConfigError: another choice.
        ModelError: a network is not free, or cannot be used.
    """
    from fercli.models.licences import CHOICES, require_free

    if choice not in CHOICES:
        raise ConfigError(f"unknown --licences {choice!r}", hint=f"known: {', '.join(CHOICES)}", code="name-unknown")
    if choice == "free":
        require_free({name: sha256 for stage, params in plan for name, sha256 in call(stage.weights, params).items()})
