"""The page of what can be said, by who may say it, written from the declarations themselves: `make learn`.

`docs/<language>/said.md`. A guard compares it with the declarations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.i18n import LOCALES, read_texts
from bot.spoken import stored
from bot.talk.understanding.examples import Example, read_examples
from handlers.declared import Saying
from handlers.registry import DECLARED

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"zh": "zh_CN", "en": "en"}
SHOWN = 4
_HOLE = re.compile(r"\{([a-z]+)\}")
_IN_CHINESE = {
    "place": "王家沟桥头",
    "person": "张三",
    "weight": "三十一斤半",
    "bags": "两袋",
    "percent": "5%",
    "people": "12人",
    "vehicles": "3车",
    "volume": "8方",
    "plate": "甘J12345",
    "case": "2026-0001",
    "ticket": "F2026-00001",
    "day": "昨天",
    "date": "11月20日",
}
_IN_ENGLISH = {
    "place": "Wangjiagou",
    "person": "Zhang San",
    "weight": "15.6 kg",
    "bags": "2袋",
    "day": "yesterday",
    "date": "2026-11-20",
}
_FILLED = {"zh": _IN_CHINESE, "en": _IN_CHINESE | _IN_ENGLISH}


def page(language: str) -> str:
    """The page in a language of the documents (zh, en)."""
    texts = read_texts(LOCALES / PAGES[language])
    examples = [
        one
        for path in stored.files()
        if path.parts[-3] == PAGES[language] and path.name not in (stored.ALIKE, stored.ALWAYS)
        for one in read_examples(path.read_text("utf-8").splitlines())
    ]
    lines = [f"# {texts['phrasebook.title']}", "", str(texts["phrasebook.head"]), ""]
    for right in dict.fromkeys(one.right for one in _in_order()):
        who = texts[f"right.{right}.who"] if right else texts["phrasebook.everybody"]
        lines += [f"## {who}", "", f"| {texts['phrasebook.what']} | {texts['phrasebook.how']} |", "| --- | --- |"]
        for saying in _in_order():
            if saying.right == right:
                lines.append(f"| {texts[f'saying.{saying.id}']} | {' · '.join(_shown(examples, saying, language))} |")
        lines.append("")
    return "\n".join(lines)


def _in_order() -> list[Saying]:
    """Everybody's first, then by right, in the order in which capabilities stand."""
    return sorted(DECLARED.sayings.values(), key=lambda one: (bool(one.right), one.right))


def _shown(examples: list[Example], saying: Saying, language: str) -> Iterator[str]:
    """A few examples, with something in their holes."""
    own = [one.words for one in examples if one.saying == saying.id][:SHOWN]
    return (_HOLE.sub(lambda hole: _FILLED[language][hole[1]], words) for words in own)


def main() -> None:
    """Write the pages."""
    for language in PAGES:
        (DOCS / language / "said.md").write_text(page(language), "utf-8")


if __name__ == "__main__":
    main()
