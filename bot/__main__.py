"""The command line: `python -m bot run | migrate | import | invite`, and what `bot/console/commands.py` adds."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console import commands, commands_wechat
from bot.console.terminal import err, fail, load_settings, out, progress_bar, up_to_date
from bot.settings import Settings
from storage.database import Unavailable

if TYPE_CHECKING:
    from bot.app import Part

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="净乡 Jingxiang: a township's clean-countryside desk.",
)
GC_AFTER_OBJECTS = 50_000


def free_port(host: str) -> int:
    """A port that nobody listens on, so that links can name it before the server starts."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@app.command()
def run(
    example: Annotated[Path | None, typer.Option(help="Load this township when nothing was imported yet.")] = None,
    only: Annotated[
        str,
        typer.Option(help="With PostgreSQL: only these parts, of web,intake,delivery,clock; several workers share."),
    ] = "",
) -> None:
    """Serve: the web chat, Telegram when TELEGRAM_TOKEN is set, reminders and the digest."""
    from bot.app import PARTS

    settings = load_settings()
    parts = tuple(part for part in PARTS if part in only.split(",")) if only else PARTS
    unknown = [part for part in only.split(",") if part and part not in PARTS]
    if unknown or not parts:
        fail(f"--only: {', '.join(unknown) or 'nothing'} is not one of {', '.join(PARTS)}")
    if only and settings.database_path is not None:
        fail("--only needs PostgreSQL: one process serves a SQLite file")
    up_to_date(settings)
    try:
        import uvloop

        uvloop.run(_serve(settings, example, parts))
    except KeyboardInterrupt:
        pass


async def _serve(settings: Settings, example: Path | None, parts: tuple[Part, ...]) -> None:
    from bot.app import AlreadyRunning, build
    from bot.channels.telegram.api import BotApiError
    from bot.console.townships import has_township, import_township, links

    if settings.web_port == 0:
        settings = settings.model_copy(update={"web_port": free_port(settings.web_host)})
    fresh = not await has_township(settings)
    if fresh and example is None:
        fail("nothing was imported yet: run `python -m bot import FOLDER` (examples/township is one)")
    if fresh and example is not None:
        _, lines = await import_township(settings, example, skip_bad=False, progress=None)
        for line in lines:
            err.print(line, markup=False)
    try:
        program = await build(settings, parts=parts)
    except LookupError as error:
        fail(str(error))
    try:
        await program.start()
    except (AlreadyRunning, BotApiError, OSError, Unavailable) as error:
        await program.stop()
        fail(f"{type(error).__name__}: {error}")
    gc.collect()
    gc.freeze()  # what was loaded so far stays: looking through it again and again costs a tenth of all work
    gc.set_threshold(GC_AFTER_OBJECTS, 20, 100)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    out.print(f"净乡 serves at {program.settings.address}", markup=False)
    for line in await links(program.settings, first=fresh):
        out.print(line, markup=False)
    await stopped.wait()
    await program.stop()


@app.command()
def migrate(
    after: Annotated[
        bool, typer.Option("--after", help="Also what has to wait until no worker of the version before runs.")
    ] = False,
) -> None:
    """Bring the database up to date."""
    out.print(f"{up_to_date(load_settings(), after=after)} migrations applied")


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="A folder (or one file) as in examples/township.")],
    skip_bad: Annotated[bool, typer.Option(help="Leave faulty rows out instead of refusing all.")] = False,
    township: Annotated[str, typer.Option(help="The code of the township, where there are several.")] = "",
    new: Annotated[bool, typer.Option("--new", help="Another township beside those that are there.")] = False,
) -> None:
    """Import areas, landmarks, stations, households and policy; all of it or nothing."""
    from bot.console.townships import ConsoleError, import_township

    settings = load_settings()
    up_to_date(settings)
    try:
        with progress_bar() as progress:
            report, lines = asyncio.run(
                import_township(settings, folder, skip_bad=skip_bad, progress=progress, township=township, new=new)
            )
    except ConsoleError as error:
        fail(str(error))
    for line in lines:
        err.print(line, markup=False)
    if report is None:
        fail("nothing was imported")
    for name, count in report.counts.items():
        out.print(f"{name}: {count.added} added, {count.changed} changed, {count.same} as before")
    for version in report.policy_versions:
        out.print(f"policy: version {version}")
    for year in report.calendar_years:
        out.print(f"calendar: {year}")


@app.command()
def invite(
    role: Annotated[
        str, typer.Option(help="cleaner, station_keeper, grid_keeper, staff, finance, auditor, admin; county_staff.")
    ],
    area: Annotated[str, typer.Option(help="Name or code of a village or hamlet; empty: the whole township.")] = "",
    hours: Annotated[int | None, typer.Option(help="How long the link holds; empty: as the policy says.")] = None,
    township: Annotated[str, typer.Option(help="The code of the township, where there are several.")] = "",
) -> None:
    """Make a single-use join link for a role, with its QR picture on a terminal."""
    import segno

    from bot.console.townships import ConsoleError
    from bot.console.townships import invite as make

    settings = load_settings()
    up_to_date(settings)
    try:
        made = asyncio.run(make(settings, [role], area, hours, township))[0]
    except ConsoleError as error:
        fail(str(error))
    out.print(f"{made.role} · {made.area}\n{made.url}", markup=False)
    if out.is_terminal:
        segno.make(made.url).terminal(compact=True)


app.add_typer(commands.commands)
app.add_typer(commands_wechat.commands, name="wechat")

if __name__ == "__main__":
    app()
