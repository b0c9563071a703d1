"""What `doctor` says of a bot's account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.console.doctor import seen_of, telegram_check
from bot.settings import Settings
from tests.fakes.botapi import FakeBotApi


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


async def seen(api: FakeBotApi, tmp_path: Path, token: str = "") -> tuple[bool, str]:
    settings = Settings(_env_file=None, data_dir=tmp_path, telegram_api_url=api.url)
    check = await telegram_check(settings, "telegram", token or api.token)
    return check.ok, seen_of(check)


async def test_an_account_in_order(api: FakeBotApi, tmp_path: Path) -> None:
    await api.user("王大娘").says("在吗")
    assert await seen(api, tmp_path) == (True, f"@jingxiang_test_bot at {api.url}, 1 updates waiting")


async def test_a_webhook_where_the_program_polls(
    api: FakeBotApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def info(params: object) -> dict[str, object]:
        return {
            "url": "https://old.example/telegram",
            "has_custom_certificate": False,
            "pending_update_count": 7,
            "last_error_date": 1,
            "last_error_message": "Connection refused",
        }

    monkeypatch.setattr(api.updates, "webhook_info", info)
    ok, said = await seen(api, tmp_path)
    assert ok and "7 updates waiting" in said and "Connection refused" in said and "a webhook is set" in said


async def test_a_token_that_is_refused_is_not_told(api: FakeBotApi, tmp_path: Path) -> None:
    wrong = f"{api.token[:-1]}x"
    ok, said = await seen(api, tmp_path, wrong)
    assert not ok and wrong not in said
    await api.stop()
    ok, said = await seen(api, tmp_path)
    assert not ok and "Connection refused" in said and api.token not in said
