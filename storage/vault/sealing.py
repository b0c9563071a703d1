"""Seal and open: a version, the purpose, the day of the key, a nonce, and AES-256-GCM of the words.

What is stored in a column of text is `~` and base64 of it. What was stored before there was a vault is read as it is.
None is what can't be read any more, because its key was erased: who asks treats it as what was blanked.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag

from storage.database import Row, Tx
from storage.vault.vault import HEAD, VERSION, Locked, Purpose

MARK = "~"
NONCE_BYTES = 12
BODY_AT = HEAD.size + NONCE_BYTES
DAY_MS = 86_400_000
KEPT = (Purpose.PEOPLE, Purpose.INDEX, Purpose.COOKIES, Purpose.ADDRESSES)


def day_of(purpose: Purpose, at_ms: int) -> int:
    """The day whose key seals something of that moment, counted from 1970 in UTC; 0 for what has no day."""
    return 0 if purpose in KEPT else at_ms // DAY_MS


def is_sealed(stored: str | bytes) -> bool:
    """Whether what is stored was sealed."""
    return stored.startswith(MARK) if isinstance(stored, str) else stored[:1] == bytes([VERSION])


async def seal(tx: Tx, purpose: Purpose, at_ms: int, plain: bytes) -> bytes:
    """Seal bytes of a moment; without a vault they stay as they are."""
    if tx.sealing is None:
        return plain
    day = day_of(purpose, at_ms)
    key = tx.sealing.known(tx, purpose, day) or await tx.sealing.key_to_seal(tx, purpose, day)
    nonce = os.urandom(NONCE_BYTES)
    return key.head + nonce + key.cipher.encrypt(nonce, plain, key.about)


async def unsealed(tx: Tx, stored: bytes) -> bytes | None:
    """What was sealed; None when its key was erased. Raises Locked without a vault, ValueError for what was changed."""
    if not stored or stored[0] != VERSION:
        return stored
    if tx.sealing is None:
        raise Locked
    _, purpose, day = HEAD.unpack_from(stored)
    key = tx.sealing.known(tx, purpose, day) or await tx.sealing.key(tx, Purpose(purpose), day)
    if key is None:
        return None
    try:
        return key.cipher.decrypt(stored[HEAD.size : BODY_AT], stored[BODY_AT:], key.about)
    except InvalidTag:
        raise ValueError("sealed under another key, or changed since") from None


async def seal_text(tx: Tx, purpose: Purpose, at_ms: int, words: str) -> str:
    """Seal words for a column of text."""
    if tx.sealing is None:
        return words
    return MARK + b64encode(await seal(tx, purpose, at_ms, words.encode())).decode("ascii")


async def unsealed_text(tx: Tx, stored: str) -> str | None:
    """The words that were sealed for a column of text; None when their key was erased. Raises as `unsealed`."""
    if not stored.startswith(MARK):
        return stored
    plain = await unsealed(tx, b64decode(stored[1:]))
    return None if plain is None else plain.decode()


async def open_bodies(tx: Tx, rows: Sequence[Row], *, blank: str | bytes = "{}") -> list[Row]:
    """Rows with their `body` opened; `blank` stands for what was erased (see `open_columns`)."""
    return await open_columns(tx, rows, body=blank)


async def open_columns(tx: Tx, rows: Sequence[Row], **blanks: str | bytes) -> list[Row]:
    """Rows with the named columns opened, each with what stands for what was erased. What was damaged is empty, which
    nobody can read: it is set aside like any row that can't be.
    """
    opened: list[Row] = []
    for row in rows:
        values = dict(row)  # type: ignore[call-overload]
        for column, blank in blanks.items():
            stored = values[column]
            if stored is not None:
                try:
                    plain = await (unsealed_text(tx, stored) if isinstance(stored, str) else unsealed(tx, stored))
                except ValueError:
                    plain = stored[:0]
                values[column] = blank if plain is None else plain
        opened.append(values)
    return opened


def with_value(row: Row, column: str, value: object) -> Row:
    """The same row with another value in a column."""
    return {**dict(row), column: value}  # type: ignore[call-overload]


async def kept_key(tx: Tx, purpose: Purpose) -> bytes:
    """The key itself (32 bytes) for what is signed or stands for something; made if there is none. Raises Locked."""
    if tx.sealing is None:
        raise Locked
    return (await tx.sealing.key_to_seal(tx, purpose, 0)).raw


async def file_key(tx: Tx, *, at_ms: int) -> tuple[int, bytes]:
    """The day of a moment and its key (32 bytes) for files, made if there is none. Raises Locked."""
    if tx.sealing is None:
        raise Locked
    day = day_of(Purpose.PHOTOS, at_ms)
    return day, (await tx.sealing.key_to_seal(tx, Purpose.PHOTOS, day)).raw


async def key_of_day(tx: Tx, *, day: int) -> bytes | None:
    """The key of a day's files; None when it was erased. Raises Locked."""
    if tx.sealing is None:
        raise Locked
    found = await tx.sealing.key(tx, Purpose.PHOTOS, day)
    return None if found is None else found.raw


async def index_of(tx: Tx, what: str, number: int) -> int:
    """What stands for a number where it is looked up but must not be read: as good as random to who lacks the key.

    Without a vault it is the number itself, as the words are in `index_of_words`.
    """
    if tx.sealing is None:
        return number
    return int.from_bytes((await _digest(tx, what, str(number)))[:8], "big") >> 1


async def index_of_words(tx: Tx, what: str, words: str) -> str:
    """The same of words."""
    return words if tx.sealing is None else (await _digest(tx, what, words)).hex()[:32]


async def _digest(tx: Tx, what: str, said: str) -> bytes:
    sealing = tx.sealing
    assert sealing is not None
    name = tx.township_id, what, said
    if (digest := sealing.vault.digests.get(name)) is not None:
        return digest
    found = await sealing.key(tx, Purpose.INDEX, 0)
    if found is None and not sealing.writes:
        return bytes(32)  # nothing was stored under any key yet: this finds nothing
    found = found or await sealing.key_to_seal(tx, Purpose.INDEX, 0)
    digest = hmac.digest(found.raw, f"{what} {tx.township_id} {said}".encode(), "sha256")
    sealing.remember(name, digest)
    return digest
