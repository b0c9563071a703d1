"""`--help` in the operator's language: what a command does and what its options mean are texts like any other.

`help.<command>` is what it does, `help.<command>.<option>` what an option or argument means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand

from bot.console.failures import Failing
from bot.console.words import is_said, say

ROOT = "bot"


class _InTheirLanguage:
    """Fills in texts before anything is shown."""

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        path = path_of(ctx)
        _fill(self, path)
        for param in self.get_params(ctx):
            panel = "arguments" if isinstance(param, TyperArgument) else "options"
            param.rich_help_panel = say(f"help.panel.{panel}")
            key = "help.help" if "--help" in param.opts else f"help.{'.'.join(path)}.{param.name}"
            param.help = say(key) if is_said(key) else param.help
        for name, command in getattr(self, "commands", {}).items():
            _fill(command, (*(() if path == (ROOT,) else path), name))
            command.rich_help_panel = say("help.panel.commands")
        super().format_help(ctx, formatter)  # type: ignore[misc]

    def get_usage(self: Any, ctx: Any) -> str:
        """The line that shows how to write the command."""
        usage: str = super().get_usage(ctx)  # type: ignore[misc]
        return usage.replace("Usage:", say("help.usage"), 1)


class ConsoleCommand(_InTheirLanguage, TyperCommand):
    """One command."""


class ConsoleGroup(_InTheirLanguage, Failing):
    """Several commands."""


class CommandLine(typer.Typer):
    """A Typer application whose commands are told about in the operator's language."""

    def __init__(self) -> None:
        super().__init__(cls=ConsoleGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

    def command(self, name: str | None = None, **named: Any) -> Callable[[Any], Any]:
        """Add a function as a command."""
        return super().command(name, cls=ConsoleCommand, **named)


def path_of(ctx: Any) -> tuple[str, ...]:
    """The names of a command and the groups around it, (`bot`,) for the whole."""
    names: list[str] = []
    while ctx.parent is not None:
        names.insert(0, str(ctx.info_name))
        ctx = ctx.parent
    return tuple(names) or (ROOT,)


def _fill(command: Any, path: tuple[str, ...]) -> None:
    command.help = say(f"help.{'.'.join(path)}")
