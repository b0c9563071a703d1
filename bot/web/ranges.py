"""A part of a file, as phones ask for it when they play a video (RFC 9110, section 14)."""

from __future__ import annotations

import re

ONE_PART = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class NoSuchPart(Exception):
    """The part begins behind the end of the file."""


def part_of(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """(start, end) of the one part that a Range header names; None when the whole is to be sent.

    What can't be read and several parts at once mean the whole, as the RFC allows. Raises NoSuchPart.
    """
    found = ONE_PART.fullmatch(header.replace(" ", "")) if header else None
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise NoSuchPart
    return start, end
