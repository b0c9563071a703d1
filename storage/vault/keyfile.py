"""The vault's own key: an X25519 private key in a file outside the database (VAULT_KEY_FILE), mode 600.

It may be under a passphrase (PKCS 8). Who has the database or a backup but not this file reads nothing that is sealed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

NEXT = ".next"


class KeyFileProblem(Exception):
    """The key can't be had: `reason` is missing, locked, wrong_passphrase, unreadable or another."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(f"{reason}: {path}")
        self.reason = reason
        self.path = path


def read_key(path: Path, passphrase: str = "") -> X25519PrivateKey:
    """The private key in a file. Raises KeyFileProblem."""
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileProblem("missing", path) from None
    except OSError:
        raise KeyFileProblem("unreadable", path) from None
    try:
        key = load_pem_private_key(written, password=passphrase.encode() if b"ENCRYPTED" in written[:64] else None)
    except TypeError:
        raise KeyFileProblem("locked", path) from None
    except ValueError:
        reason = "unreadable" if b"ENCRYPTED" not in written[:64] else "wrong_passphrase" if passphrase else "locked"
        raise KeyFileProblem(reason, path) from None
    if not isinstance(key, X25519PrivateKey):
        raise KeyFileProblem("unreadable", path)
    return key


def write_key(path: Path, key: X25519PrivateKey, passphrase: str = "") -> None:
    """Write a private key durably to a file that is not there yet, for its owner. Raises FileExistsError, OSError."""
    protection: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # whole or not at all, and never over another
    finally:
        Path(beside).unlink()
    sync_folder(path.parent)


def replace_key(path: Path, key: X25519PrivateKey, passphrase: str) -> None:
    """Write a private key under another passphrase in its file's place. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    write_key(beside, key, passphrase)
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was made or renamed in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_key() -> X25519PrivateKey:
    """A new private key."""
    return X25519PrivateKey.generate()
