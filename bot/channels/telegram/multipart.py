"""Forms with files (RFC 7578)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

Content = bytes | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class File:
    """A file to be sent: its name as people see it, its media type, its bytes at once or in pieces."""

    name: str
    kind: str
    content: Content


def upload_of(content: Content, kind: str) -> tuple[str, str, File]:
    """The Bot API's method that sends a stored video or picture, its field for the file, and the file."""
    if kind == "video":
        return "sendVideo", "video", File("video", "application/octet-stream", content)
    return "sendPhoto", "photo", File("photo.jpg", "image/jpeg", content)


def form_of(fields: Mapping[str, str], files: Mapping[str, File]) -> tuple[Content, str]:
    """A form's body and its media type. The body comes in pieces when a file does."""
    boundary = secrets.token_hex(16)
    pieces: list[Content] = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, file in files.items():
        about = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(file.name)}"'
        )
        pieces += [f"{about}\r\nContent-Type: {file.kind}\r\n\r\n".encode(), file.content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    at_once = [piece for piece in pieces if isinstance(piece, bytes)]
    body = b"".join(at_once) if len(at_once) == len(pieces) else _one_after_the_other(pieces)
    return body, f"multipart/form-data; boundary={boundary}"


async def _one_after_the_other(pieces: list[Content]) -> AsyncIterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            async for part in piece:
                yield part


def _quoted(name: str) -> str:
    """A name as it may stand between quotes. UTF-8 as it is: percent-encoded, people would be shown that."""
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
