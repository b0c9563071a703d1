"""The command line: `python -m bot run`, `migrate`, `import`, `invite`, `links`; the others are in `bot/console`."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

try:
    import typer
except ModuleNotFoundError:  # another Python than that of .venv
    raise SystemExit(
        "在程序的文件夹里这样写：.venv/bin/python -m bot …（没有 .venv 的，先 make setup）\n"
        "Write .venv/bin/python -m bot … in the program's folder (make setup makes .venv)"
    ) from None

from bot.console.commands import keeping, vault, wechat
from bot.console.help import CommandLine
from bot.console.terminal import err, load_settings, out, progress_bar, up_to_date, up_to_date_in_time
from bot.console.words import OperatorError, say
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.app import Part

app = CommandLine()
GC_AFTER_OBJECTS = 50_000


def free_port(host: str) -> int:
    """A port that nobody listens on, so that links can name it before the server starts."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@app.command()
def run(example: Path | None = None, only: str = "") -> None:
    """Serve: the web chat, Telegram when TELEGRAM_TOKEN is set, reminders and the digest."""
    from bot.app import PARTS
    from bot.console.reach import check_port, tighten

    settings = load_settings()
    parts = tuple(part for part in PARTS if part in only.split(",")) if only else PARTS
    unknown = [part for part in only.split(",") if part and part not in PARTS]
    if unknown or not parts:
        raise OperatorError("only_unknown", said=", ".join(unknown) or only, known=", ".join(PARTS))
    if only and settings.database_path is not None:
        raise OperatorError("only_with_server")
    if "web" in parts:
        check_port(settings)
    tighten(settings)
    up_to_date_in_time(settings)
    try:
        import uvloop

        uvloop.run(_serve(settings, example, parts))
    except KeyboardInterrupt:
        pass


async def _serve(settings: Settings, example: Path | None, parts: tuple[Part, ...]) -> None:
    from bot.app import build
    from bot.console.townships import has_township, links

    if settings.web_port == 0:
        settings = settings.model_copy(update={"web_port": free_port(settings.web_host)})
    fresh = not await has_township(settings)
    if fresh:
        await _load(settings, example)
    program = await build(settings, parts=parts)
    try:
        await program.start()
    except BaseException:
        await program.stop()
        raise
    gc.collect()
    gc.freeze()  # what was loaded so far stays: looking through it again and again costs a tenth of all work
    gc.set_threshold(GC_AFTER_OBJECTS, 20, 100)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    _print("run.serves", program.settings, await links(program.settings, first=fresh), "run.again")
    await stopped.wait()
    await program.stop()


def _print(above: str, settings: Settings, lines: list[str], below: str) -> None:
    """Print the address and who reaches it, links, and what to do next."""
    from bot.console.reach import who_reaches

    for line in (say(above, address=settings.address), *who_reaches(settings), *lines, say(below)):
        out.print(line, markup=False)


async def _load(settings: Settings, example: Path | None) -> None:
    """Import the example into an empty database, and say how long it took."""
    from bot.console.townships import import_township

    if example is None:
        raise OperatorError("nothing_imported")
    out.print(say("run.importing", folder=example), markup=False)
    began = time.monotonic()
    with progress_bar() as progress:
        report, lines = await import_township(settings, example, skip_bad=False, progress=progress)
    for line in lines:
        err.print(line, markup=False)
    if report is None:
        raise OperatorError("import_refused")
    counts = {name: report.counts[name].added if name in report.counts else 0 for name in ("areas", "households")}
    out.print(say("run.imported", seconds=round(time.monotonic() - began), **counts), markup=False)


@app.command()
def migrate(after: Annotated[bool, typer.Option("--after")] = False) -> None:
    """Bring the database up to date."""
    out.print(say("migrate.done", count=up_to_date(load_settings(), after=after)), markup=False)


@app.command("import")
def import_(
    folder: Path,
    skip_bad: bool = False,
    township: str = "",
    new: Annotated[bool, typer.Option("--new")] = False,
) -> None:
    """Import areas, landmarks, stations, households and policy; all of it or nothing."""
    from bot.console.townships import import_township

    settings = load_settings()
    up_to_date(settings)
    with progress_bar() as progress:
        report, lines = asyncio.run(
            import_township(settings, folder, skip_bad=skip_bad, progress=progress, township=township, new=new)
        )
    for line in lines:
        err.print(line, markup=False)
    if report is None:
        raise OperatorError("import_refused")
    for name, count in report.counts.items():
        counts = {"added": count.added, "changed": count.changed, "same": count.same}
        out.print(say("import.counts", what=say(f"import.what.{name}"), **counts), markup=False)
    for version in report.policy_versions:
        out.print(say("import.policy", version=version), markup=False)
    for year in report.calendar_years:
        out.print(say("import.calendar", year=year), markup=False)


@app.command()
def invite(role: Annotated[str, typer.Option()], area: str = "", hours: int | None = None, township: str = "") -> None:
    """Make a single-use join link for a role, with its QR picture on a terminal."""
    import segno

    from bot.console.townships import invite as make

    settings = load_settings()
    up_to_date(settings)
    made = asyncio.run(make(settings, [role], area, hours, township))[0]
    out.print(f"{say(f'role.{made.role}')} · {made.area}\n{made.url}", markup=False)
    if out.is_terminal:
        segno.make(made.url).terminal(compact=True)


@app.command()
def links(new: Annotated[bool, typer.Option("--new")] = False) -> None:
    """Print the address and who may still join; with --new a join link for each role."""
    from bot.console.townships import links as found

    settings = load_settings()
    up_to_date(settings)
    _print("links.address", settings, asyncio.run(found(settings, first=new)), "links.more")


@app.command("say")
def say_(words: str, role: str = "villager", township: str = "") -> None:
    """Show how a sentence is understood: what was read in it, what it may be, and how likely."""
    from bot.console.saying import hear

    settings = load_settings()
    up_to_date(settings)
    for line in asyncio.run(hear(settings, words, role, township)):
        out.print(line, markup=False)


app.add_typer(keeping.commands)
app.add_typer(wechat.commands, name="wechat")
app.add_typer(vault.commands, name="vault")

if __name__ == "__main__":
    app()
