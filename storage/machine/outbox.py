"""Messages to send. A row is written in the transaction that decides it and sent after the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Row, Tx
from storage.photos import owners
from storage.sql import in_list
from storage.vault.sealing import index_of_words, open_bodies, seal_text
from storage.vault.vault import Purpose

INSERT = """
INSERT INTO outbox (township_id, id, person_id, channel, address, body, message_key, urgent,
                    created_ms, due_ms, expires_ms, answers, card, ref, changes, held)
VALUES (:t, :id, :person_id, :channel, :address, :body, :message_key, :urgent, :created_ms, :due_ms, :expires_ms,
        :answers, :card, :ref, :changes, :held)
"""
MOST_SERIES = 99
MOST_SHOWN = 50
COLUMNS = (
    "id, person_id, channel, address, body, urgent, created_ms, due_ms, expires_ms, attempts, state, series, changes"
)
UNREADABLE = "unreadable:"  # how the error of a message begins that was set aside
PLAIN = {"answers": None, "card": None, "ref": None, "changes": None, "held": None}
SHOWN = "SELECT id, body, answers, series, COALESCE(sent_ms, created_ms) AS at_ms FROM outbox"
SENT = "UPDATE outbox SET state = 'sent', sent_ms = :sent_ms WHERE township_id = :t AND id = :id"
NAMED = "UPDATE outbox SET ref = :ref WHERE township_id = :t AND id = :id"
AGAIN = "UPDATE outbox SET attempts = :attempts, error = :error WHERE township_id = :t AND id = :id"
ENDED = (
    "UPDATE outbox SET state = :state, error = :error"
    " WHERE township_id = :t AND id = :id AND state IN ('due', 'waiting')"
)


async def hidden(tx: Tx, name: str | None) -> str | None:
    """What stands for the key or the card of a message: it may name a case, and the row says to whom it went."""
    return None if name is None else await index_of_words(tx, "message", name)


async def put(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store messages; a `message_key` may be used once for an address. `answers`: see `keep_no_longer`; `card`, `ref`,
    `changes`, `held`: see the schema. What changes an earlier message is its words from now on. Whoever is sent photos
    (`media`) may look at them.
    """
    sealed = [
        {
            **PLAIN,
            **row,
            "body": await seal_text(tx, Purpose.WORDS, row["created_ms"], row["body"]),
            "message_key": await hidden(tx, row["message_key"]),
            "card": await hidden(tx, row.get("card")),
        }
        for row in rows
    ]
    await tx.many(INSERT, [{"t": tx.township_id, **row} for row in sealed])
    for row in rows:
        if row.get("media"):
            await owners.grant(tx, row["media"], row["person_id"])
    changed = [row for row in sealed if row.get("changes") is not None]
    await tx.many(
        "UPDATE outbox SET body = :body WHERE township_id = :t AND id = :id AND body <> :erased",
        [{"t": tx.township_id, "id": row["changes"], "body": row["body"], "erased": "{}"} for row in changed],
    )


async def card_under(tx: Tx, card: str, address: str, ref: str) -> Row | None:
    """The message (id, ref) at an address that the platform calls `ref`, if it shows that card."""
    return await tx.one(
        "SELECT id, ref FROM outbox WHERE township_id = :t AND card = :card AND address = :address AND ref = :ref"
        " AND changes IS NULL",
        {"card": await hidden(tx, card), "address": address, "ref": ref},
    )


async def shown_cards(tx: Tx, card: str) -> Sequence[Row]:
    """The messages that show a card and can be changed, or are held: id, person_id, channel, address, ref, held."""
    return await tx.all(
        "SELECT id, person_id, channel, address, ref, held FROM outbox WHERE township_id = :t AND card = :card"
        " AND (ref IS NOT NULL OR held IS NOT NULL) AND changes IS NULL AND state IN ('due', 'sent', 'waiting')"
        " ORDER BY id",
        {"card": await hidden(tx, card)},
    )


async def begin_delivery(tx: Tx) -> int:
    """Begin to deliver for the township, in place of whoever did so before; the fencing number to hold it by."""
    await tx.run(
        "INSERT INTO deliveries (township_id, claim) VALUES (:t, 1)"
        " ON CONFLICT (township_id) DO UPDATE SET claim = deliveries.claim + 1"
    )
    row = await tx.one("SELECT claim FROM deliveries WHERE township_id = :t")
    return int(row["claim"]) if row else 0


async def holds_delivery(tx: Tx, fence: int) -> bool:
    """Whether nobody has begun to deliver since; who wants to begin now waits for the end of this transaction."""
    return (
        await tx.run("UPDATE deliveries SET claim = :fence WHERE township_id = :t AND claim = :fence", {"fence": fence})
    ) > 0


async def newest(tx: Tx) -> tuple[int, int]:
    """The fencing number by which the township's outbox is held, and the id of its newest message; 0 for none."""
    row = await tx.one(
        "SELECT (SELECT claim FROM deliveries WHERE township_id = :t) AS claim,"
        " (SELECT MAX(id) FROM outbox WHERE township_id = :t) AS id"
    )
    return (row["claim"] or 0, row["id"] or 0) if row else (0, 0)


async def has_key(tx: Tx, message_key: str, address: str) -> bool:
    """Whether a message of that key was already written for that address."""
    return (
        await tx.one(
            "SELECT 1 FROM outbox WHERE township_id = :t AND message_key = :message_key AND address = :address",
            {"message_key": await hidden(tx, message_key), "address": address},
        )
        is not None
    )


async def due(tx: Tx, *, now_ms: int, limit: int, but: Sequence[str] = (), of: str = "") -> Sequence[Row]:
    """The oldest messages whose time has come, in order of their ids, but those held, and those kept for the reply to
    an update.

    What was not put off is due whatever the clock says now: it may have been set back since. `but`: not of those
    channels; `of`: of that one only.
    """
    names, params = in_list("c", but or ("",))
    only = f" AND channel NOT IN ({names})" if but else ""
    only += " AND channel = :of" if of else ""
    rows = await tx.all(
        f"SELECT {COLUMNS},"
        " (SELECT o.ref FROM outbox o WHERE o.township_id = :t AND o.id = outbox.changes) AS changes_ref"
        " FROM outbox WHERE township_id = :t AND state = 'due' AND answers IS NULL AND held IS NULL"
        f" AND (due_ms <= :now_ms OR due_ms <= created_ms){only} ORDER BY id LIMIT :limit",
        {"now_ms": now_ms, "limit": limit, **(params if but else {}), **({"of": of} if of else {})},
    )
    return await open_bodies(tx, rows)


async def any_kept_too_long(tx: Tx, *, now_ms: int) -> bool:
    """Whether the time of a message that is kept for the reply to an update is over."""
    return (
        await tx.one(
            "SELECT 1 FROM outbox WHERE township_id = :t AND state = 'due' AND answers IS NOT NULL"
            " AND due_ms <= :now_ms LIMIT 1",
            {"now_ms": now_ms},
        )
        is not None
    )


async def keep_no_longer(tx: Tx, *, now_ms: int) -> None:
    """Let messages go by themselves whose update's reply (`answers`) has gone without them, or never came: answers
    that are late (series 0).
    """
    await tx.run(
        "UPDATE outbox SET answers = NULL, series = 0 WHERE township_id = :t AND state = 'due' AND answers IS NOT NULL"
        " AND due_ms <= :now_ms",
        {"now_ms": now_ms},
    )


async def of_reply(tx: Tx, update_id: int) -> Sequence[Row]:
    """The messages kept for the reply to an update (state due), or that went out with it (sent), in order."""
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE township_id = :t AND answers = :update_id AND state IN ('due', 'sent')"
        " ORDER BY id",
        {"update_id": update_id},
    )
    return await open_bodies(tx, rows)


async def put_in_reply(tx: Tx, message_id: int, update_id: int, *, now_ms: int) -> bool:
    """A kept or waiting message goes out with the reply to an update; False when it has gone meanwhile."""
    return (
        await tx.run(
            "UPDATE outbox SET state = 'sent', sent_ms = :now_ms, answers = :update_id, series = NULL"
            " WHERE township_id = :t"
            " AND id = :id AND (state = 'waiting' OR (state = 'due' AND answers = :update_id))",
            {"id": message_id, "update_id": update_id, "now_ms": now_ms},
        )
        == 1
    )


async def let_go(tx: Tx, message_id: int, update_id: int, *, now_ms: int) -> None:
    """A kept or waiting message goes by itself now: it didn't fit into the reply."""
    await tx.run(
        "UPDATE outbox SET state = 'due', answers = NULL, due_ms = :now_ms WHERE township_id = :t AND id = :id"
        " AND (state = 'waiting' OR (state = 'due' AND answers = :update_id))",
        {"id": message_id, "update_id": update_id, "now_ms": now_ms},
    )


async def number_choices(tx: Tx, message_id: int, address: str) -> int:
    """The series of numbers for the choices of a message that goes by itself: 1 to 99, each after the one before."""
    own = await tx.one("SELECT series FROM outbox WHERE township_id = :t AND id = :id", {"id": message_id})
    if own is not None and own["series"]:
        return int(own["series"])
    last = await tx.one(
        "SELECT series FROM outbox WHERE township_id = :t AND address = :address AND series > 0"
        " ORDER BY id DESC LIMIT 1",
        {"address": address},
    )
    series = int(last["series"]) % MOST_SERIES + 1 if last is not None else 1
    await tx.run(
        "UPDATE outbox SET series = :series WHERE township_id = :t AND id = :id", {"series": series, "id": message_id}
    )
    return series


async def take_number_back(tx: Tx, message_id: int, *, late: bool) -> None:
    """The message did not arrive with its numbers; `late`: it is an answer that came too late."""
    await tx.run(
        "UPDATE outbox SET series = :series WHERE township_id = :t AND id = :id",
        {"series": 0 if late else None, "id": message_id},
    )


async def shown(tx: Tx, address: str, *, limit: int) -> Sequence[Row]:
    """What an address was sent last, newest first: id, body, answers (messages of one reply have the same), series,
    at_ms. What has a series was sent, also when that is not written down yet. A reply is there whole, or not at all.
    """
    rows = await tx.all(
        f"{SHOWN} WHERE township_id = :t AND address = :address AND (state = 'sent' OR series > 0)"
        " ORDER BY id DESC LIMIT :limit",
        {"address": address, "limit": limit},
    )
    names, params = in_list("u", sorted({row["answers"] for row in rows if row["answers"] is not None}) or [0])
    replies = await tx.all(
        f"{SHOWN} WHERE township_id = :t AND address = :address AND state = 'sent' AND answers IN ({names})",
        {"address": address, **params},
    )
    shown_rows = sorted({row["id"]: row for row in (*rows, *replies)}.values(), key=lambda row: row["id"], reverse=True)
    return await open_bodies(tx, shown_rows)


async def numbered(tx: Tx, address: str) -> Sequence[Row]:
    """The newest messages of each series of numbers that an address was sent, as `shown` has them, newest first."""
    rows = await tx.all(
        f"{SHOWN} WHERE township_id = :t AND address = :address AND series > 0 ORDER BY id DESC LIMIT {MOST_SERIES}",
        {"address": address},
    )
    return await open_bodies(tx, rows)


async def shown_until(tx: Tx, address: str) -> int:
    """When an address was shown something last, by the clock of whoever did (another's, or one set back since); 0."""
    row = await tx.one(
        "SELECT MAX(m.sent_ms) AS at_ms FROM (SELECT sent_ms FROM outbox WHERE township_id = :t AND address = :address"
        " ORDER BY id DESC LIMIT :limit) AS m",
        {"address": address, "limit": MOST_SHOWN},
    )
    return int(row["at_ms"] or 0) if row else 0


async def mark(
    tx: Tx,
    *,
    sent: Sequence[Mapping[str, Any]] = (),
    again: Sequence[Mapping[str, Any]] = (),
    ended: Sequence[Mapping[str, Any]] = (),
    named: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Record what became of messages.

    sent: id, sent_ms · named: id, ref (what the platform calls it)
    again: id, attempts, error (its time stays, so that it keeps its place)
    ended: id, state (waiting|failed|expired), error
    """
    await tx.many(SENT, [{"t": tx.township_id, **row} for row in sent])
    await tx.many(NAMED, [{"t": tx.township_id, **row} for row in named])
    await tx.many(AGAIN, [{"t": tx.township_id, **row} for row in again])
    await tx.many(ENDED, [{"t": tx.township_id, **row} for row in ended])


async def of_address(
    tx: Tx,
    address: str,
    *,
    now_ms: int,
    after_id: int = 0,
    before_id: int = 1 << 60,
    limit: int = 100,
    newest: bool = False,
) -> Sequence[Row]:
    """The messages for one address between two ids that are due by now; oldest first unless `newest`."""
    order = "DESC" if newest else "ASC"
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE township_id = :t AND address = :address"
        " AND id > :after_id AND id < :before_id AND due_ms <= :now_ms"
        f" AND held IS NULL AND state <> 'expired' ORDER BY id {order} LIMIT :limit",
        {"address": address, "after_id": after_id, "before_id": before_id, "limit": limit, "now_ms": now_ms},
    )
    return await open_bodies(tx, rows)


async def waiting_for(tx: Tx, address: str) -> Sequence[Row]:
    """Messages kept for someone who was away."""
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM outbox WHERE township_id = :t AND address = :address AND state = 'waiting' ORDER BY id",
        {"address": address},
    )
    return await open_bodies(tx, rows)


async def counts(tx: Tx) -> dict[str, int]:
    """How many messages stand in each state but sent."""
    rows = await tx.all(
        "SELECT state, COUNT(*) AS n FROM outbox WHERE township_id = :t AND state IN ('waiting', 'failed', 'expired')"
        " GROUP BY state"
        " UNION ALL SELECT 'due' AS state, COUNT(*) AS n FROM outbox WHERE township_id = :t AND state = 'due'"
    )
    return {row["state"]: row["n"] for row in rows if row["n"]}


async def unreadable(tx: Tx, *, after_ms: int) -> int:
    """How many messages written after a time were set aside because they can't be read."""
    row = await tx.one(
        "SELECT COUNT(*) AS n FROM outbox WHERE township_id = :t AND state IN ('waiting', 'failed', 'expired')"
        " AND created_ms > :after_ms"
        f" AND error LIKE '{UNREADABLE}%'",
        {"after_ms": after_ms},
    )
    return int(row["n"]) if row else 0
