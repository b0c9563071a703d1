"""Every row of the commands guide is played: the words mean the command, also with what the row says they take."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.i18n import Catalogues
from bot.talk.messages import In
from bot.turn import Person, Role
from handlers import registry
from handlers.product import Township
from tests.guards.test_docs import LANGUAGES, TYPED, rows_of

ZONE = ZoneInfo("Asia/Shanghai")
CATALOGUES = Catalogues(ZONE)
# What stands for the placeholders of the first column: something that the command takes.
TAKEN = {
    "页": "2", "PAGE": "2", "编号 领奖码": "2026-0001 339563", "CASE CODE": "2026-0001 339563",
    "编号": "2026-0001", "CASE": "2026-0001", "姓名或卡号": "张三", "NAME or CARD": "张三",
    "单号": "F2026-00042", "TICKET": "F2026-00042", "称呼": "王大娘", "NAME": "王大娘",
    "en": "en", "zh_CN": "zh_CN", "验证码": "17050 80123", "CODE": "17050 80123", "地方": "王家沟", "PLACE": "王家沟",
    "on 或 off": "off", "on or off": "off", "分钟": "30", "MINUTES": "30",
    "张三 15.6公斤": "张三 15.6公斤", "日期": "2026-11-20", "DAY": "2026-11-20",
    "日期 [12人 3车 8方": "2026-11-20 12人 3车 8方", "DAY [12人 3车 8方": "2026-11-20 12人 3车 8方",
    "日期] [12人 3车 8方": "2026-11-20 12人 3车 8方", "DAY] [12人 3车 8方": "2026-11-20 12人 3车 8方",
    "日期 [日期": "2026-11-20 2026-11-22", "DAY [DAY": "2026-11-20 2026-11-22",
    "手机号或账号": "13800000001", "NUMBER or user id": "13800000001", "film": "film",
}  # fmt: skip


def turn_of(language: str, said: str) -> Any:
    """As much of a turn of somebody with every right as the reading of a command looks at."""
    places = SimpleNamespace(
        villages=(), areas={}, find_place=lambda said, **_: None, covers=lambda one, other: True, town=None
    )
    world = SimpleNamespace(
        day=lambda _: date(2026, 11, 25),
        local=lambda _: datetime(2026, 11, 25, tzinfo=UTC),
        places=places,
        declared=registry.DECLARED,
        policy=SimpleNamespace(film=SimpleNamespace(default_unit=None, kind_words=dict)),
    )
    person = Person(1, "李", LANGUAGES[language], "web", "web:1", roles=(Role("admin", 1),))
    return SimpleNamespace(event=In("text", said), person=person, catalogues=CATALOGUES, world=world, now_ms=0)


def taken(row: str) -> str:
    """What the row's command takes, from its first column: «[日期]», «编号 领奖码»; "" for nothing."""
    first = re.search(r"`/[a-z]+([^`]*)`", row.split("|")[1])
    said = first[1].strip().strip("[]") if first else ""
    return TAKEN.get(said, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_s_words_mean_its_command(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.people.roles.named_areas", lambda places, said: [said])
    product = Township(ZONE, "https://chat.example")
    played = 0
    for command, row in rows_of(language).items():
        for words in TYPED[language].findall(row.split("|")[2]):
            alone = product.phrase(turn_of(language, words))
            assert alone == product.addressed(turn_of(language, f"/{command}")), (command, words)
            if rest := taken(row):
                followed = product.phrase(turn_of(language, f"{words} {rest}"))
                assert followed == product.addressed(turn_of(language, f"/{command} {rest}")), (command, words, rest)
                played += 1
    assert played >= 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_row_takes_is_known_here(language: str) -> None:
    """A row with words to type that takes something is played with it, unless only a button brings that."""
    for command, row in rows_of(language).items():
        first = re.search(r"`/[a-z]+ ([^`]+)`", row.split("|")[1])
        if first and TYPED[language].findall(row.split("|")[2]):
            assert taken(row), command


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("behind", ["的事怎么办呢", " 怎么还没有人管", "不会用啊"])
def test_a_sentence_that_begins_with_a_command_s_name_is_no_command(language: str, behind: str) -> None:
    product = Township(ZONE, "https://chat.example")
    names_anything = {"name", "points", "subsidy", "wecom"}
    for command, row in rows_of(language).items():
        for words in TYPED[language].findall(row.split("|")[2]):
            intent = product.phrase(turn_of(language, words + behind))
            assert intent is None or command in names_anything, words + behind
