"""The WeChat account of a deployment: whose it is, and whether it works (`doctor`)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.channels.base import UnknownTownship
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.tokens import TokenTable
from bot.checks import Check
from bot.clock import SystemClock
from bot.errors import GiveUp, RetryLater
from bot.settings import Settings
from bot.talk.messages import Words, text
from storage.database import Database, Row
from storage.machine import townships

# WeChat's refusals that the operator can mend, by their names in `tencent_errors`: the texts are `wechat.fault.<name>`.
HELP = frozenset(
    (
        "no_permission",
        "wrong_app_id",
        "wrong_secret",
        "wrong_credentials",
        "address_not_listed",
        "token_refused",
        "account_limited",
        "quota",
        "too_often",
        "aes_key",
        "template",
        "busy",
    )
)


def town_of(settings: Settings, known: Sequence[Row]) -> int:
    """The township that the account belongs to. Raises UnknownTownship for a code that is none."""
    code = settings.wechat_township
    town = next((row["township_id"] for row in known if code in ("", row["code"])), None)
    if town is None:
        raise UnknownTownship(code)
    return int(town)


async def wechat_check(settings: Settings, database: Database) -> list[Check]:
    """Whether WeChat gives us a token, and what it refused last; nothing without an account."""
    if not settings.wechat_app_id:
        return []
    try:
        town = town_of(settings, await database.read(townships.every_name))
    except UnknownTownship as error:
        return [Check("wechat", False, text("failure.wechat_township", code=error.code))]
    clock = SystemClock()
    api = WeChatApi(
        settings.wechat_app_id,
        settings.wechat_app_secret,
        TokenTable(database, town),
        clock,
        settings.wechat_api_url,
    )
    await api.start()
    try:
        await api.ask()
        checks = [Check("wechat", True, text("wechat.token"))]
    except (GiveUp, RetryLater) as error:
        said = error.reason if isinstance(error, RetryLater) else error.code
        checks = [Check("wechat", False, _with_name(said))]
    finally:
        await api.stop()
    if not settings.public_url.startswith("https://"):
        checks.append(Check("wechat page", False, text("wechat.page_needs_https"), warning=True))
    return checks


def said_of(fault: str) -> Words:
    """What to do about a fault; its name where nothing is known."""
    return text(f"wechat.fault.{fault}") if fault in HELP else fault


def _with_name(fault: str) -> Words:
    return text("check.fault", fault=fault, help=said_of(fault)) if fault in HELP else fault
