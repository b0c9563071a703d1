"""Who stands behind the addresses of a batch: one query for people and sessions, one for roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from bot.channels.base import Arrival, Raw
from bot.clock import Ids
from bot.talk.session import Session
from bot.turn import Person, Role
from storage.database import Row, Tx
from storage.machine import holding, sessions
from storage.people import belonging, people

SEEN_EVERY_MS = 60_000


@dataclass(slots=True)
class Conversation:
    """One person's session in a batch; `retired` when the stored one could not be read."""

    person_id: int
    stored: Session = field(default_factory=Session)
    session: Session = field(default_factory=Session)
    retired: bool = False

    @classmethod
    def of(cls, row: Row) -> Conversation:
        """Read a stored session; one that can't be read is retired, and its person is told."""
        if row["session"] is None:
            return cls(row["person_id"])
        try:
            session = Session.from_json(orjson.loads(row["session"]), row["updated_ms"])
        except (KeyError, TypeError, ValueError):
            return cls(row["person_id"], retired=True)
        return cls(row["person_id"], session, session)


@dataclass(slots=True)
class Caller:
    """An address in a batch: the person there, and the conversation (shared by a person's contacts)."""

    person: Person
    conversation: Conversation


class Callers:
    """The callers of one batch."""

    def __init__(self, ids: Ids, default_language: str) -> None:
        self._ids = ids
        self._language = default_language
        self._by_address: dict[str, Caller] = {}
        self._conversations: dict[int, Conversation] = {}

    async def load(self, tx: Tx, addresses: Sequence[str], now_ms: int) -> None:
        """Fetch everybody known, and note that they wrote just now: what was held only so as not to wake them goes."""
        rows = await self._fetch(tx, addresses)
        quiet = [
            (row["address"], now_ms)
            for row in rows
            if row["contact_state"] != "active" or now_ms - row["last_in_ms"] > SEEN_EVERY_MS
        ]
        await people.seen(tx, quiet)
        if quiet:
            came = {address for address, _ in quiet}
            here = sorted({row["person_id"] for row in rows if row["address"] in came})
            await holding.release_for(tx, here, now_ms=now_ms)

    async def _fetch(self, tx: Tx, addresses: Sequence[str]) -> Sequence[Row]:
        found = await sessions.by_address(tx, addresses)
        rows = [row for row in found if row["contact_state"] != "erased" and row["person_state"] == "active"]
        if not rows:
            return rows
        person_ids = [row["person_id"] for row in rows]
        homes = await belonging.homes_of(tx, person_ids)
        roles: dict[int, list[Role]] = {}
        for row in await sessions.roles_of(tx, person_ids):
            roles.setdefault(row["person_id"], []).append(Role(row["role"], row["area_id"]))
        for row in rows:
            person_id = row["person_id"]
            conversation = self._conversations.get(person_id)
            if conversation is None:
                conversation = self._conversations[person_id] = Conversation.of(row)
            person = Person(
                person_id,
                row["name"],
                row["language"],
                row["channel"],
                row["address"],
                homes[person_id][0] if person_id in homes else None,
                row["consent_version"],
                tuple(roles.get(person_id, ())),
            )
            self._by_address[row["address"]] = Caller(person, conversation)
        return rows

    async def of(self, tx: Tx, raw: Raw, arrival: Arrival, language: str, now_ms: int) -> Caller:
        """The caller of an update; somebody new becomes a person who has not consented yet."""
        caller = self._by_address.get(raw.address)
        if caller is not None:
            return caller
        person_id = self._ids.next()
        await people.add_person(tx, person_id=person_id, name=arrival.name, language=language, now_ms=now_ms)
        await people.add_contact(tx, channel=raw.channel, address=raw.address, person_id=person_id, now_ms=now_ms)
        person = Person(person_id, arrival.name, language, raw.channel, raw.address)
        caller = self._by_address[raw.address] = Caller(person, Conversation(person_id))
        return caller

    def known(self, address: str) -> Caller | None:
        """The caller of an address that is known already."""
        return self._by_address.get(address)

    def became(self, caller: Caller, person: Person) -> None:
        """An action changed who the person is (consent, a role, joined with another contact's person)."""
        if person is not caller.person:
            caller.person = person
            if person.id != caller.conversation.person_id:
                caller.conversation = self._conversations.setdefault(person.id, Conversation(person.id))

    async def forget(self, tx: Tx, caller: Caller, now_ms: int) -> None:
        """The person was erased: store the empty session, and meet whoever writes from those addresses anew."""
        person_id = caller.conversation.person_id
        row = {"person_id": person_id, "body": _dump(caller.conversation.session), "updated_ms": now_ms}
        await sessions.save(tx, [row])
        self._conversations.pop(person_id, None)
        for address in [one for one, known in self._by_address.items() if known.conversation is caller.conversation]:
            del self._by_address[address]

    async def meet_again(self, tx: Tx, addresses: Sequence[str]) -> None:
        """An action made these addresses somebody else's."""
        for address in addresses:
            self._by_address.pop(address, None)
        await self._fetch(tx, addresses)

    def changed(self, now_ms: int) -> list[dict[str, object]]:
        """Rows of the sessions that must be stored."""
        touched = {caller.conversation.person_id: caller.conversation for caller in self._by_address.values()}
        return [
            {
                "person_id": conversation.person_id,
                "body": _dump(conversation.session),
                "updated_ms": now_ms,
            }
            for conversation in touched.values()
            if conversation.session is not conversation.stored
        ]


def _dump(session: Session) -> str:
    return orjson.dumps(session.to_json()).decode()
