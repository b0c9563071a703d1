"""The commands that keep what is stored: `verify`, `doctor`, `backup`, `restore`, `move`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console.failures import FAILED
from bot.console.help import CommandLine
from bot.console.terminal import load_settings, out, progress_bar, up_to_date
from bot.console.words import OperatorError, say
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.console.move import Address, Moved

commands = CommandLine()


@commands.command()
def verify(backup: Path | None = None) -> None:
    """Check every invariant of the stored data, or a backup; exit code 1 when one is broken."""
    settings = load_settings()
    if backup is None:
        check(settings, surroundings=False)
        return
    from bot.console.backups.restoring import check_backup

    with progress_bar() as progress:
        sums = check_backup(backup, settings, progress)
    out.print(say("backup.whole", path=backup, count=len(sums)), markup=False)


@commands.command()
def doctor() -> None:
    """`verify`, and the surroundings: settings, disk, database, photos, Telegram."""
    check(load_settings(), surroundings=True)


def check(settings: Settings, *, surroundings: bool) -> None:
    """Print a line for each thing looked at; exit code 1 when one is broken."""
    from bot.channels.wechat.account import wechat_check
    from bot.channels.wecom.robots import robots_check
    from bot.console.doctor import (
        check_line,
        look_around,
        pages_check,
        photos_check,
        troubles_check,
        vault_check,
    )
    from bot.console.townships import bots_check, check_all
    from bot.media.stores import open_shelf
    from bot.vault import open_with_vault

    async def work() -> bool:
        database = await open_with_vault(settings, make=False)
        try:
            checks = [
                pages_check(settings),
                await vault_check(settings, database),
                *await check_all(settings, database),
            ]
            if surroundings:
                checks += [await troubles_check(settings, database), await photos_check(open_shelf(settings), database)]
                checks += await bots_check(settings, database)
                checks += await wechat_check(settings, database)
                checks += await robots_check(settings.wecom_robots, database, settings.zone)
        finally:
            await database.close()
        if surroundings:
            checks = [*await look_around(settings), *checks]
        for one in checks:
            out.print(check_line(one), markup=False)
        return all(one.ok or one.warning for one in checks)

    up_to_date(settings, whole=True)
    if not asyncio.run(work()):
        raise typer.Exit(FAILED)


@commands.command()
def backup(
    folder: Path,
    keep: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Copy the database and the photos into one checked, encrypted file, also while the bot runs."""
    from bot.console.backups.contents import some
    from bot.console.backups.making import make_backup

    settings = load_settings()
    stamp = datetime.now(settings.zone).strftime("%Y%m%d-%H%M%S")
    with progress_bar() as progress:
        made = make_backup(settings, folder, stamp=stamp, keep=keep, progress=progress)
    out.print(str(made.file), markup=False)
    out.print(say("backup.encrypted", key=settings.vault_key), markup=False)
    if made.plain:
        names = some([one.name for one in made.plain])
        out.print(say("backup.plain_left", folder=folder, names=names), markup=False)


@commands.command()
def restore(file: Path) -> None:
    """Unpack a backup into an empty DATA_DIR and check it."""
    from bot.console.backups import restoring

    settings = load_settings()
    with progress_bar() as progress:
        restoring.restore(file, settings, progress=progress)
    check(settings, surroundings=False)


@commands.command()
def move(to: str = "", media_to: str = "") -> None:
    """Copy a stopped deployment from its SQLite file to PostgreSQL, its photos to S3, or both, and compare."""
    from bot.console import move

    if not to and not media_to:
        raise OperatorError("move_where")
    address = move.address_of(to) if to else None
    settings = load_settings(*(address.secrets if address else ()))
    with progress_bar() as progress:
        moved = asyncio.run(move.move(settings, to=address, media_to=media_to, progress=progress))
    for line in what_next(settings, address, media_to, moved):
        out.print(line, markup=False)


def what_next(settings: Settings, address: Address | None, media_to: str, moved: Moved) -> list[str]:
    """What is where now, and what is left to the operator."""
    lines, old = [], []
    if media_to:
        lines.append(say("move.photos", count=moved.photos, to=media_to))
        old.append(settings.media_url or str(settings.data_dir / "media"))
    if address:
        lines.append(say("move.rows", rows=moved.rows, tables=moved.tables, to=address.shown))
        old.append(str(settings.database_path))
    lines.append(say("move.put"))
    lines += [f"  DATABASE_URL={address.shown}"] if address else []
    lines += [f"  MEDIA_URL={media_to}"] if media_to else []
    return [*lines, say("move.then", old=say("names.and").join(old))]
