"""The commands that keep what is stored: `verify`, `doctor`, `backup`, `restore`, `move`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console.terminal import fail, load_settings, out, progress_bar, up_to_date
from bot.settings import Settings
from storage.database import Unavailable

if TYPE_CHECKING:
    from bot.console.move import Address, Moved

commands = typer.Typer()


@commands.command()
def verify() -> None:
    """Check every invariant of the stored data; exit code 1 when one is broken."""
    check(load_settings(), surroundings=False)


@commands.command()
def doctor() -> None:
    """`verify`, and the surroundings: settings, disk, database, photos, Telegram."""
    check(load_settings(), surroundings=True)


def check(settings: Settings, *, surroundings: bool) -> None:
    """Print a line for each thing looked at; exit code 1 when one is broken."""
    from bot.channels.wechat.account import wechat_check
    from bot.channels.wecom.robots import robots_check
    from bot.console.doctor import look_around, photos_check
    from bot.console.townships import bots_check, check_all
    from bot.media.stores import open_shelf
    from storage.engine.opening import open_database

    async def work() -> bool:
        database = await open_database(settings.database)
        try:
            checks = await check_all(settings, database)
            if surroundings:
                checks += [await photos_check(open_shelf(settings), database), *await bots_check(settings, database)]
                checks += await wechat_check(settings, database)
                checks += await robots_check(settings.wecom_robots, database, settings.zone)
        finally:
            await database.close()
        if surroundings:
            checks = [*await look_around(settings), *checks]
        for one in checks:
            mark = "ok " if one.ok else "?  " if one.warning else "BAD"
            out.print(f"{mark} {one.name}: {one.seen}", markup=False)
        return all(one.ok or one.warning for one in checks)

    up_to_date(settings)
    try:
        sound = asyncio.run(work())
    except LookupError as error:
        fail(str(error))
    except Unavailable as error:
        fail(f"database: {error}")
    if not sound:
        raise typer.Exit(1)


@commands.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to put jingxiang-<time>.tar.")],
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest to leave there; 0: all.")] = 0,
) -> None:
    """Copy the database and the photos into one checked file, also while the bot runs."""
    from bot.console import backup

    settings = load_settings()
    stamp = datetime.now(settings.zone).strftime("%Y%m%d-%H%M%S")
    try:
        with progress_bar() as progress:
            made = backup.backup(settings, folder, stamp=stamp, keep=keep, progress=progress)
    except backup.KeepingError as error:
        fail(str(error))
    out.print(str(made), markup=False)


@commands.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that `backup` made.")]) -> None:
    """Unpack a backup into an empty DATA_DIR and check it."""
    from bot.console import backup

    settings = load_settings()
    try:
        with progress_bar() as progress:
            backup.restore(file, settings, progress=progress)
    except backup.KeepingError as error:
        fail(str(error))
    check(settings, surroundings=False)


@commands.command()
def move(
    to: Annotated[
        str,
        typer.Option(help="postgresql://USER@HOST/DATABASE, an empty one; its password: PGPASSWORD or ~/.pgpass."),
    ] = "",
    media_to: Annotated[
        str, typer.Option(help="s3://BUCKET/PREFIX for the photos and videos, with the MEDIA_S3_… of the settings.")
    ] = "",
) -> None:
    """Copy a stopped deployment from its SQLite file to PostgreSQL, its photos to S3, or both, and compare."""
    from bot.console import move
    from bot.console.move_media import MoveError

    if not to and not media_to:
        fail("say where to: --to postgresql://USER@HOST/DATABASE, --media-to s3://BUCKET/PREFIX, or both")
    try:
        address = move.address_of(to) if to else None
        settings = load_settings(*(address.secrets if address else ()))
        with progress_bar() as progress:
            moved = asyncio.run(move.move(settings, to=address, media_to=media_to, progress=progress))
    except MoveError as error:
        fail(*str(error).splitlines())
    for line in what_next(settings, address, media_to, moved):
        out.print(line, markup=False)


def what_next(settings: Settings, address: Address | None, media_to: str, moved: Moved) -> list[str]:
    """What is where now, and what is left to the operator."""
    lines, old = [], []
    if media_to:
        lines.append(f"{moved.photos} photos and videos are in {media_to}, each read back and compared")
        old.append(settings.media_url or str(settings.data_dir / "media"))
    if address:
        lines.append(f"{moved.rows} rows of {moved.tables} tables are in {address.shown}, compared and verified")
        old.append(str(settings.database_path))
    lines.append("Put into .env:")
    lines += [f"  DATABASE_URL={address.shown}"] if address else []
    lines += [f"  MEDIA_URL={media_to}"] if media_to else []
    return [
        *lines,
        "Then run `python -m bot doctor`, and start. Nothing was taken away: keep the old "
        f"{' and '.join(old)} for some weeks, and don't start with it again.",
    ]
