"""What every command of the command line needs: settings, a word to the operator, progress bars."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, TaskID
from rich.progress import Progress as Bars

from bot import logs
from bot.console.settings_file import read_settings
from bot.console.words import is_said, say
from bot.settings import Settings
from storage.database import Unavailable

PRIVATE = 0o077  # what a file of ours never lets group and others do
PASSING_REASONS = ("no_answer", "server_busy")
FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 15.0
Progress = Callable[[str, int, int], None]
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def load_settings(*secrets: str) -> Settings:
    """Settings from the environment and `.env`; a word about names that are misspelt.

    From here on whatever the program writes is for its own user alone. `secrets`: what else no log may show. Raises
    ValidationError and OperatorError.
    """
    os.umask(PRIVATE)
    settings, remarks = read_settings()
    for line in remarks:
        err.print(line, markup=False)
    calm = logs.on_terminal() and "log_level" not in settings.model_fields_set  # the address and links are what counts
    logs.configure("WARNING" if calm else settings.log_level, (*settings.secrets, *secrets))
    return settings


def up_to_date(settings: Settings, *, after: bool = False, whole: bool = False) -> int:
    """Migrate a sound database; how many migrations were applied. Raises Unavailable, Damaged and MigrationError.

    A SQLite file is read first, `whole`: its indexes are compared with their tables as well, which takes longer.
    """
    from bot.clock import SystemClock
    from storage.engine.opening import bring_up_to_date
    from storage.engine.sqlite import check_integrity

    path = settings.database_path
    if path is not None and path.exists():
        check_integrity(path, quick=not whole)
    return len(asyncio.run(bring_up_to_date(settings.database, now_ms=SystemClock().now_ms(), after=after)))


def up_to_date_in_time(settings: Settings) -> None:
    """`up_to_date` for a process that is to serve: a server that is away is waited for, which is said once, and its
    coming, too. One that refuses us is not away. Raises Unavailable, Damaged and MigrationError.
    """
    waited_s = 0.0
    while True:
        try:
            up_to_date(settings)
        except Unavailable as error:
            if settings.database_path is not None or error.reason not in PASSING_REASONS:
                raise
            if not waited_s:
                err.print(say("run.database_away", said=error), markup=False)
            pause_s = min(LAST_PAUSE_S, FIRST_PAUSE_S + waited_s / 2)
            time.sleep(pause_s)
            waited_s += pause_s
        else:
            if waited_s:
                err.print(say("run.database_back", seconds=round(waited_s)), markup=False)
            return


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar for each stage under way on a terminal; silence elsewhere."""
    columns = (*Bars.get_default_columns(), MofNCompleteColumn())
    with Bars(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        stages: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                known = f"stage.{stage}"  # else a file or a table
                stages[stage] = bars.add_task(say(known) if is_said(known) else stage, visible=False)
            bars.update(stages[stage], completed=done, total=total, visible=done < total)

        yield show
