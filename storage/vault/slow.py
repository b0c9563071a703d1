"""A slow hash of something short that a person knows by heart: whoever has the database and its key guesses slowly.

Argon2id with the second of the settings that OWASP names (12 MiB, three passes): 25 ms on a small server.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.database import Tx
from storage.vault.sealing import index_of_words

SALT_BYTES, HASH_BYTES = 16, 32
MEMORY_KIB, PASSES, LANES = 12_288, 3, 1


async def slow_hash(tx: Tx, what: str, said: str) -> str:
    """A hash to be stored, also under a key of the vault: without that there is nothing to guess at."""
    hasher = Argon2id(
        salt=os.urandom(SALT_BYTES),
        length=HASH_BYTES,
        iterations=PASSES,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
        secret=await _secret(tx, what),
    )
    return hasher.derive_phc_encoded(said.encode())


async def is_hash_of(tx: Tx, stored: str, what: str, said: str) -> bool:
    """Whether a stored hash is of what was said."""
    try:
        Argon2id.verify_phc_encoded(said.encode(), stored, secret=await _secret(tx, what))
    except InvalidKey:
        return False
    return True


async def _secret(tx: Tx, what: str) -> bytes:
    return (await index_of_words(tx, what, "slow")).encode()
