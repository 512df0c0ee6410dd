"""Groups of commands: no option may be given twice, and one command is the default: `fercli people WORK` is `fercli
people list WORK`."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from fercli.errors import ConfigError


class StrictGroup(TyperGroup):
    """Refuses an option that is given twice where only one value counts; typer would silently use the last one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command and its arguments.

        Raises:
            ConfigError: an option of the command is given twice and holds one value.
        """
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:  # a shell completes an unfinished line
            _refuse_repeated(name, command, ctx, rest)
        return name, command, rest


class DefaultGroup(StrictGroup):
    """A word that is not a command of the group is an argument or option of its first command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = {*self.commands, *ctx.help_option_names}
        if args and args[0] not in own:
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def group_with_default(help: str) -> typer.Typer:
    """An empty group; the command that is added first is the default."""
    return typer.Typer(cls=DefaultGroup, help=help, no_args_is_help=True)


def _refuse_repeated(name: str | None, command: Any, ctx: Any, args: list[str]) -> None:
    """A flag may be repeated, unless it has an opposite, such as --images and --no-images."""
    # Resilient: other errors in the arguments are reported by the actual parsing.
    trial = command.context_class(
        command, parent=ctx, info_name=name, resilient_parsing=True, **command.context_settings
    )
    _, _, given = command.make_parser(trial).parse_args(list(args))
    for option in dict.fromkeys(given):
        takes_many = option.param_type_name == "argument" or option.multiple
        says_the_same = not takes_many and option.is_flag and not option.secondary_opts
        if given.count(option) > 1 and not takes_many and not says_the_same:
            shown = max(option.opts, key=len)
            raise ConfigError(
                f"{shown} is given {given.count(option)} times, and takes one value",
                hint=f"give {shown} once; to use several, run the command for each of them",
                code="option-repeated",
            )
