"""One batch of updates: everything between BEGIN and COMMIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bot.channels.base import Arrival, Channel, Channels, Raw, Together, Unclear
from bot.clock import Seams
from bot.i18n import Catalogues
from bot.incoming.callers import Callers
from bot.incoming.dialogue import Dialogue
from bot.incoming.flood import FloodGate, Judge
from bot.incoming.hiding import hide, hide_everywhere, was_hidden
from bot.outgoing.letters import Written
from bot.outgoing.shares import Outgoing
from bot.stored import readable
from bot.talk.clean import clean
from bot.talk.messages import In, Out, text
from bot.talk.session import Session
from bot.turn import Answering, Person, Product, Turn
from storage.database import Row, Tx, Unavailable
from storage.machine import inbox, outbox, sessions, timers

ANSWERED_TOPIC = "answered"
SHOWN_ROWS, MOST_SHOWN_ROWS = 8, 64
HERE_NOW = 4  # of a backlog's batches, one row in so many is for people who have just come
LOOKED_AT = 200
EARLIER_ROWS = 200  # among which an edited message is looked for
LONGEST_MARK = 16  # «选第 12 个。»: what is longer is no number
log = structlog.get_logger()


@dataclass(slots=True)
class Batch:
    """What one transaction gathers before it writes, and what its flood gate decided."""

    judge: Judge
    outbox: list[dict[str, Any]] = field(default_factory=list)
    timers: list[dict[str, Any]] = field(default_factory=list)
    written: Written | None = None
    handled: list[Raw] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)


class Batches:
    """Turns rows of the inbox into their effects. `culprit` is the update in hand, should something fail."""

    def __init__(
        self,
        product: Product,
        channels: Channels,
        catalogues: Catalogues,
        seams: Seams,
        outgoing: Outgoing,
    ) -> None:
        self._product = product
        self._dialogue = Dialogue(product)
        self._channels = channels
        self._catalogues = catalogues
        self._clock, self._ids, self._dice = seams.clock, seams.ids, seams.dice
        self._outgoing = outgoing
        self._flood = FloodGate()
        self.culprit: Row | None = None

    def keep(self, batch: Batch) -> None:
        """It is committed: remember what its flood gate decided."""
        self._flood.keep(batch.judge)

    async def handle(self, tx: Tx, limit: int) -> tuple[Batch, int]:
        """Handle a batch of the township's updates that are due; it, and how many rows it looked at."""
        self.culprit = None
        now_ms = self._clock.now_ms()
        rows = await self._rows(tx, now_ms, limit)
        batch = Batch(self._flood.judge(tx.township_id, now_ms, 0))
        if not rows:
            return batch, 0
        self._ids.follow(await inbox.newest_id(tx))
        world = await self._product.world(tx, now_ms)
        batch.judge.per_minute = self._product.messages_per_minute(world)
        due = await self._due(tx, batch.judge, rows)
        callers = Callers(self._ids, self._catalogues.default)
        if due:
            await callers.load(tx, list({row["address"] for row in due}), now_ms)
        for row in due:
            self.culprit = row
            raw = Raw(row["channel"], row["update_key"], row["address"], row["body"], tx.township_id)
            turn = await self._handle(tx, callers, raw, row, now_ms, world, batch)
            batch.handled.append(raw)
            if turn is not None:
                batch.outbox += turn.outbox
                batch.timers += turn.timers
        await sessions.save(tx, callers.changed(now_ms))
        await self._write(tx, batch, now_ms)
        await inbox.done(tx, [row["id"] for row in due])
        await self._tell_waiting(tx, batch)
        return batch, len(rows)

    async def _rows(self, tx: Tx, now_ms: int, limit: int) -> Sequence[Row]:
        """The oldest updates; of a backlog a part of the batch is for who has come last and has nothing older waiting:
        people who are here now go first, and each person's updates keep their order.
        """
        rows = await inbox.oldest_new(tx, now_ms=now_ms, limit=limit)
        if len(rows) < limit:
            return rows
        share = max(1, limit // HERE_NOW)
        here = await inbox.newest_alone(tx, now_ms=now_ms, after_id=rows[-1]["id"], among=LOOKED_AT, limit=share)
        return [*reversed(here), *rows[: limit - len(here)]]

    async def _tell_waiting(self, tx: Tx, batch: Batch) -> None:
        """Whoever holds a platform's request open for the answer may be another worker."""
        channels = self._channels.of(tx.township_id)
        for raw in batch.handled:
            channel = channels.get(raw.channel)
            if channel is not None and channel.reply_ms:
                await tx.notify(ANSWERED_TOPIC, f"{raw.channel} {raw.township_id} {raw.key}")

    async def _due(self, tx: Tx, judge: Judge, rows: Sequence[Row]) -> list[Row]:
        """The rows to handle now; a flood's are put off, once, and keep their order."""
        fresh = {row["address"] for row in rows if row["due_ms"] <= row["received_ms"]}
        if not fresh:
            return list(rows)
        after_ms = {row["address"]: row["due_ms"] for row in await inbox.put_off_until(tx, sorted(fresh))}
        due, later = [], []
        for row in rows:
            address = row["address"]
            if row["due_ms"] <= row["received_ms"]:
                due_ms = judge.due_ms(address, after_ms.get(address, 0))
                if due_ms > judge.now_ms:
                    after_ms[address] = due_ms
                    later.append({"id": row["id"], "due_ms": max(due_ms, row["received_ms"] + 1)})
                    continue
            due.append(row)
        await inbox.put_off(tx, later)
        return due

    async def _handle(
        self, tx: Tx, callers: Callers, raw: Raw, row: Row, now_ms: int, world: object, batch: Batch
    ) -> Turn[Any] | None:
        channel = self._channels.of(raw.township_id)[raw.channel]
        arrival = channel.decode(raw)
        if arrival.event.kind == "nothing" or not await self._is_news(tx, channel, raw, row, arrival):
            return None
        unclear = ""
        if not channel.buttons:
            arrival, unclear = await self._picked(tx, channel, raw, arrival)
        language = self._catalogues.nearest(arrival.language) if arrival.language else self._catalogues.default
        caller = await callers.of(tx, raw, arrival, language, now_ms)
        person = caller.person
        if arrival.reply_to:
            person = replace(person, address=arrival.reply_to)
        turn = self._turn(tx, person, arrival.event, now_ms, world, batch, answering_of(channel, row))
        turn.native_menu = channel.native_menu
        if unclear:
            turn.reply(text(unclear))
            return turn
        if channel.forgets_media and person.consent_version is not None:
            photos = [(one.kind, one.ref, one.size_bytes) for one in arrival.event.media]
            await turn.attach(person.id, raw.channel, photos, loose=True)
        conversation = caller.conversation
        if conversation.retired:
            conversation.retired = False
            turn.reply(text("session.retired"))
        if row["due_ms"] > row["received_ms"] and batch.judge.tells(raw.address):
            turn.reply(text("flood.slower"))
        session = await self._dialogue.handle(turn, conversation.session)
        if turn.hidden:
            await hide_everywhere(turn, channel, raw, row, arrival)
        if not arrival.reply_to:
            callers.became(caller, turn.person)
        if session is not conversation.session:
            session = Session(session.frames, session.rev, session.stash, now_ms)
        caller.conversation.session = session
        if turn.changed_addresses:
            await callers.meet_again(tx, turn.changed_addresses)
        if turn.forgotten:
            await callers.forget(tx, caller, now_ms)
        return turn

    async def _is_news(self, tx: Tx, channel: Channel, raw: Raw, row: Row, arrival: Arrival) -> bool:
        """Whether there is something to say to it. A platform tells of an edit also when a link's preview has come or
        a reaction, and a message is edited that was never for us: only other words than before are.
        """
        if arrival.event.kind != "edited" or not arrival.ref:
            return True
        for earlier in await inbox.of_address(tx, raw.address, before_id=row["id"], limit=EARLIER_ROWS):
            known = _decoded(channel, replace(raw, key=earlier["update_key"], body=earlier["body"]))
            if known is not None and known.ref == arrival.ref:
                if was_hidden(known):
                    await hide(tx, channel, raw, row)
                    return False
                return known.event.text != arrival.event.text
        return False

    async def _picked(self, tx: Tx, channel: Channel, raw: Raw, arrival: Arrival) -> tuple[Arrival, str]:
        """«2» where buttons can't be pressed: the choice of that number among those shown last; and the id of the text
        to answer with when it is not clear which.
        """
        event, address = arrival.event, raw.address
        if event.kind != "text":
            return arrival, ""
        rows = list(await outbox.shown(tx, address, limit=SHOWN_ROWS))
        if len(event.text) <= LONGEST_MARK:
            there_are_more = len(rows) >= SHOWN_ROWS
            rows = await self._seen(tx, channel, raw, rows, arrival.made_ms)
            if there_are_more and not any(is_question_in_reply(*one) for one in readable(rows)):
                rows = list(await outbox.shown(tx, address, limit=MOST_SHOWN_ROWS))  # under news and later answers
                rows = await self._seen(tx, channel, raw, rows, arrival.made_ms)
        if any(zero in event.text[:LONGEST_MARK] for zero in ("0", "０")):  # «选 011»
            known = {row["id"] for row in rows}
            rows += [row for row in await outbox.numbered(tx, address) if row["id"] not in known]
        shown = together_of(rows)
        data = channel.pick(event.text, shown) if shown else None
        if isinstance(data, Unclear):
            return arrival, data.text_id
        return (arrival if data is None else replace(arrival, event=In("tap", event.text, data))), ""

    async def _seen(self, tx: Tx, channel: Channel, raw: Raw, rows: list[Row], made_ms: int) -> list[Row]:
        """Of what was shown, what somebody can have seen who sent something then, which may have been long on its way:
        not the replies to what they sent only later.
        """
        while newest := max((row for row in rows if row["answers"]), key=lambda row: row["at_ms"], default=None):
            found = await inbox.of_address(tx, raw.address, before_id=newest["answers"] + 1, limit=1)
            answered = replace(raw, key=found[0]["update_key"], body=found[0]["body"]) if found else raw
            known = _decoded(channel, answered)
            if known is None or known.made_ms <= made_ms:
                break
            rows = [row for row in rows if row["answers"] != newest["answers"]]
        return rows

    def _turn(
        self,
        tx: Tx,
        person: Person,
        event: In,
        now_ms: int,
        world: object,
        batch: Batch,
        answering: Answering | None,
    ) -> Turn[Any]:
        return Turn(
            tx=tx,
            now_ms=now_ms,
            ids=self._ids,
            dice=self._dice,
            catalogues=self._catalogues,
            world=world,
            told=batch.told,
            person=person,
            event=event,
            answering=answering,
        )

    async def _write(self, tx: Tx, batch: Batch, now_ms: int) -> None:
        await timers.put(tx, batch.timers)
        batch.written = await self._outgoing.write(tx, batch.outbox, now_ms)

    async def quarantine(self, tx: Tx, row: Row, error: Exception) -> tuple[Batch, int]:
        """Set an update aside and tell its person. What that runs into keeps the update no less aside."""
        now_ms = self._clock.now_ms()
        batch = Batch(self._flood.judge(tx.township_id, now_ms, 0))
        if not await inbox.quarantine(tx, row["id"], clean(f"{type(error).__name__}: {error}")):
            return batch, 1  # another worker has handled it meanwhile
        self._ids.follow(await inbox.newest_id(tx))
        batch.handled.append(Raw(row["channel"], row["update_key"], row["address"], row["body"], tx.township_id))
        try:
            async with tx.savepoint():
                await self._say_sorry(tx, row, batch, now_ms)
        except Unavailable:
            raise
        except Exception:
            log.exception("intake.sorry_failed", update=row["id"])
            batch.outbox, batch.written = [], None
        await self._tell_waiting(tx, batch)
        return batch, 1

    async def _say_sorry(self, tx: Tx, row: Row, batch: Batch, now_ms: int) -> None:
        channel = self._channels.of(tx.township_id).get(row["channel"])
        callers = Callers(self._ids, self._catalogues.default)
        await callers.load(tx, [row["address"]], now_ms)
        caller = callers.known(row["address"])
        if caller is not None and channel is not None:
            turn = self._turn(tx, caller.person, In("nothing"), now_ms, None, batch, answering_of(channel, row))
            turn.reply(text("quarantine.sorry"))
            batch.outbox = turn.outbox
            session = caller.conversation.session
            if session.stash:  # what waits there may be what failed: nobody may be stuck behind it
                caller.conversation.session = replace(session, stash=())
                await sessions.save(tx, callers.changed(now_ms))
        await self._write(tx, batch, now_ms)


def _decoded(channel: Channel, raw: Raw) -> Arrival | None:
    """An update that was handled before; None when it was blanked since, or set aside because it can't be read."""
    try:
        return channel.decode(raw) if raw.body else None
    except (KeyError, TypeError, ValueError):
        return None


def answering_of(channel: Channel, row: Row) -> Answering | None:
    """The update as something that can be replied to, on a platform that has that."""
    return Answering(row["id"], row["received_ms"] + channel.reply_ms) if channel.reply_ms else None


def is_question_in_reply(row: Row, out: Out) -> bool:
    """Whether a message went out with a reply and can be answered by a number."""
    return row["answers"] is not None and bool(out.rows or out.ask)


def together_of(rows: Sequence[Row]) -> list[Together]:
    """What was shown together, newest first; `rows` are the newest messages first (`outbox.shown`)."""
    groups: dict[int, list[tuple[Row, Out]]] = {}
    for row, out in sorted(readable(rows), key=lambda one: one[0]["id"]):
        groups.setdefault(row["answers"] or row["id"], []).append((row, out))
    newest = sorted(groups.values(), key=lambda one: (one[-1][0]["at_ms"], one[-1][0]["id"]), reverse=True)
    return [Together([out for _, out in group], group[0][0]["series"] or 0) for group in newest]
