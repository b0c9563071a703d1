"""What a page says of its browser, checked: our program will call the address that it names. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

MAX_ENDPOINT_CHARS = 1_000
PUBLIC_KEY_BYTES = 65  # an uncompressed point of P-256
AUTH_BYTES = 16
UNCOMPRESSED = 4
# The services that browsers bring: Chrome and its kin, Firefox, Safari, Edge on Windows. Each or what is below it.
SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com")
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


def is_service(endpoint: str, more: Sequence[str] = ()) -> bool:
    """Whether an address is one of a known push service, by https and its usual port, without a password.

    `more`: further hosts that an operator trusts. Nothing else is ever called: the address comes from outside.
    """
    if len(endpoint) > MAX_ENDPOINT_CHARS or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return False
    try:
        url = urlsplit(endpoint)
        port = url.port
    except ValueError:
        return False
    host = url.hostname or ""
    plain = url.netloc.lower() in (host, f"{host}:443") and port in (None, 443)
    if url.scheme != "https" or not plain or "\\" in endpoint or not HOST.fullmatch(host):
        return False
    return any(host == one or host.endswith(f".{one}") for one in (*SERVICES, *more))


def read_browser(found: Any, more: Sequence[str] = ()) -> dict[str, str]:
    """Read a browser's `PushSubscription` as JSON: endpoint, p256dh, auth. Raises ValueError for anything else."""
    keys = found.get("keys") if isinstance(found, Mapping) else None
    if not isinstance(keys, Mapping):
        raise ValueError("keys")
    endpoint = found.get("endpoint")
    if not isinstance(endpoint, str) or not is_service(endpoint, more):
        raise ValueError("endpoint")
    p256dh, auth = keys.get("p256dh"), keys.get("auth")
    if not isinstance(p256dh, str) or not isinstance(auth, str):
        raise ValueError("keys")
    point = raw(p256dh)
    if len(point) != PUBLIC_KEY_BYTES or point[0] != UNCOMPRESSED or len(raw(auth)) != AUTH_BYTES:
        raise ValueError("keys")
    return {"endpoint": endpoint, "p256dh": p256dh, "auth": auth}


def raw(said: str) -> bytes:
    """The bytes of base64url with or without padding. Raises ValueError."""
    if len(said) > 2 * PUBLIC_KEY_BYTES or not re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", said):
        raise ValueError("base64url")
    try:
        return base64.urlsafe_b64decode(said.rstrip("=") + "=" * (-len(said.rstrip("=")) % 4))
    except binascii.Error:
        raise ValueError("base64url") from None
