"""What goes out as the reply to an update: what waited for the person, and the answer, in as much as fits into one
message. Each goes out once: with the reply, or by itself. A repeated request is told the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.channels.base import Writing
from bot.channels.wechat.pieces import rest_key
from bot.channels.wechat.words import TEXT_MAX_BYTES, inert, opens_question, parts_of, shown
from bot.clock import Clock, Ids
from bot.coalescing import Coalescer
from bot.i18n import Catalogue, Catalogues
from bot.stored import readable
from bot.talk.messages import Out, text
from bot.turn import Dispatch, outbox_row
from storage.database import Database, Row, Tx
from storage.machine import inbox, outbox, webchat, wechat

MOST_WAITING = 30  # that are looked at for one reply


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that may go out with a reply."""

    row: Row
    out: Out

    @property
    def speaks(self) -> bool:
        """Whether there are words in it: pictures can't stand beside words in a reply."""
        return bool(self.out.text.strip() or self.out.rows or self.out.links)


class Replies:
    """The replies of one township's account."""

    def __init__(
        self,
        database: Database,
        catalogues: Catalogues,
        outgoing: Writing,
        *,
        channel: str,
        township_id: int,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._database = database
        self._catalogues = catalogues
        self._outgoing = outgoing
        self._channel = channel
        self._township_id = township_id
        self._clock = clock
        self._ids = ids
        self._at_once = Coalescer(self._take_all)

    async def is_handled(self, update_key: str) -> bool:
        """Whether an update's answer is written. Raises Unavailable."""
        row = await self._database.read(
            lambda tx: inbox.by_key(tx, self._channel, update_key), township_id=self._township_id
        )
        return row is not None and row["state"] != "new"

    async def told(self, update_key: str) -> str:
        """The words of the reply as they were taken before; "" when they were not. Raises Unavailable."""

        async def look(tx: Tx) -> str:
            update = await inbox.by_key(tx, self._channel, update_key)
            rows = await outbox.of_reply(tx, update["id"]) if update is not None else ()
            told = [out for row, out in readable(rows) if row["state"] == "sent"]
            return words_of(told, await self._catalogue(tx, rows[0]["address"])) if told else ""

        return await self._database.read(look, township_id=self._township_id)

    async def _catalogue(self, tx: Tx, address: str) -> Catalogue:
        return self._catalogues[await webchat.language_of(tx, address) or self._catalogues.default]

    async def take(self, update_key: str, otherwise: str = "") -> str:
        """The words of the reply to a handled update: they count as sent now. When there are none: the text of the id
        `otherwise`, if that is given and nothing is on its way by itself. Raises Unavailable.
        """
        return await self._at_once((update_key, otherwise))

    async def _take_all(self, asked: Sequence[tuple[str, str]]) -> list[str]:
        async def work(tx: Tx) -> list[tuple[str, bool]]:
            return [await self._take(tx, update_key, otherwise) for update_key, otherwise in asked]

        taken = await self._database.transaction(work, township_id=self._township_id, exclusive=False)
        if any(others for _, others in taken):
            self._outgoing.hear(str(self._township_id))
        return [words for words, _ in taken]

    async def _take(self, tx: Tx, update_key: str, otherwise: str) -> tuple[str, bool]:
        """(words, whether other messages go by themselves now)."""
        now_ms = self._clock.now_ms()
        update = await inbox.by_key(tx, self._channel, update_key)
        if update is None:
            return "", False
        address, update_id = update["address"], update["id"]
        catalogue = await self._catalogue(tx, address)
        rows = await outbox.of_reply(tx, update_id)
        kept = [Kept(row, out) for row, out in readable(rows)]
        known = {one.row["id"] for one in kept}
        unreadable = [row["id"] for row in rows if row["id"] not in known and row["state"] == "due"]
        told = [one for one in kept if one.row["state"] == "sent"]
        # what is shown later stands later, whatever the clocks say: a number is for the newest question
        shown_ms = max(now_ms, await outbox.shown_until(tx, address) + 1)
        if told:  # the same request again: its answer was lost on the way
            await outbox.mark(tx, sent=[{"id": one.row["id"], "sent_ms": shown_ms} for one in told])
            return words_of([one.out for one in told], catalogue), False
        asks = any(opens_question(one.out) for one in kept)
        waiting = await self._waiting(tx, address, now_ms, asks=asks)
        chosen = chosen_of(waiting[:MOST_WAITING], kept, catalogue)
        taken = [one for one in chosen if await outbox.put_in_reply(tx, one.row["id"], update_id, now_ms=shown_ms)]
        apart = [one for one in kept if one not in chosen] + [one for one in waiting[:MOST_WAITING] if not one.speaks]
        for message_id in (*(one.row["id"] for one in apart), *unreadable):  # delivery sets the unreadable ones aside
            await outbox.let_go(tx, message_id, update_id, now_ms=now_ms)
        words = words_of([one.out for one in taken], catalogue)
        left = sum(one.speaks and one not in chosen for one in waiting)
        if left and words:
            words = with_more(words, catalogue.render(text("wechat.more", count=left)))
        if otherwise and not words:
            coming = await wechat.is_under_way(tx, address)
            words = catalogue.render(text("wechat.coming" if coming else otherwise))
        rests = [(one, out) for one in taken if (out := rest_of(one.out, len(taken), catalogue))]
        if rests:
            self._ids.follow(await inbox.newest_id(tx))
            await self._outgoing.write(tx, [self._row(one, out, now_ms) for one, out in rests], now_ms)
        if apart or unreadable:
            await self._outgoing.hint(tx)
        return words, bool(apart or unreadable or rests)

    async def _waiting(self, tx: Tx, address: str, now_ms: int, *, asks: bool) -> list[Kept]:
        """What waits for the person, the oldest first. What is too late by now is ended, and so are questions that came
        too late when the answer `asks` the present one.
        """
        rows = await outbox.waiting_for(tx, address)
        found = [Kept(row, out) for row, out in readable(rows)]
        lost = {row["id"] for row in rows} - {one.row["id"] for one in found}
        aside = [{"id": one, "state": "failed", "error": f"{outbox.UNREADABLE} it waited"} for one in sorted(lost)]
        await outbox.mark(tx, ended=aside)
        ended = {one.row["id"]: why for one in found if (why := why_ended(one, now_ms, asks=asks))}
        await outbox.mark(tx, ended=[{"id": one, "state": "expired", "error": why} for one, why in ended.items()])
        return [one for one in found if one.row["id"] not in ended]

    def _row(self, one: Kept, out: Out, now_ms: int) -> dict[str, Any]:
        """What did not fit, as a message of its own."""
        row, how = one.row, Dispatch(rest_key(one.row["id"]), urgent=True, expires_ms=one.row["expires_ms"])
        return outbox_row(self._ids.next(), row["person_id"], row["channel"], row["address"], out, how, now_ms)


def why_ended(one: Kept, now_ms: int, *, asks: bool) -> str:
    """Why a message that waits is not shown any more, "" when it is."""
    if one.row["expires_ms"] is not None and one.row["expires_ms"] < now_ms:
        return "late"
    return "superseded" if asks and one.row["series"] == 0 and opens_question(one.out) else ""


def with_more(words: str, more: str) -> str:
    """The reply's words with how much is left, if there is room."""
    longer = f"{words}\n\n{more}"
    return longer if len(longer.encode()) <= TEXT_MAX_BYTES else words


def chosen_of(waiting: Sequence[Kept], answers: Sequence[Kept], catalogue: Catalogue) -> list[Kept]:
    """Which messages go into one reply, in order of their ids: of the answer as much as fits, and what waited, the
    oldest first, in the room that is left. One that is too long for a reply of its own goes alone, its beginning.
    """
    chosen: list[Kept] = []
    for group in (answers, waiting):
        for one in group:
            if not one.speaks:
                continue
            longer = sorted((*chosen, one), key=lambda each: each.row["id"])
            if not fits([each.out for each in longer], catalogue):
                if not chosen:
                    return [one]
                break
            chosen = longer
    return chosen


def fits(outs: Sequence[Out], catalogue: Catalogue) -> bool:
    """Whether messages can be shown together in one reply."""
    labels = [label for out in outs for row in out.rows for label, _, _ in row]
    labels += [one for out in outs for link in out.links for one in link]
    longest = 3 * sum(map(len, (*(out.text for out in outs), *labels))) + 20 * (len(labels) + len(outs)) + 200
    return longest <= TEXT_MAX_BYTES or len(shown(outs, catalogue).parts) <= 1


def words_of(outs: Sequence[Out], catalogue: Catalogue) -> str:
    """Messages that were chosen together, as the reply's words; the beginning of one that is too long."""
    parts = shown(outs, catalogue).parts
    if len(parts) <= 1:
        return parts[0] if parts else ""
    return beginning_of(outs[0])


def beginning_of(out: Out) -> str:
    """As much of a message's text as a reply takes."""
    return next(iter(parts_of(inert(out.text))), "")


def rest_of(out: Out, together: int, catalogue: Catalogue) -> Out | None:
    """What of a message is not in the reply that it went out with: its pictures, and the rest of one too long."""
    if together == 1 and not fits([out], catalogue):
        text = out.text.strip("\n")
        return replace(out, text=text[len(beginning_of(out)) :].lstrip("\n"))
    return Out("", media=out.media) if out.media else None
