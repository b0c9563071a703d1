"""The vault of every town: its key outlives each worker, who begins knowing no data key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from storage.vault.vault import Vault
from tests.unsealed import opened_in

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))


def new_vault() -> Vault:
    """The vault as a worker finds it."""
    return Vault(KEY)


def opened(connection: sqlite3.Connection, rows: Iterable[Any], township_id: int) -> list[Any]:
    """Rows with what is sealed in them opened."""
    return opened_in(connection, new_vault(), rows, township_id)
