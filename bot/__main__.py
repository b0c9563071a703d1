"""The command line: `python -m bot run | migrate | import | doctor | verify | backup | restore | invite`."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress as Bars

from bot import logs
from bot.settings import Settings, faults
from storage.migrate import MigrationError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="净乡 Jingxiang: a township's clean-countryside desk.",
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
Progress = Callable[[str, int, int], None]
GC_AFTER_OBJECTS = 50_000


def fail(*lines: str) -> NoReturn:
    """Say why on standard error and stop with code 1."""
    for line in lines:
        err.print(line, markup=False)
    raise typer.Exit(1)


def load_settings() -> Settings:
    """Settings from the environment and `.env`; one line for each fault."""
    try:
        settings = Settings()
    except ValidationError as error:
        fail(*faults(error))
    logs.configure(settings.log_level, (settings.telegram_token, settings.telegram_webhook_secret))
    return settings


def up_to_date(settings: Settings) -> int:
    """Migrate, or stop with the reason."""
    from bot.app import bring_up_to_date

    try:
        return bring_up_to_date(settings)
    except MigrationError as error:
        fail(f"database: {error}")


def free_port(host: str) -> int:
    """A port that nobody listens on, so that links can name it before the server starts."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar for each stage on a terminal; silence elsewhere."""
    with Bars(console=err, transient=True, disable=not err.is_terminal) as bars:
        stages: dict[str, object] = {}

        def show(stage: str, done: int, total: int) -> None:
            task = stages.setdefault(stage, bars.add_task(stage, total=total) if stage not in stages else None)
            bars.update(task, completed=done, total=total)  # type: ignore[arg-type]

        yield show


@app.command()
def run(
    example: Annotated[Path | None, typer.Option(help="Load this township when nothing was imported yet.")] = None,
) -> None:
    """Serve: the web chat, Telegram when TELEGRAM_TOKEN is set, reminders and the digest."""
    settings = load_settings()
    up_to_date(settings)
    try:
        import uvloop

        uvloop.run(_serve(settings, example))
    except KeyboardInterrupt:
        pass


async def _serve(settings: Settings, example: Path | None) -> None:
    from telegram.error import TelegramError

    from bot.app import AlreadyRunning, build
    from bot.console import has_township, import_township

    if settings.web_port == 0:
        settings = settings.model_copy(update={"web_port": free_port(settings.web_host)})
    fresh = not await has_township(settings)
    if fresh and example is None:
        fail("nothing was imported yet: run `python -m bot import FOLDER` (examples/township is one)")
    if fresh and example is not None:
        _, lines = await import_township(settings, example, skip_bad=False, progress=None)
        for line in lines:
            err.print(line, markup=False)
    program = await build(settings)
    try:
        await program.start()
    except (AlreadyRunning, OSError, TelegramError) as error:
        await program.stop()
        fail(f"{type(error).__name__}: {error}")
    gc.collect()
    gc.freeze()  # what was loaded so far stays: looking through it again and again costs a tenth of all work
    gc.set_threshold(GC_AFTER_OBJECTS, 20, 100)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    out.print(f"净乡 serves at {program.settings.address}", markup=False)
    if fresh:
        await _print_links(program.settings)
    await stopped.wait()
    await program.stop()


async def _print_links(settings: Settings) -> None:
    from bot.console import invite
    from handlers.people.rules import ROLES

    out.print("One join link for each role (each works once):")
    for made in await invite(settings, list(ROLES), "", None):
        out.print(f"  {made.role:16} {made.url}", markup=False)


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    out.print(f"{up_to_date(load_settings())} migrations applied")


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A folder (or one file) as in examples/township.")],
    skip_bad: Annotated[bool, typer.Option(help="Leave faulty rows out instead of refusing all.")] = False,
) -> None:
    """Import areas, landmarks, stations, households and policy; all of it or nothing."""
    from bot.console import import_township

    settings = load_settings()
    up_to_date(settings)
    with progress_bar() as progress:
        report, lines = asyncio.run(import_township(settings, folder, skip_bad=skip_bad, progress=progress))
    for line in lines:
        err.print(line, markup=False)
    if report is None:
        fail("nothing was imported")
    for name, count in report.counts.items():
        out.print(f"{name}: {count.added} added, {count.changed} changed, {count.same} as before")
    for version in report.policy_versions:
        out.print(f"policy: version {version}")


@app.command()
def invite(
    role: Annotated[str, typer.Option(help="cleaner, station_keeper, grid_keeper, staff, finance, auditor or admin.")],
    area: Annotated[str, typer.Option(help="Name or code of a village or hamlet; empty: the whole township.")] = "",
    hours: Annotated[int | None, typer.Option(help="How long the link holds; empty: as the policy says.")] = None,
) -> None:
    """Make a single-use join link for a role, with its QR picture on a terminal."""
    import segno

    from bot.console import ConsoleError
    from bot.console import invite as make

    settings = load_settings()
    up_to_date(settings)
    try:
        made = asyncio.run(make(settings, [role], area, hours))[0]
    except ConsoleError as error:
        fail(str(error))
    out.print(f"{made.role} · {made.area}\n{made.url}", markup=False)
    if out.is_terminal:
        segno.make(made.url).terminal(compact=True)


@app.command()
def verify() -> None:
    """Check every invariant of the stored data; exit code 1 when one is broken."""
    _check(load_settings(), surroundings=False)


@app.command()
def doctor() -> None:
    """`verify`, and the surroundings: settings, disk, database file, Telegram."""
    _check(load_settings(), surroundings=True)


def _check(settings: Settings, *, surroundings: bool) -> None:
    from bot.console import check_all
    from bot.surroundings import look_around
    from storage.sqlite import SqliteDatabase

    async def work() -> bool:
        database = await SqliteDatabase.open(settings.database_path)
        try:
            checks = await check_all(settings, database)
        finally:
            await database.close()
        if surroundings:
            checks = [*await look_around(settings), *checks]
        for check in checks:
            mark = "ok " if check.ok else "?  " if check.warning else "BAD"
            out.print(f"{mark} {check.name}: {check.seen}", markup=False)
        return all(check.ok or check.warning for check in checks)

    up_to_date(settings)
    try:
        sound = asyncio.run(work())
    except LookupError as error:
        fail(str(error))
    if not sound:
        raise typer.Exit(1)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to put jingxiang-<time>.tar.")],
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest to leave there; 0: all.")] = 0,
) -> None:
    """Copy the database and the photos into one checked file, also while the bot runs."""
    from bot import keeping

    settings = load_settings()
    stamp = datetime.now(settings.zone).strftime("%Y%m%d-%H%M%S")
    try:
        with progress_bar() as progress:
            made = keeping.backup(
                settings.database_path, settings.data_dir / "media", folder, stamp=stamp, keep=keep, progress=progress
            )
    except keeping.KeepingError as error:
        fail(str(error))
    out.print(str(made), markup=False)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that `backup` made.")]) -> None:
    """Unpack a backup into an empty DATA_DIR and check it."""
    from bot import keeping

    settings = load_settings()
    try:
        with progress_bar() as progress:
            keeping.restore(file, settings.data_dir, settings.database_path, progress=progress)
    except keeping.KeepingError as error:
        fail(str(error))
    _check(settings, surroundings=False)


if __name__ == "__main__":
    app()
