"""Rows as the program reads them: what is sealed is opened, whatever column it stands in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from storage.database import Tx
from storage.engine.sqlite import SqliteTx, drive
from storage.vault.keyfile import read_key
from storage.vault.pseudonyms import Pseudonyms
from storage.vault.sealing import is_sealed, unsealed, unsealed_text
from storage.vault.vault import Purpose, Sealing, Vault


async def open_all(tx: Tx, rows: Iterable[Any]) -> Sequence[Any]:
    """Every sealed value opened; one whose key was erased is None."""
    return [await _row(tx, row) for row in rows]


def _looks_sealed(value: object) -> bool:
    """A digest may begin with the same byte: the purpose tells them apart."""
    if isinstance(value, bytes):
        return is_sealed(value) and value[1] in set(Purpose)
    return isinstance(value, str) and is_sealed(value)


async def _row(tx: Tx, row: Any) -> Any:
    values = dict(row)
    sealed = {name: value for name, value in values.items() if _looks_sealed(value)}
    if not sealed:
        return row
    for name, value in sealed.items():
        values[name] = await (unsealed_text(tx, value) if isinstance(value, str) else unsealed(tx, value))
    return values


def opened_in(connection: sqlite3.Connection, vault: Vault, rows: Iterable[Any], township_id: int = 1) -> list[Any]:
    """The same of rows that were read beside the program."""
    tx = SqliteTx(connection, township_id, sealing=Sealing(vault))
    return list(drive(open_all(tx, list(rows))))  # type: ignore[arg-type]


def opened_by(look: Callable[..., list[Any]], key_file: Path, rows: Iterable[Any], township_id: int = 1) -> list[Any]:
    """The same, where `look(sql, **params)` is the only way to the data."""
    tx: Any = _Looking(look, key_file, township_id)
    return list(drive(open_all(tx, list(rows))))  # type: ignore[arg-type]


def pseudonyms_by(look: Callable[..., list[Any]], key_file: Path, township_id: int = 1) -> Pseudonyms:
    """What the township calls people, where `look(sql, **params)` is the only way to the data."""
    tx: Any = _Looking(look, key_file, township_id)
    found = drive(tx.sealing.key(tx, Purpose.ADDRESSES, 0))
    assert found is not None, "nobody has been called anything yet"
    return Pseudonyms(found.raw, township_id)


class _Looking:
    """As much of a transaction as opening asks for."""

    def __init__(self, look: Callable[..., list[Any]], key_file: Path, township_id: int) -> None:
        self._look = look
        self.township_id = township_id
        self.sealing = Sealing(Vault(read_key(key_file)))

    async def one(self, sql: str, params: Mapping[str, Any]) -> Any:
        found = self._look(sql, t=self.township_id, **params)
        return found[0] if found else None
