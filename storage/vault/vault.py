"""Data keys: one a day and purpose, each sealed to the vault's public key (HPKE) and stored with the data.

Erasing a day's key erases what was sealed under it, in every copy of the database that follows. Keys are 32 random
bytes; `Vault` remembers those that are committed, `Sealing` those that its own transaction has just made.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

KEY_BYTES = 32
VERSION = 1
HEAD = Struct(">BBi")  # version, purpose, day
INFO = b"jingxiang vault 1"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SELECT = "SELECT wrapped FROM vault_keys WHERE township_id = :t AND purpose = :purpose AND day = :day"
INSERT = (
    "INSERT INTO vault_keys (township_id, purpose, day, wrapped, lock) VALUES (:t, :purpose, :day, :wrapped, :lock)"
    " ON CONFLICT (township_id, purpose, day) DO NOTHING"
)
KeyName = tuple[int, int, int]  # township, purpose, day
DigestName = tuple[int, str, str]  # township, what is looked up, what was said
MOST_DIGESTS = 8_192


class Purpose(IntEnum):
    """What a key is for: keys of a day end with what they seal, keys of day 0 are kept."""

    WORDS = 1  # what people wrote and were told, and where their conversations stand
    REPORTERS = 2  # who reported a case
    PEOPLE = 3  # names of people, and which household is theirs; day 0
    INDEX = 4  # of what is looked up without being read; day 0
    COOKIES = 5  # the signature of the pages' cookies; day 0
    ADDRESSES = 6  # what stands for addresses at platforms; day 0
    PHOTOS = 7  # photos and videos, with their copies


class Statements(Protocol):
    """What of a transaction is needed here."""

    township_id: int

    async def one(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        """The first row, or None."""
        ...

    async def run(self, sql: str, params: Mapping[str, Any] | None = None) -> int:
        """Run a statement."""
        ...


class WrongKey(Exception):
    """The key file is not the one that the data is sealed to."""


class Locked(Exception):
    """Something sealed is to be read, and there is no key."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key, ready to use: `head` stands before what it seals, `about` is authenticated with it."""

    raw: bytes
    cipher: AESGCM
    head: bytes
    about: bytes


class Vault:
    """The key pair, and the data keys that it has opened."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.lock = lock_of(self.public)
        self.known: dict[KeyName, DataKey] = {}
        self.digests: dict[DigestName, bytes] = {}  # of what is looked up again and again while somebody writes

    def wrap(self, key: bytes, name: KeyName) -> bytes:
        """Seal a data key to the public key."""
        return SUITE.encrypt(key, self.public, info=_info(name))

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        """Open a data key. Raises WrongKey."""
        try:
            return SUITE.decrypt(wrapped, self._private, info=_info(name))
        except (InvalidTag, ValueError):
            raise WrongKey(f"data key of township {name[0]}, purpose {name[1]}, day {name[2]}") from None


def lock_of(public: X25519PublicKey) -> str:
    """Name a public key: the beginning of its SHA-256."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def _info(name: KeyName) -> bytes:
    return b"%b %d/%d/%d" % (INFO, *name)


class Sealing:
    """A transaction's way to the data keys; one that only reads makes none."""

    __slots__ = ("_fresh", "_made", "vault", "writes")

    def __init__(self, vault: Vault, *, writes: bool = True) -> None:
        self.vault = vault
        self.writes = writes
        self._fresh: dict[KeyName, DataKey] = {}
        self._made: set[KeyName] = set()

    def undo(self) -> None:
        """A savepoint was undone: a key that was made inside it is not there."""
        self._fresh.clear()

    def known(self, tx: Statements, purpose: int, day: int) -> DataKey | None:
        """A data key that was used before; None when it must be looked for."""
        name = (tx.township_id, int(purpose), day)
        return self.vault.known.get(name) or self._fresh.get(name)

    async def key(self, tx: Statements, purpose: Purpose, day: int) -> DataKey | None:
        """A data key that exists; None when it was erased."""
        if (found := self.known(tx, purpose, day)) is not None:
            return found
        row = await tx.one(SELECT, {"purpose": int(purpose), "day": day})
        return None if row is None else self._opened((tx.township_id, int(purpose), day), row["wrapped"])

    async def key_to_seal(self, tx: Statements, purpose: Purpose, day: int) -> DataKey:
        """A data key, made if there is none."""
        found = await self.key(tx, purpose, day)
        if found is not None:
            return found
        name = (tx.township_id, int(purpose), day)
        wrapped = self.vault.wrap(os.urandom(KEY_BYTES), name)
        values = {"purpose": int(purpose), "day": day, "wrapped": wrapped, "lock": self.vault.lock}
        self._made.add(name)
        await tx.run(INSERT, values)
        row = await tx.one(SELECT, {"purpose": int(purpose), "day": day})
        assert row is not None
        return self._opened(name, row["wrapped"])

    def remember(self, name: DigestName, digest: bytes) -> None:
        """Keep what stands for something, unless the key that makes it may still be undone with this transaction."""
        digests = self.vault.digests
        if (name[0], int(Purpose.INDEX), 0) in self.vault.known:
            if len(digests) >= MOST_DIGESTS:
                digests.clear()
            digests[name] = digest

    def _opened(self, name: KeyName, wrapped: bytes) -> DataKey:
        raw = self.vault.unwrap(wrapped, name)
        kept = self._fresh if name in self._made else self.vault.known
        township_id, purpose, day = name
        head = HEAD.pack(VERSION, purpose, day)
        kept[name] = DataKey(raw, AESGCM(raw), head, head + township_id.to_bytes(8, "big"))
        return kept[name]
