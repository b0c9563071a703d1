"""A catalogue in which every message id is its own text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bot.i18n import Catalogue, Catalogues

ZONE = ZoneInfo("Asia/Shanghai")
TEXTS = {
    "review.line": "{label}: {value}",
    "review.body": "{title}\n{lines}",
    "step.after": "{note}\n{question}",
    "mine": "mine {number} {tokens}",
    "done": "done {token}",
}


class _KeyTexts(dict[str, str]):
    """Every message id is its own text, so that no catalogue is needed."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, key)


class KeyCatalogues(Catalogues):
    """One language, in which the texts are their ids, but for some."""

    def __init__(self, others: Mapping[str, str] | None = None) -> None:
        self.default = "zh_CN"
        self._all = {"zh_CN": Catalogue("zh_CN", _KeyTexts({**TEXTS, **(others or {})}), ZONE)}
