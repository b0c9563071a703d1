"""WeChat's signatures and its encryption of messages, for the Official Account and for WeCom's callbacks. Pure.

AES-256-CBC; the key's first 16 bytes are the IV; padding as in PKCS#7 but to 32 bytes; inside stand 16 random bytes,
the length (4 bytes, big-endian), the message, and who it is for (the account's app id).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

KEY_CHARS = 43
AES_BLOCK_BYTES = 16
PAD_BYTES = 32
RANDOM_BYTES = 16
LENGTH_BYTES = 4


class Forged(ValueError):
    """What came is not from WeChat, or not for this account. `code`: signature, ciphertext, recipient, expired,
    repeated, not_encrypted.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def signature(*parts: str) -> str:
    """SHA-1 of the sorted parts as 40 hex digits: (token, timestamp, nonce) for `signature`; with the encrypted text
    as a fourth for `msg_signature`.
    """
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def check_signature(given: str, *parts: str) -> None:
    """Raise Forged unless `given` is the parts' signature; takes the same time wherever they differ."""
    if not hmac.compare_digest(signature(*parts).encode(), given.encode("utf-8", "replace")):
        raise Forged("signature")


def aes_key(text: str) -> bytes:
    """The 32 bytes of an EncodingAESKey of 43 letters and digits; raises ValueError."""
    if not re.fullmatch(rf"[A-Za-z0-9+/]{{{KEY_CHARS}}}", text):
        raise ValueError(f"must be {KEY_CHARS} letters and digits")
    return base64.b64decode(text + "=")


class Seal:
    """Encrypts and decrypts for one recipient, with the present key and those before it.

    `receive_id` is the app id (the corp id for WeCom, "" for its smart bot). Raises ValueError for a malformed key.
    """

    def __init__(self, receive_id: str, keys: Sequence[str]) -> None:
        self._receive_id = receive_id.encode()
        self._keys = [aes_key(key) for key in keys if key]
        if not self._keys:
            raise ValueError("no AES key")

    def open(self, encrypted: str) -> tuple[bytes, int]:
        """The message, and which key opened it (0 the present one). Raises Forged."""
        try:
            raw = base64.b64decode("".join(encrypted.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Forged("ciphertext") from None
        if not raw or len(raw) % AES_BLOCK_BYTES:
            raise Forged("ciphertext")
        refusal = Forged("ciphertext")
        for number, key in enumerate(self._keys):
            try:
                return self._opened(key, raw), number
            except Forged as error:
                refusal = error
        raise refusal

    def _opened(self, key: bytes, raw: bytes) -> bytes:
        decryptor = Cipher(AES256(key), CBC(key[:AES_BLOCK_BYTES])).decryptor()
        padded = decryptor.update(raw) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= min(PAD_BYTES, len(padded)):
            raise Forged("ciphertext")
        content = padded[RANDOM_BYTES:-pad]
        length, rest = int.from_bytes(content[:LENGTH_BYTES], "big"), content[LENGTH_BYTES:]
        if len(content) < LENGTH_BYTES or length > len(rest):
            raise Forged("ciphertext")
        if not hmac.compare_digest(rest[length:], self._receive_id):
            raise Forged("recipient")
        return rest[:length]

    def close(self, message: bytes, key: int = 0, prefix: bytes | None = None) -> str:
        """The encrypted message as base64, with that key; `prefix` replaces the 16 random bytes (for tests)."""
        prefix = secrets.token_bytes(RANDOM_BYTES) if prefix is None else prefix
        plain = prefix + len(message).to_bytes(LENGTH_BYTES, "big") + message + self._receive_id
        pad = PAD_BYTES - len(plain) % PAD_BYTES
        secret = self._keys[key]
        encryptor = Cipher(AES256(secret), CBC(secret[:AES_BLOCK_BYTES])).encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
