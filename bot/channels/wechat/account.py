"""The WeChat account of a deployment: whose it is, and whether it works (`doctor`)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.tokens import TokenTable
from bot.checks import Check
from bot.clock import SystemClock
from bot.errors import GiveUp, RetryLater
from bot.settings import Settings
from storage.database import Database, Row
from storage.machine import channel_faults, townships

# What to do about WeChat's refusals, by their names in `wechat_errors`.
HELP = {
    "no_permission": (
        "this account may not do that (48001): a menu needs a service account or a verified subscription account,"
        " permanent codes need a verified service account"
    ),
    "wrong_app_id": "no account has this WECHAT_APP_ID (40013)",
    "wrong_secret": "WECHAT_APP_SECRET is wrong (40125)",
    "wrong_credentials": "WECHAT_APP_ID and WECHAT_APP_SECRET do not belong together (40002)",
    "address_not_listed": "this server's address is not in the account's list (IP白名单) of the console (40164)",
    "token_refused": "the access token is refused although it was renewed: does another program renew it, too?",
    "account_limited": "WeChat has limited this account (50002): its console says why",
    "quota": "today's quota of calls is used up (45009): run the same command tomorrow",
    "too_often": "too many calls at once (45011): run the same command in a minute",
    "aes_key": "what WeChat sends can't be opened: is WECHAT_AES_KEY the EncodingAESKey of the server settings?",
    "template": "WeChat refuses the notice: compare WECHAT_NOTICE with the template in the console (40037, 47003)",
    "busy": "WeChat is busy: run the same command later",
}


def town_of(settings: Settings, known: Sequence[Row]) -> int:
    """The township that the account belongs to. Raises LookupError for a code that is none."""
    code = settings.wechat_township
    town = next((row["township_id"] for row in known if code in ("", row["code"])), None)
    if town is None:
        raise LookupError(f"WECHAT_TOWNSHIP: no township has the code {code}")
    return int(town)


async def wechat_check(settings: Settings, database: Database) -> list[Check]:
    """Whether WeChat gives us a token, and what it refused last; nothing without an account."""
    if not settings.wechat_app_id:
        return []
    try:
        town = town_of(settings, await database.read(townships.every_name))
    except LookupError as error:
        return [Check("wechat", False, str(error))]
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
        checks = [Check("wechat", True, "WeChat gives a token")]
    except (GiveUp, RetryLater) as error:
        said = error.reason if isinstance(error, RetryLater) else error.code
        checks = [Check("wechat", False, said_of(said))]
    finally:
        await api.stop()
    for row in await database.read(channel_faults.every, township_id=town):
        if row["channel"].startswith("wechat"):
            checks.append(Check(row["channel"].replace("_", " ") + " last", False, said_of(row["fault"]), warning=True))
    if not settings.public_url.startswith("https://"):
        checks.append(Check("wechat page", False, "the web page in WeChat needs an https PUBLIC_URL", warning=True))
    return checks


def said_of(fault: str) -> str:
    """A fault with what to do about it."""
    return f"{fault}: {HELP[fault]}" if fault in HELP else fault
