"""The key of what is sealed: made, moved, lost, locked, changed; and what the operator reads of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.vault import open_with_vault
from storage.database import Tx
from storage.machine import inbox
from storage.vault import keyfile
from storage.vault.keyfile import NEXT, make_key, write_key
from tests.cli.console import Console
from tests.example import EXAMPLE

WORDS = "王家沟桥头有人倒垃圾".encode()
ROW = {"id": 1, "channel": "web", "update_key": "1", "address": "web:1", "body": WORDS, "received_ms": 86_400_000}


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """A township whose inbox holds something sealed."""
    console = Console(tmp_path / "data")
    console.done("import", EXAMPLE)
    write(settings_of(console))
    return console


def settings_of(console: Console) -> Settings:
    return Settings(_env_file=None, data_dir=console.folder)


def write(settings: Settings) -> None:
    async def work(tx: Tx) -> None:
        await inbox.put(tx, [ROW])

    async def run() -> None:
        database = await open_with_vault(settings)
        try:
            await database.transaction(work, township_id=1)
        finally:
            await database.close()

    asyncio.run(run())


def read(settings: Settings) -> bytes:
    """What was written, as the program reads it."""

    async def run() -> bytes:
        database = await open_with_vault(settings)
        try:
            [row] = await database.read(lambda tx: inbox.of_address(tx, "web:1", before_id=2, limit=1), township_id=1)
            return bytes(row["body"])
        finally:
            await database.close()

    return asyncio.run(run())


def test_a_key_is_made_for_its_owner_s_eyes_and_doctor_wants_it_elsewhere(console: Console) -> None:
    key = console.folder / "vault.key"
    assert key.stat().st_mode & 0o077 == 0
    assert WORDS not in (console.folder / "jingxiang.db").read_bytes()
    assert read(settings_of(console)) == WORDS
    assert "VAULT_KEY_FILE" in console.says("doctor").output
    key.chmod(0o644)
    assert "chmod 600" in console.says("doctor").output


def test_without_its_key_nothing_starts_and_doctor_says_what_is_missing(console: Console) -> None:
    key = console.folder / "vault.key"
    kept = key.read_bytes()
    key.unlink()
    assert str(key) in console.refused("links")
    assert not key.exists(), "a new one would open nothing"
    assert str(key) in console.says("verify").output
    write_key(key, make_key())
    assert "VAULT_KEY_FILE" in console.refused("links")
    key.write_bytes(b"no key at all")
    assert str(key) in console.refused("links")
    key.write_bytes(kept)
    assert read(settings_of(console)) == WORDS


def test_another_key_opens_everything_and_the_old_one_nothing(console: Console) -> None:
    key = console.folder / "vault.key"
    old = key.read_bytes()
    assert str(key) in console.done("vault", "rotate")
    assert key.read_bytes() != old and not key.with_name(key.name + NEXT).exists()
    assert read(settings_of(console)) == WORDS
    key.write_bytes(old)
    assert "VAULT_KEY_FILE" in console.refused("links")


@pytest.mark.parametrize("dies", ["before_the_data", "after_the_data"])
def test_a_change_of_keys_that_is_broken_off_is_finished_by_the_next_start(
    console: Console, dies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = console.folder / "vault.key"
    old = key.read_bytes()

    def died(*_: object) -> None:
        raise SystemExit(9)

    if dies == "before_the_data":
        write_key(key.with_name(key.name + NEXT), make_key())
    else:
        with monkeypatch.context() as patch:
            patch.setattr("bot.vault.take_place", died)
            assert console.says("vault", "rotate").exit_code == 9
    assert read(settings_of(console)) == WORDS
    assert (key.read_bytes() == old) == (dies == "before_the_data")
    assert not key.with_name(key.name + NEXT).exists()


def test_a_passphrase_locks_the_file(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    key = console.folder / "vault.key"
    assert console.says("vault", "passphrase", typed="一二三\n一二四\n").exit_code == 1
    assert console.says("vault", "passphrase", typed="一二三\n一二三\n").exit_code == 0
    assert b"ENCRYPTED" in key.read_bytes()
    assert "VAULT_PASSPHRASE" in console.refused("links")
    monkeypatch.setenv("VAULT_PASSPHRASE", "二二三")
    assert str(key) in console.refused("links")
    monkeypatch.setenv("VAULT_PASSPHRASE", "一二三")
    console.done("links")
    assert keyfile.read_key(key, "一二三")
