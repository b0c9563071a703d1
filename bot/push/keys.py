"""The key pair by which push services know this deployment (VAPID, RFC 8292): made once, kept in DATA_DIR."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from bot.push.failures import FILE, PushKeyDamaged

OWNERS_ONLY = 0o600


def load_key(folder: Path) -> Vapid02:
    """The key of DATA_DIR, made when there is none; others can't read the file.

    Of several processes that begin at the same time all get the one that is there first. Raises PushKeyDamaged.
    """
    path = folder / FILE
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        path.chmod(OWNERS_ONLY)
    try:
        return Vapid02.from_pem(path.read_bytes())
    except ValueError:
        raise PushKeyDamaged(path) from None


def _make(path: Path) -> None:
    key = Vapid02()
    key.generate_keys()
    part = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNERS_ONLY)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(key.private_pem())
            opened.flush()
            os.fsync(opened.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return  # another process was faster
    finally:
        part.unlink()


def public_key(key: Vapid02) -> str:
    """What browsers are given of it: the point in base64url."""
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
