"""The vault's key pair as one of age (age-encryption.org/v1): whoever has the public half encrypts a file to it.

An age identity is the same 32 bytes of X25519, spelt in bech32. Files go through in pieces, whatever their size; the
ordinary `age` program opens them, too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from bech32 import bech32_decode, bech32_encode, convertbits
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

BEGINS = b"age-encryption.org/v1\n"
RECIPIENT, IDENTITY = "age", "age-secret-key-"
DRAINED_BYTES = 1 << 20


class NotForTheseKeys(Exception):
    """The file was encrypted to another key."""


class DamagedFile(Exception):
    """The file was changed, or is not whole; what was read of it counts for nothing."""


class Writable(Protocol):
    """Where bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Write them; how many."""
        ...


class Readable(Protocol):
    """Where bytes can be read from."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, none at the end."""
        ...


def recipient_of(public: X25519PublicKey) -> str:
    """Spell a public key as age does: `age1…`."""
    return bech32_encode(RECIPIENT, _fives(public.public_bytes_raw()))


def public_of(recipient: str) -> X25519PublicKey:
    """Read a public key that `recipient_of` spelt. Raises ValueError."""
    prefix, fives = bech32_decode(recipient.strip())
    raw = convertbits(fives, 5, 8, False) if prefix == RECIPIENT and fives else None
    if raw is None:
        raise ValueError("not a recipient of age")
    return X25519PublicKey.from_public_bytes(bytes(raw))


def is_encrypted(path: Path) -> bool:
    """Whether a file is one of age's. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(BEGINS)) == BEGINS


@contextmanager
def encrypting(target: Writable, public: X25519PublicKey) -> Iterator[BinaryIO]:
    """A file to write to: what goes in arrives in `target` encrypted, all of it when this ends."""
    from pyrage import encrypt_io, x25519

    to = [x25519.Recipient.from_str(recipient_of(public))]
    reading, writing = os.pipe()

    def work() -> None:
        with open(reading, "rb") as plain:  # noqa: PTH123
            encrypt_io(plain, target, to)

    with _beside(work), open(writing, "wb") as file:  # noqa: PTH123
        yield file


@contextmanager
def decrypting(source: Readable, keys: Sequence[X25519PrivateKey]) -> Iterator[BinaryIO]:
    """A file to read from, in order. Whoever leaves without an error has seen an unchanged file, also of what they
    did not read. Raises NotForTheseKeys and DamagedFile, whatever the body makes of half a file.
    """
    from pyrage import DecryptError, decrypt_io, x25519

    known = [x25519.Identity.from_str(_identity_of(key)) for key in keys]
    reading, writing = os.pipe()

    def work() -> None:
        with open(writing, "wb") as plain:  # noqa: PTH123
            decrypt_io(source, plain, known)

    try:
        with _beside(work), open(reading, "rb") as file:  # noqa: PTH123
            yield file
            while file.read(DRAINED_BYTES):
                pass
    except DecryptError as error:
        raise (NotForTheseKeys if "matching" in str(error) else DamagedFile)(str(error)) from None
    except OSError as error:
        if error.errno is None:  # age's own words for what it can't decrypt
            raise DamagedFile(str(error)) from None
        raise


@contextmanager
def _beside(work: Callable[[], None]) -> Iterator[None]:
    """Work in a thread on the other end of a pipe; its failure is the cause of whatever happens on this end."""
    failed: list[Exception] = []

    def run() -> None:
        try:
            work()
        except BrokenPipeError:
            pass  # this end has stopped, and says itself why
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="age")
    thread.start()
    try:
        yield
    except Exception:
        thread.join()
        if failed:
            raise failed[0] from None
        raise
    except BaseException:
        thread.join()
        raise
    thread.join()
    if failed:
        raise failed[0]


def _identity_of(key: X25519PrivateKey) -> str:
    return bech32_encode(IDENTITY, _fives(key.private_bytes_raw())).upper()


def _fives(raw: bytes) -> list[int]:
    fives = convertbits(raw, 8, 5)
    assert fives is not None
    return fives
