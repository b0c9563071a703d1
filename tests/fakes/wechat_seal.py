"""WeChat's side of signing and sealing, written for itself: a mistake of the program's must not cancel out here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import xml.etree.ElementTree as ElementTree
from typing import Any
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def sign(*parts: str) -> str:
    """SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def _cipher(aes_key: str) -> Cipher[Any]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypt(aes_key: str, receive_id: str, message: bytes) -> str:
    """As WeChat seals a message."""
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + receive_id.encode()
    pad = 32 - len(plain) % 32
    encryptor = _cipher(aes_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad] * pad)) + encryptor.finalize()).decode()


def decrypt(aes_key: str, receive_id: str, encrypted: str) -> bytes:
    """As WeChat opens a reply; ValueError when it is for another account, or sealed with another key."""
    decryptor = _cipher(aes_key).decryptor()
    raw = base64.b64decode(encrypted)
    padded = decryptor.update(raw) + decryptor.finalize()
    pad = padded[-1]
    if not 1 <= pad <= 32 or padded[-pad:] != bytes([pad] * pad):
        raise ValueError("padding")
    content = padded[16:-pad]
    (size,) = struct.unpack(">I", content[:4])
    if content[4 + size :] != receive_id.encode():
        raise ValueError("another account")
    return content[4 : 4 + size]


def write(fields: dict[str, Any], as_json: bool) -> bytes:
    """A push as WeChat writes it: control characters of people's texts are left in the XML, as WeChat does."""
    if as_json:
        return json.dumps(fields, ensure_ascii=False).encode()
    return ("<xml>" + "".join(_element(name, value) for name, value in fields.items()) + "</xml>").encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"<{name}>" + "".join(_element(*pair) for pair in value.items()) + f"</{name}>"
    if isinstance(value, str) and "]]>" not in value:
        return f"<{name}><![CDATA[{value}]]></{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def read(body: bytes, as_json: bool) -> dict[str, Any]:
    """A reply's fields; ValueError when it is none."""
    if as_json:
        found = json.loads(body)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from None
    return {one.tag: {inner.tag: inner.text or "" for inner in one} if len(one) else one.text or "" for one in root}
