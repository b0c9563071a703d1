"""Work that a browser does before it is heard: hashes to be searched, asked for and checked without remembering. Pure.

A challenge is bound to who is asked and ends soon; nobody else can use what was found, and who was asked needs it once.
`bot/web/static/work.js` does it: `PARTS` searches instead of one long one, whose time chance would make three times as
long for one in twenty.
"""

from __future__ import annotations

import hashlib
import re

from itsdangerous import Signer

from bot.channels.webchat import Who

PARTS = 16
VALID_MS = 600_000
HEADER = "x-jingxiang-work"
_CHALLENGE = re.compile(r"(?P<until_ms>[0-9]{1,16})\.(?P<bits>[0-9]{1,2})\.(?P<parts>[0-9]{1,2})\.[A-Za-z0-9_-]{43}")
_NONCE = re.compile(r"[0-9]{1,10}")


class WorkGiver:
    """Asks for work, and sees whether it is done, with one key."""

    def __init__(self, key: bytes) -> None:
        self._signer = Signer(key, salt="jingxiang work", key_derivation="hmac", digest_method=hashlib.sha256)

    def ask(self, who: Who, bits: int, now_ms: int) -> str:
        """A challenge for one address: until when it holds, how much it is, our signature."""
        return self._signed(who, f"{now_ms + VALID_MS}.{bits}.{PARTS}")

    def is_done(self, who: Who, said: str, now_ms: int) -> bool:
        """Whether somebody brings a challenge of ours, of their own, in its time, with all that was to be found."""
        challenge, _, nonces = said.partition("~")
        found = _CHALLENGE.fullmatch(challenge)
        if found is None or challenge != self._signed(who, challenge.rpartition(".")[0]):
            return False
        if now_ms > int(found["until_ms"]):
            return False
        every = nonces.split("-")
        if len(every) != int(found["parts"]) or not all(map(_NONCE.fullmatch, every)):
            return False
        return all(is_found(challenge, part, int(nonce), int(found["bits"])) for part, nonce in enumerate(every))

    def _signed(self, who: Who, terms: str) -> str:
        signature = self._signer.get_signature(f"{who[0]}.{who[1]}.{terms}").decode("ascii")
        return f"{terms}.{signature}"


def is_found(challenge: str, part: int, nonce: int, bits: int) -> bool:
    """Whether a nonce is one of those that are looked for: the hash of the challenge's hash, the part's number and the
    nonce (each of four bytes) begins with so many zeros.
    """
    if nonce >= 1 << 32:
        return False
    seed = hashlib.sha256(challenge.encode()).digest()
    digest = hashlib.sha256(seed + part.to_bytes(4, "big") + nonce.to_bytes(4, "big")).digest()
    return int.from_bytes(digest, "big") >> (256 - bits) == 0
