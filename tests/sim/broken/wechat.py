"""Laws of WeChat, each broken on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.channels.base import Letter, Together
from bot.channels.wechat import channel, replies
from bot.channels.wechat.channel import WeChat
from bot.channels.wechat.customer import CustomerMessages
from bot.channels.wechat.replies import Kept, Replies
from bot.channels.wechat.wire import Update
from bot.channels.wechat.words import choice_of
from bot.incoming.batch import Batches
from bot.talk.messages import Out
from storage.database import Row, Tx
from storage.machine import inbox, outbox
from storage.vault.sealing import open_bodies
from tests.sim.broken.ways import Laws, built, patched
from tests.sim.machine.life import Parts

Gone = Callable[[], Awaitable[bool]]


class Hasty(WeChat):
    """Acknowledges a push while it is still being stored."""

    async def answer(self, update: Update, body: bytes, is_gone: Gone) -> str:
        self._storing = asyncio.ensure_future(super().answer(update, body, is_gone))
        await asyncio.sleep(0)
        return ""


class NeverLooks(WeChat):
    """Waits to be told that an update was handled, and never looks."""

    async def _handled(self, key: str, woken: asyncio.Event) -> None:
        await woken.wait()


class Forgetful(Replies):
    """Puts nothing of what waits into a reply."""

    async def _waiting(self, tx: Tx, address: str, now_ms: int, *, asks: bool) -> list[Kept]:
        return []


class Uncounted(CustomerMessages):
    """Counts no customer messages."""

    async def _count(self, letter: Letter) -> bool:
        return True


class HalfSent(CustomerMessages):
    """Drops what WeChat does not take any more of a message."""

    async def _split(self, letter: Letter, rest: Out, state: str) -> None:
        pass


async def _due_though_kept(tx: Tx, *, now_ms: int, limit: int, but: Sequence[str] = (), of: str = "") -> Sequence[Row]:
    rows = await tx.all(
        f"SELECT {outbox.COLUMNS}, NULL AS changes_ref FROM outbox WHERE township_id = :t AND state = 'due'"
        " ORDER BY id LIMIT :limit",
        {"limit": limit},
    )
    return await open_bodies(tx, rows)


async def _only_due(tx: Tx, update_id: int) -> Sequence[Row]:
    return [row for row in await _of_reply(tx, update_id) if row["state"] == "due"]


async def _shown_and_still_waiting(tx: Tx, message_id: int, update_id: int, *, now_ms: int) -> bool:
    row = await tx.one("SELECT state FROM outbox WHERE township_id = :t AND id = :id", {"id": message_id})
    if row is not None and row["state"] == "waiting":
        return True
    return await _put_in_reply(tx, message_id, update_id, now_ms=now_ms)


async def _never_let_go(tx: Tx, *, now_ms: int) -> None:
    pass


async def _never_shown(tx: Tx, address: str) -> int:
    return 0


def _no_number(said: str, shown: Sequence[Together]) -> None:
    return None


def _backwards(outs: Sequence[Out], catalogue: Any) -> str:
    return _words_of(list(reversed(outs)), catalogue)


def _of_an_older_reply(said: str, shown: Sequence[Together]) -> str | None:
    return choice_of(said, [*shown[1:], *shown[:1]])


async def _all_seen(self: Batches, tx: Tx, channel: Any, raw: Any, rows: list[Row], made_ms: int) -> list[Row]:
    return rows


_of_reply, _put_in_reply, _words_of = outbox.of_reply, outbox.put_in_reply, replies.words_of
NEW_AGAIN = inbox.INSERT.replace("DO NOTHING", "DO UPDATE SET state = 'new'")


LAWS: Laws = {
    "wechat-acknowledged-before-stored": lambda: built(Parts(wechat=Hasty)),
    "wechat-retry-handled-again": lambda: patched(inbox, "INSERT", NEW_AGAIN),
    "wechat-answer-lies-there": lambda: built(Parts(wechat=NeverLooks)),
    "wechat-reply-also-by-itself": lambda: patched(outbox, "due", _due_though_kept),
    "wechat-retry-told-nothing": lambda: patched(outbox, "of_reply", _only_due),
    "wechat-waiting-shown-again": lambda: patched(outbox, "put_in_reply", _shown_and_still_waiting),
    "wechat-waiting-forgotten": lambda: built(Parts(replies=Forgetful)),
    "wechat-kept-for-ever": lambda: patched(outbox, "keep_no_longer", _never_let_go),
    "wechat-no-order-in-a-reply": lambda: patched(replies, "words_of", _backwards),
    "wechat-rest-dropped": lambda: patched(replies, "rest_of", lambda *arguments: None),
    "wechat-half-sent": lambda: built(Parts(customer=HalfSent)),
    "wechat-messages-uncounted": lambda: built(Parts(customer=Uncounted)),
    "wechat-number-of-another-reply": lambda: patched(channel, "choice_of", _of_an_older_reply),
    "wechat-number-not-read": lambda: patched(channel, "choice_of", _no_number),
    "wechat-newest-by-the-clock": lambda: patched(outbox, "shown_until", _never_shown),
    "wechat-number-before-its-reply": lambda: patched(Batches, "_seen", _all_seen),
}
