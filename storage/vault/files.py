"""Files under a data key: pieces of 64 KiB, each AES-256-GCM, so that any part of a large one is read alone.

A head (who sealed it, the day of the key, a salt), the pieces, and the SHA-256 of all that: whoever lacks the key can
still tell a damaged file. Each file has a key of its own (HKDF of the day's, over the salt and the file's name), a
piece's nonce is its number and whether it is the last: none can be moved, left out or appended (the STREAM of
Hoang, Reyhanitabar, Rogaway and Vizár, as in age).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from struct import Struct
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"\x00jxF"  # no photo or video begins so
HEAD = Struct(">4si32s")
SALT_BYTES, TAG_BYTES, SUM_BYTES = 32, 16, 32
PIECE_BYTES = 64 * 1024
SEALED_BYTES = PIECE_BYTES + TAG_BYTES


@dataclass(frozen=True, slots=True)
class SealedHead:
    """The head of a sealed file: the day of its key, and its salt."""

    day: int
    salt: bytes


def head_of(beginning: bytes) -> SealedHead | None:
    """Read the head of a file from its first bytes (`HEAD.size`); None for one that is not sealed."""
    if len(beginning) < HEAD.size or not beginning.startswith(MAGIC):
        return None
    _, day, salt = HEAD.unpack(beginning[: HEAD.size])
    return SealedHead(day, salt)


def plain_size(sealed_bytes: int) -> int:
    """How many bytes a sealed file of that size holds."""
    inside = sealed_bytes - HEAD.size - SUM_BYTES
    return max(0, inside - TAG_BYTES * -(-inside // SEALED_BYTES))


class Sealer:
    """Writes a file sealed under a day's key, as the file of that name, while its bytes come."""

    def __init__(self, file: BinaryIO, key: bytes, day: int, name: str) -> None:
        salt = os.urandom(SALT_BYTES)
        self._file = file
        self._cipher = _cipher(key, salt, name)
        self._digest = hashlib.sha256()
        self._number = 0
        self._waiting = bytearray()
        self._put(HEAD.pack(MAGIC, day, salt))

    def write(self, block: bytes) -> None:
        """Add bytes. Raises OSError."""
        rest = memoryview(block)
        while len(self._waiting) + len(rest) > PIECE_BYTES:  # one piece, perhaps not a whole one, is kept for the end
            missing = PIECE_BYTES - len(self._waiting)
            self._waiting += rest[:missing]
            rest = rest[missing:]
            self._seal(last=False)
        self._waiting += rest

    def finish(self) -> None:
        """Write what is left; the file stays open. Raises OSError."""
        self._seal(last=True)
        self._file.write(self._digest.digest())

    def _seal(self, *, last: bool) -> None:
        self._put(self._cipher.encrypt(_nonce(self._number, last=last), bytes(self._waiting), None))
        self._number += 1
        self._waiting.clear()

    def _put(self, sealed: bytes) -> None:
        self._file.write(sealed)
        self._digest.update(sealed)


class SealedPart:
    """The bytes from `start` up to `end` of a sealed file: which of its own bytes to read, and what they hold."""

    def __init__(self, key: bytes, head: SealedHead, name: str, sealed_bytes: int, start: int, end: int) -> None:
        self._cipher = _cipher(key, head.salt, name)
        self._last = max(0, -(-(sealed_bytes - HEAD.size - SUM_BYTES) // SEALED_BYTES) - 1)
        self._number = start // PIECE_BYTES
        self._skip = start % PIECE_BYTES
        self._left = end - start
        after = max(end - 1, start) // PIECE_BYTES + 1
        self.start = HEAD.size + self._number * SEALED_BYTES
        self.end = min(HEAD.size + after * SEALED_BYTES, sealed_bytes - SUM_BYTES)
        self._waiting = bytearray()

    def add(self, piece: bytes) -> bytes:
        """Take bytes as they come; what they hold. Raises ValueError for what was changed."""
        self._waiting += piece
        found = bytearray()
        while len(self._waiting) >= SEALED_BYTES:
            found += self._open(bytes(self._waiting[:SEALED_BYTES]))
            del self._waiting[:SEALED_BYTES]
        return bytes(found)

    def finish(self) -> bytes:
        """What the last bytes hold. Raises ValueError, also when some have not come."""
        found = self._open(bytes(self._waiting)) if self._waiting else b""
        if self._left > 0:
            raise ValueError("sealed file is cut short")
        return found

    def _open(self, sealed: bytes) -> bytes:
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last=self._number == self._last), sealed, None)
        except InvalidTag:
            raise ValueError("sealed under another key, or changed since") from None
        self._number += 1
        found = plain[self._skip : self._skip + self._left]
        self._skip = 0
        self._left -= len(found)
        return found


class Checksum:
    """Whether a file is as it was stored, sealed or not, without its key."""

    def __init__(self) -> None:
        self._whole, self._inside = hashlib.sha256(), hashlib.sha256()
        self._head, self._tail = b"", b""

    def update(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._whole.update(piece)
        self._head += piece[: len(MAGIC) - len(self._head)]
        kept = self._tail + piece
        self._inside.update(kept[:-SUM_BYTES])
        self._tail = kept[-SUM_BYTES:]

    @property
    def sha256(self) -> str:
        """The SHA-256 of all of it."""
        return self._whole.hexdigest()

    def is_of(self, sha256: str) -> bool:
        """Whether it is sound: a plain one has that SHA-256, a sealed one ends with its own."""
        if self._head == MAGIC:
            return self._inside.digest() == self._tail
        return self.sha256 == sha256


def _cipher(key: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"jingxiang file 1 " + name.encode()).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
