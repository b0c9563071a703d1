"""The vault of a deployment: its key file is found, or made with the first start, and fits the data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from bot.settings import Settings
from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.machine import earlier, townships
from storage.people.earlier import seal_earlier as seal_people
from storage.photos import owners
from storage.vault import keys
from storage.vault.age import public_of, recipient_of
from storage.vault.keyfile import (
    NEXT,
    PUBLIC,
    KeyFileProblem,
    keep_old,
    kept_keys,
    make_key,
    read_key,
    sync_folder,
    write_key,
)
from storage.vault.vault import Vault, lock_of


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
    known = await locks(database)
    _finish_rotation(settings, known)
    if not make and not settings.vault_key.exists():
        return
    private = key_for(settings, known)
    database.vault = Vault(private)
    tell_public(settings, private.public_key())


def key_for(settings: Settings, known: Collection[str]) -> X25519PrivateKey:
    """The key that opens what lies under the `known` locks; made where nothing is sealed yet. Raises as `use_vault`."""
    path = settings.vault_key
    if not path.exists():
        if known:
            raise KeyFileProblem("lost", path)
        with suppress(FileExistsError):  # another process has just made it
            write_key(path, make_key(), settings.vault_passphrase)
    private = read_key(path, settings.vault_passphrase)
    if known and set(known) != {lock_of(private.public_key())}:
        raise KeyFileProblem("another", path)
    return private


def tell_public(settings: Settings, public: X25519PublicKey) -> None:
    """Write the public half beside the data, so that backups can be made without the key."""
    path, said = settings.data_dir / PUBLIC, f"{recipient_of(public)}\n"
    with suppress(OSError):  # where it can't be, backups are made with the key
        if not path.exists() or path.read_text("ascii") != said:
            coming = path.with_name(path.name + NEXT)
            coming.write_text(said, "ascii")
            coming.replace(path)


def public_for(settings: Settings, known: Collection[str]) -> X25519PublicKey:
    """The public half of what lies under the `known` locks, as it was told, else from the key file. Raises as
    `use_vault`.
    """
    with suppress(OSError, ValueError):
        public = public_of((settings.data_dir / PUBLIC).read_text("ascii"))
        if set(known) == {lock_of(public)}:
            return public
    return key_for(settings, known).public_key()


def every_key(settings: Settings) -> list[X25519PrivateKey]:
    """Today's key, then those of before that were kept and open with the same passphrase. Raises KeyFileProblem."""
    found = [read_key(settings.vault_key, settings.vault_passphrase)]
    for path in kept_keys(settings.vault_key):
        with suppress(KeyFileProblem):
            found.append(read_key(path, settings.vault_passphrase))
    return found


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


async def rotate(settings: Settings, database: Database) -> tuple[int, Path]:
    """Seal all data keys to a new public key and put its private half in the file's place; how many there were, and
    where the old key is kept for the backups that are encrypted to it.

    The program must not run. The new key is on disk before the data is under it; a break at any point is finished by
    the next start (`use_vault`).
    """
    old = database.vault
    assert old is not None
    path = settings.vault_key
    kept = keep_old(path, old.lock)
    coming = path.with_name(path.name + NEXT)
    write_key(coming, make_key(), settings.vault_passphrase)
    new = Vault(read_key(coming, settings.vault_passphrase))

    async def work(tx: Tx) -> int:
        return sum([await keys.change_lock(tx.at(one), old, new) for one in await townships.every_id(tx)])

    count = await database.transaction(work)
    take_place(coming, path)
    database.vault = new
    tell_public(settings, new.public)
    return count, kept


async def seal_earlier(database: Database, catch_up: Callable[[Tx], Awaitable[None]]) -> None:
    """Seal what a version without a vault has stored, the product's tables first. Raises Unavailable."""
    for township_id in await database.read(townships.every_id):
        await database.transaction(catch_up, township_id=township_id)
        await database.transaction(owners.seal_earlier, township_id=township_id)
        await database.transaction(seal_people, township_id=township_id)
        while await database.transaction(earlier.seal_words, township_id=township_id):
            pass
