"""The page's cookie: a random id, the moment it was made, and our signature, so that nobody makes one but we. Pure.

Until version 0.1 it was a random secret of 43 characters without a signature: such a one is read as well (`made_ms` 0),
and counts only where its address is known already (`bot.web.visitors.doors`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer

ID_BYTES = 16
_SIGNED = re.compile(r"(?P<id>[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{43})\.(?P<made_ms>[1-9][0-9]{0,15})\.(?P<kind>[fn])")
_UNSIGNED = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Cookie:
    """A browser's cookie; `made_ms` 0: of before cookies were signed. `is_first`: no older one is to be voided."""

    id: str
    made_ms: int
    is_first: bool = True

    @property
    def address(self) -> str:
        """The contact address: only this is stored, and it can't be turned back."""
        return f"web:{hashlib.sha256(self.id.encode()).hexdigest()}"

    @property
    def is_signed(self) -> bool:
        """Whether we have signed it."""
        return self.made_ms > 0


def new_cookie(now_ms: int) -> Cookie:
    """A cookie that nobody had before."""
    return Cookie(secrets.token_urlsafe(ID_BYTES), now_ms)


def newer(cookie: Cookie, now_ms: int) -> Cookie:
    """The same page's next cookie; a clock that was set back makes none that is older."""
    return Cookie(cookie.id, max(now_ms, cookie.made_ms + 1), is_first=False)


class CookieSigner:
    """Writes and reads cookies with one key."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt="jingxiang page", key_derivation="hmac", digest_method=hashlib.sha256)

    def write(self, cookie: Cookie) -> str:
        """What the browser keeps."""
        return self._signer.sign(f"{cookie.id}.{cookie.made_ms}.{'f' if cookie.is_first else 'n'}").decode("ascii")

    def read(self, value: str) -> Cookie | None:
        """The cookie in what a browser sent; None when we have not made it."""
        if _UNSIGNED.fullmatch(value):
            return Cookie(value, 0)
        try:
            found = _SIGNED.fullmatch(self._signer.unsign(value).decode("ascii"))
        except (BadSignature, UnicodeError):
            return None
        return Cookie(found["id"], int(found["made_ms"]), found["kind"] == "f") if found else None
