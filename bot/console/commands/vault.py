"""`vault rotate` and `vault passphrase`: another key for what is sealed, and another lock on its file."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import typer

from bot.console.help import CommandLine
from bot.console.terminal import load_settings, out, up_to_date
from bot.console.words import OperatorError, say
from bot.settings import Settings

commands = CommandLine()


@commands.command()
def rotate() -> None:
    """Seal all data keys to a new key file; the old one opens nothing of this database any more."""
    settings = load_settings()
    up_to_date(settings)
    count, kept = asyncio.run(_rotated(settings))
    out.print(say("vault.rotated", count=count, path=settings.vault_key, kept=kept), markup=False)


async def _rotated(settings: Settings) -> tuple[int, Path]:
    from bot.app import lock
    from bot.vault import open_with_vault, rotate

    held = lock(settings.data_dir)
    try:
        database = await open_with_vault(settings, make=False)
        try:
            if database.vault is None:
                raise OperatorError("no_vault", path=settings.vault_key)
            return await rotate(settings, database)
        finally:
            await database.close()
    finally:
        held.close()


@commands.command()
def passphrase() -> None:
    """Lock the key file with a passphrase, change it, or take it away (an empty one)."""
    from storage.vault.keyfile import KeyFileProblem, kept_keys, read_key, replace_key

    settings = load_settings()
    path = settings.vault_key
    key = read_key(path, settings.vault_passphrase)
    new = typer.prompt(say("vault.passphrase"), default="", show_default=False, hide_input=True)
    again = typer.prompt(say("vault.passphrase_again"), default="", show_default=False, hide_input=True)
    if new != again:
        raise OperatorError("passphrases_differ")
    replace_key(path, key, new)
    for kept in kept_keys(path):
        with suppress(KeyFileProblem):  # under a passphrase of its own
            replace_key(kept, read_key(kept, settings.vault_passphrase), new)
    out.print(say("vault.locked" if new else "vault.unlocked", path=path), markup=False)
