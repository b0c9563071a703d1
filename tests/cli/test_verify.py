"""What `verify` finds is told in the operator's language, to the end of the line."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from bot.i18n import LOCALES, read_texts
from storage.security.joins import JOINS
from tests.cli.console import Console
from tests.cli.moving import play

ENGLISH_WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
MISSING = re.compile(r"fault\.[a-z_]+")
LEADS = (
    (
        "UPDATE people SET name = '王大娘' WHERE id = (SELECT MIN(id) FROM people WHERE township_id = 1)",
        "没封存的姓名：有 1 行",
        "names that are not sealed: 1 rows",
    ),
    (
        "INSERT INTO household_members (township_id, id, household_id, person_id, relation, from_ms)"
        " SELECT 1, 7, 7, MIN(id), 'member', 0 FROM people WHERE township_id = 1",
        "家庭和人的对应：有 1 行",
        "whose a household is: 1 rows",
    ),
    (
        "UPDATE outbox SET message_key = 'case:1:result' WHERE id = (SELECT MAX(id) FROM outbox WHERE person_id <> 0)",
        "消息的标记：有 1 行",
        "what messages are known by: 1 rows",
    ),
    (
        "UPDATE media SET person_id = (SELECT MIN(id) FROM people WHERE township_id = 1)"
        " WHERE id = (SELECT MIN(media_id) FROM case_media WHERE township_id = 1)",
        "照片的主人：有 1 行",
        "owners of photos: 1 rows",
    ),
    (
        "UPDATE case_reporters SET household_id = 7 WHERE case_id = (SELECT MIN(case_id) FROM case_reporters)",
        "保险柜里没封存的举报人：有 1 行",
        "reporters that are not sealed: 1 rows",
    ),
    (
        "UPDATE case_reporters SET received_ms = received_ms - 400 * 86400000"
        " WHERE case_id = (SELECT MIN(case_id) FROM case_reporters)",
        "过了保存期的举报人：有 1 行",
        "reporters kept past their term: 1 rows",
    ),
    (
        "INSERT INTO timers (township_id, id, kind, timer_key, fire_ms, payload, state) VALUES"
        """ (1, 7, 'x', 'x', 7, '{"case_id":1,"person_id":2}', 'done')""",
        "定时任务：有 1 行",
        "timers: 1 rows",
    ),
    (
        "INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash, reason,"
        " ref, policy_version, at_ms) VALUES (1, 9007199254740000, 'reward:due', 'household:7', 5, 'points', 'x', 'x',"
        " 'report_verified', 'case:7', 1, 9007199254740000)",
        "积分流水：有 1 行",
        "transfers of points: 1 rows",
    ),
    (
        "INSERT INTO reporter_looks (township_id, id, request_id, case_id, event, actor_key, sealed, why, at_ms)"
        " SELECT 1, 7, 7, MIN(c.id), 'seen', (SELECT MIN(id) FROM people WHERE township_id = 1), NULL, 'pay', 7"
        " FROM cases c WHERE c.township_id = 1",
        "查看记录：有 1 行",
        "looks at reporters: 1 rows",
    ),
    (  # a try that was refused: its reporter may have made it
        "INSERT INTO reporter_looks (township_id, id, request_id, case_id, event, actor_key, sealed, why, at_ms)"
        " SELECT 1, 7, 7, MIN(c.id), 'refused', (SELECT MAX(id) FROM people WHERE township_id = 1), NULL, 'no_right', 7"
        " FROM cases c WHERE c.township_id = 1",
        "查看记录：有 1 行",
        "looks at reporters: 1 rows",
    ),
    (
        "UPDATE outbox SET card = 'case:2026-0001' WHERE id = (SELECT MIN(id) FROM outbox WHERE person_id <> 0)",
        "消息的标记：有 1 行",
        "what messages are known by: 1 rows",
    ),
)
DAMAGES = [
    *((damage, f"有错 青禾塬镇: 谁举报的：.*{zh}", f"BAD 青禾塬镇: who reported: .*{en}") for damage, zh, en in LEADS),
    (
        "UPDATE balances SET balance = balance + 1 WHERE account LIKE 'household:%' AND unit = 'points'",
        r"有错 青禾塬镇: 账本：.*积分的余额加起来是 1，应该是 0.*household:\d+ 的积分余额是 16，按流水算是 15",
        r"BAD 青禾塬镇: ledger: .*of points sum to 1, not to 0.*household:\d+ has 16 points, its transfers say 15",
    ),
    (
        "UPDATE cases SET state = 'closed' WHERE state = 'verified'",
        r"有错 青禾塬镇: 案件记录：案件 \S+：写着「已销号」，记录里却没有这一步",
        r"BAD 青禾塬镇: case events: case \S+: closed without that event",
    ),
    (
        "DROP TRIGGER film_tickets_no_update; UPDATE film_tickets SET points = points + 1",
        r"有错 青禾塬镇: 称重单：称重单 F\S+：积分记着 16，重算是 15.*（已计）：\S+ 给了 15 积分，应该是 16",
        r"BAD 青禾塬镇: film tickets: F\S+: points is 16, comes out as 15.*\(counted\): \S+ gave 15 points, not 16",
    ),
    (
        "INSERT INTO film_budgets (township_id, fund, period, spent_fen) VALUES (1, 'township', '1999', 7)",
        r"有错 青禾塬镇: 称重单：镇级资金 1999 的上限：记着用了 7 分钱，按称重单算是 0 分钱",
        r"BAD 青禾塬镇: film tickets: cap of the township's fund 1999: 7 fen used, tickets say 0",
    ),
    (
        "UPDATE households SET version = version + 1 WHERE card_no = 'N0123'",
        r"有错 青禾塬镇: 版本：households \d+：有 1 个版本，最后一个是第 2 版",
        r"BAD 青禾塬镇: versions: households \d+: 1 versions up to 2",
    ),
    (
        "UPDATE cases SET duplicate_of = 999999 WHERE state = 'verified'",
        r"有错 青禾塬镇: 引用：cases\.duplicate_of：1 行指向 \w+ 里没有的一行",
        r"BAD 青禾塬镇: references: cases\.duplicate_of: 1 rows name one of \w+ that is not there",
    ),
]


def test_every_way_to_a_reporter_is_laid_here_once() -> None:
    texts = read_texts(LOCALES / "zh_CN" / "console")
    told = {way: str(texts[f"fault.way.{way}"]) for way in JOINS}
    assert [way for way, said in told.items() if not any(zh.startswith(said) for _, zh, _ in LEADS)] == []


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a town that was played and stopped."""
    folder = tmp_path_factory.mktemp("played") / "data"

    async def work() -> None:
        async with play(folder):
            pass

    asyncio.run(work())
    return folder


@pytest.mark.parametrize(("damage", "chinese", "english"), DAMAGES)
def test_what_verify_finds_is_told_in_the_operators_language(
    played: Path, tmp_path: Path, damage: str, chinese: str, english: str
) -> None:
    folder = shutil.copytree(played, tmp_path / "data")
    connection = sqlite3.connect(folder / "jingxiang.db")
    connection.executescript(damage)
    connection.close()
    found = {}
    for language, wanted in (("zh_CN", chinese), ("en", english)):
        result = Console(folder, LANGUAGE=language).says("verify")
        assert result.exit_code == 1, result.output
        assert re.search(wanted, result.output), result.output
        assert not MISSING.search(result.output), result.output
        found[language] = result.output
    bad = [line for line in found["zh_CN"].splitlines() if line.startswith("有错")]
    assert bad and [line for line in bad if ENGLISH_WORDS.search(line)] == []
