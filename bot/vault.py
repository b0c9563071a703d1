"""The vault of a deployment: its key file is found, or made with the first start, and fits the data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from bot.settings import Settings
from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.machine import earlier, townships
from storage.people import earlier as people
from storage.photos import owners
from storage.vault import keys
from storage.vault.keyfile import NEXT, KeyFileProblem, make_key, read_key, sync_folder, write_key
from storage.vault.vault import Vault


async def open_with_vault(settings: Settings, *, make: bool = True) -> Database:
    """Open the deployment's database, as `use_vault` lets it seal. Raises as that, and Unavailable."""
    database = await open_database(settings.database)
    try:
        await use_vault(settings, database, make=make)
    except BaseException:
        await database.close()
        raise
    return database


async def locks(database: Database) -> list[str]:
    """Under which locks what is sealed lies: one, or none before the first start."""
    found = set()
    for township_id in await database.read(townships.every_id):
        found |= set(await database.read(keys.locks, township_id=township_id))
    return sorted(found)


async def use_vault(settings: Settings, database: Database, *, make: bool = True) -> None:
    """Let the database seal and open with the key of VAULT_KEY_FILE.

    Where nothing is sealed yet the key is made, else it must be there. Without `make` a key that is not there leaves
    the database without a vault: what is sealed stays closed. Raises KeyFileProblem and OSError: `lost` and `another`
    name a key file that is gone or is another deployment's.
    """
    path = settings.vault_key
    known = await locks(database)
    _finish_rotation(settings, known)
    if not path.exists():
        if not make:
            return
        if known:
            raise KeyFileProblem("lost", path)
        with suppress(FileExistsError):  # another process has just made it
            write_key(path, make_key(), settings.vault_passphrase)
    vault = Vault(read_key(path, settings.vault_passphrase))
    if known and known != [vault.lock]:
        raise KeyFileProblem("another", path)
    database.vault = vault


def _finish_rotation(settings: Settings, known: list[str]) -> None:
    """A rotation that was broken off: the new key takes its place if the data is under it, else it goes."""
    path = settings.vault_key
    coming = path.with_name(path.name + NEXT)
    if not coming.exists():
        return
    if known == [Vault(read_key(coming, settings.vault_passphrase)).lock]:
        take_place(coming, path)
    else:
        coming.unlink()


def take_place(coming: Path, path: Path) -> None:
    """Put the new key file in the place of the old one, durably."""
    coming.replace(path)
    sync_folder(path.parent)


async def rotate(settings: Settings, database: Database) -> int:
    """Seal all data keys to a new public key and put its private half in the file's place; how many there were.

    The program must not run. The new key is on disk before the data is under it; a break at any point is finished by
    the next start (`use_vault`).
    """
    old = database.vault
    assert old is not None
    path = settings.vault_key
    coming = path.with_name(path.name + NEXT)
    write_key(coming, make_key(), settings.vault_passphrase)
    new = Vault(read_key(coming, settings.vault_passphrase))

    async def work(tx: Tx) -> int:
        return sum([await keys.change_lock(tx.at(one), old, new) for one in await townships.every_id(tx)])

    count = await database.transaction(work)
    take_place(coming, path)
    database.vault = new
    return count


async def seal_earlier(database: Database, seal_product: Callable[[Tx], Awaitable[None]]) -> None:
    """Seal what a version without a vault has stored, the product's tables first. Raises Unavailable."""
    for township_id in await database.read(townships.every_id):
        await database.transaction(seal_product, township_id=township_id)
        await database.transaction(owners.seal_earlier, township_id=township_id)
        await database.transaction(people.seal_earlier, township_id=township_id)
        while await database.transaction(earlier.seal_words, township_id=township_id):
            pass
