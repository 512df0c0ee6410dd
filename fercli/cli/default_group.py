"""A group of commands of which one may go unnamed: `fercli people WORK` is `fercli people list WORK`."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """Whatever is no command of the group is an argument or an option of its first command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {*self.commands, *ctx.help_option_names}
        if args and args[0] not in own:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def group_with_default(help: str) -> typer.Typer:
    """An empty group; the command that is added first is the one that may go unnamed."""
    return typer.Typer(cls=DefaultGroup, help=help, no_args_is_help=True)
