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
from storage.vault.keyfile import NEXT, kept_keys, make_key, write_key
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
    said = console.done("vault", "rotate")
    [kept] = kept_keys(key)
    assert str(key) in said and str(kept) in said
    assert key.read_bytes() != old == kept.read_bytes() and not key.with_name(key.name + NEXT).exists()
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


# -- backups


def backed_up(console: Console, folder: Path) -> Path:
    """A backup, and what is said of it: that it is encrypted, and by which key file."""
    path, said, *more = console.done("backup", folder).splitlines()
    assert "encrypted" in said and str(console.folder / "vault.key") in said and more == []
    return Path(path)


def restored(tmp_path: Path, file: Path, key_file: Path, name: str, **environment: str) -> Settings:
    """What it is put back as, with the keys that lie there."""
    again = Console(tmp_path / name, VAULT_KEY_FILE=str(key_file), **environment)
    again.done("restore", file)
    return Settings(_env_file=None, data_dir=again.folder, vault_key_file=key_file)


def test_a_backup_of_before_a_rotation_is_opened_by_the_key_that_was_kept(console: Console, tmp_path: Path) -> None:
    file = backed_up(console, tmp_path / "kept")
    console.done("vault", "rotate")
    console.done("vault", "rotate")
    key = console.folder / "vault.key"
    assert len(kept_keys(key)) == 2
    assert "is whole" in console.done("verify", "--backup", file)
    settings = restored(tmp_path, file, key, "again")
    assert read(settings) == WORDS, "under today's key"
    for old in kept_keys(key):
        old.unlink()
    assert read(settings) == WORDS
    assert "another key" in console.refused("verify", "--backup", file)
    assert "another key" in Console(tmp_path / "more", VAULT_KEY_FILE=str(key)).refused("restore", file)


def test_or_by_the_old_file_itself(console: Console, tmp_path: Path) -> None:
    file = backed_up(console, tmp_path / "kept")
    console.done("vault", "rotate")
    [kept] = kept_keys(console.folder / "vault.key")
    old = kept.rename(tmp_path / "of the safe")
    assert "another key" in console.refused("verify", "--backup", file)
    assert read(restored(tmp_path, file, old, "again")) == WORDS


def test_a_passphrase_is_that_of_backups_and_old_keys_too(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = console.folder / "vault.key"
    file = backed_up(console, tmp_path / "kept")
    console.done("vault", "rotate")
    assert console.says("vault", "passphrase", typed="一二三\n一二三\n").exit_code == 0
    assert "VAULT_PASSPHRASE" in console.refused("verify", "--backup", file)
    monkeypatch.setenv("VAULT_PASSPHRASE", "二二三")
    assert str(key) in console.refused("verify", "--backup", file)
    monkeypatch.setenv("VAULT_PASSPHRASE", "一二三")
    assert "is whole" in console.done("verify", "--backup", file)
    again = Console(tmp_path / "again", VAULT_KEY_FILE=str(key))
    again.done("restore", file)


def test_the_key_may_lie_where_a_backup_is_put_back_and_nothing_else_may(console: Console, tmp_path: Path) -> None:
    file = backed_up(console, tmp_path / "kept")
    again = Console(tmp_path / "again")
    again.folder.mkdir()
    (again.folder / "vault.key").write_bytes((console.folder / "vault.key").read_bytes())
    (again.folder / "vapid.pem").touch()
    assert "not empty" in again.refused("restore", file)
    (again.folder / "vapid.pem").unlink()
    again.done("restore", file)
    assert read(settings_of(again)) == WORDS


def test_backups_of_an_older_version_are_named(console: Console, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "jingxiang-20250101-020000.tar").touch()
    said = console.done("backup", tmp_path / "kept").splitlines()
    assert "jingxiang-20250101-020000.tar" in said[2]
    console.done("backup", tmp_path / "kept", "--keep", 1)
    [left] = (tmp_path / "kept").iterdir()
    assert left.name.endswith(".tar.age")


def test_doctor_wants_the_key_away_from_the_backups(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.console.doctor.on_one_disk", lambda one, other: other != console.folder)
    assert "on the same disk as the backups" not in console.says("doctor").output
    backed_up(console, tmp_path / "kept")
    [line] = [line for line in console.says("doctor").output.splitlines() if "same disk as the backups" in line]
    assert str(tmp_path / "kept") in line and line.startswith("?")
    monkeypatch.setattr("bot.console.doctor.on_one_disk", lambda one, other: False)
    assert "apart from the data" in console.says("doctor").output
