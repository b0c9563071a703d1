"""What every command of the command line needs: settings, a word to the operator, progress bars."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import MofNCompleteColumn, TaskID
from rich.progress import Progress as Bars

from bot import logs
from bot.settings import Settings, faults
from storage.database import Unavailable
from storage.engine.migrate import MigrationError

Progress = Callable[[str, int, int], None]
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(*lines: str) -> NoReturn:
    """Say why on standard error and stop with code 1."""
    for line in lines:
        err.print(line, markup=False)
    raise typer.Exit(1)


def load_settings(*secrets: str) -> Settings:
    """Settings from the environment and `.env`; one line for each fault. `secrets`: what else no log may show."""
    try:
        settings = Settings()
    except ValidationError as error:
        fail(*faults(error))
    logs.configure(settings.log_level, (*settings.secrets, *secrets))
    return settings


def up_to_date(settings: Settings, *, after: bool = False) -> int:
    """Migrate, or stop with the reason."""
    from bot.clock import SystemClock
    from storage.engine.opening import bring_up_to_date

    try:
        return len(asyncio.run(bring_up_to_date(settings.database, now_ms=SystemClock().now_ms(), after=after)))
    except (MigrationError, Unavailable) as error:
        fail(f"database: {error}")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar for each stage under way on a terminal; silence elsewhere."""
    columns = (*Bars.get_default_columns(), MofNCompleteColumn())
    with Bars(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        stages: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, visible=False)
            bars.update(stages[stage], completed=done, total=total, visible=done < total)

        yield show
