"""The vault's own key: an X25519 private key in a file outside the database (VAULT_KEY_FILE), mode 600.

It may be under a passphrase (PKCS 8). Who has the database or a backup but not this file reads nothing that is sealed.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import suppress
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
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
LOCK = re.compile(r"\.[0-9a-f]{16}")  # the end of an old key file's name
PUBLIC = "vault.pub"  # its public half, beside the data


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
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))


def _write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _name(beside, path)
    finally:
        Path(beside).unlink(missing_ok=True)
    sync_folder(path.parent)


def _name(beside: str, path: Path) -> None:
    """Give a file its name, whole or not at all, and never over another. Raises FileExistsError."""
    try:
        os.link(beside, path)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        Path(beside).rename(path)  # a stick of FAT has no links


def replace_key(path: Path, key: X25519PrivateKey, passphrase: str) -> None:
    """Write a private key under another passphrase in its file's place. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    write_key(beside, key, passphrase)
    beside.replace(path)
    sync_folder(path.parent)


def keep_old(path: Path, lock: str) -> Path:
    """Keep the key file under its lock's name beside the one that takes its place; where. Raises OSError."""
    kept = path.with_name(f"{path.name}.{lock}")
    with suppress(FileExistsError):  # of a rotation that was broken off
        _write_new(kept, path.read_bytes())
    return kept


def kept_keys(path: Path) -> list[Path]:
    """The key files of before, which open older backups."""
    return [one for one in sorted(path.parent.glob(f"{path.name}.*")) if LOCK.fullmatch(one.suffix)]


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
