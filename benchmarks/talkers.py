"""People who report a dump again and again, for benchmarks without a network: they post what a page would."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bot.channels.base import Raw

FIRST_ID = 1 << 40
LEADS_ON = ("同意", "提交", "倾倒", "乱倒", "跳过", "实名")


def address_of(number: int) -> str:
    """A web address as real ones are: a SHA-256 in hexadecimal."""
    return f"web:{hashlib.sha256(str(number).encode()).hexdigest()}"


class Talker:
    """One person of a township."""

    def __init__(self, number: int, township_id: int = 1) -> None:
        self.address = address_of(number)
        self.township_id = township_id
        self.seen = 0
        self.sent = 0

    def post(self, **body: Any) -> Raw:
        """An update that was not sent before."""
        self.sent += 1
        content = json.dumps({"id": f"m{self.sent}-{self.address[-16:]}", **body}, ensure_ascii=False).encode()
        return Raw("web", f"{self.address}:{self.sent}", self.address, content, self.township_id)

    def next(self, out: Any) -> Raw:
        """Press what leads on; begin again when nothing does."""
        for row in out.rows:
            for label, data, _ in row:
                if any(word in label for word in LEADS_ON) and "不同意" not in label:
                    return self.post(kind="tap", text=label, data=data)
        if out.ask == "place":
            return self.post(kind="text", text="王家沟桥头")
        return self.post(kind="text", text="/report")
