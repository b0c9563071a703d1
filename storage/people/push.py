"""Browsers that want to hear when something waits for their page (Web Push): one for each web address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from storage.database import Row, Tx
from storage.machine import timers
from storage.sql import in_list

WANTED = "push.wanted"  # the timer of a message that waits for a browser to be told


@dataclass(frozen=True, slots=True)
class Untold:
    """Something waits that a browser was not told of; `urgent`: at any hour."""

    urgent: bool


async def subscribe(tx: Tx, address: str, browser: Mapping[str, str], *, now_ms: int) -> None:
    """Keep a browser (id, endpoint, p256dh, auth, server_key) as the one of an address, in place of another.

    An endpoint is one browser's: who had it before, by another cookie, has it no more. What waits already is not told.
    """
    await tx.run(
        "DELETE FROM push_subscriptions WHERE township_id = :t AND (address = :address OR endpoint = :endpoint)",
        {"address": address, "endpoint": browser["endpoint"]},
    )
    await tx.run(
        "INSERT INTO push_subscriptions (township_id, id, address, endpoint, p256dh, auth, server_key, made_ms)"
        " VALUES (:t, :id, :address, :endpoint, :p256dh, :auth, :server_key, :now_ms)",
        {**browser, "address": address, "now_ms": now_ms},
    )


async def subscription_of(tx: Tx, address: str) -> Row | None:
    """The browser of an address: id, endpoint, server_key."""
    return await tx.one(
        "SELECT id, endpoint, server_key FROM push_subscriptions WHERE township_id = :t AND address = :address",
        {"address": address},
    )


async def subscription(tx: Tx, subscription_id: str) -> Row | None:
    """A browser and its contact: all its columns, and seen_ms, when somebody wrote there or looked at the page last."""
    return await tx.one(
        "SELECT s.id, s.address, s.endpoint, s.p256dh, s.auth, s.server_key, s.made_ms, s.planned_ms, s.told_ms,"
        " (SELECT MAX(CASE WHEN c.looked_ms > c.last_in_ms THEN c.looked_ms ELSE c.last_in_ms END) FROM contacts c"
        " WHERE c.township_id = :t AND c.address = s.address) AS seen_ms"
        " FROM push_subscriptions s WHERE s.township_id = :t AND s.id = :id",
        {"id": subscription_id},
    )


async def untold(tx: Tx, browser: Row, *, now_ms: int) -> Untold | None:
    """What waits for a browser and has become due since it was told last, or was switched on; None for nothing.

    What only changes an earlier message is nothing to tell.
    """
    after_ms = max(browser["told_ms"], browser["made_ms"])
    row = await tx.one(
        "SELECT COUNT(*) AS n, MAX(urgent) AS urgent FROM outbox WHERE township_id = :t AND address = :address"
        " AND state = 'waiting' AND due_ms > :after_ms AND changes IS NULL",
        # a clock that was set back since: rather once more than never
        {"address": browser["address"], "after_ms": after_ms if after_ms <= now_ms else 0},
    )
    return Untold(bool(row["urgent"])) if row and row["n"] else None


async def want(tx: Tx, waiting: Iterable[tuple[int, str, int]]) -> None:
    """Plan that whoever wants it is told of messages (id, address, since_ms) that have begun to wait.

    The timer has the number of the newest message of its address, which no other timer has.
    """
    newest = {address: (message_id, since_ms) for message_id, address, since_ms in sorted(waiting)}
    names, params = in_list("a", sorted(newest))
    rows = await tx.all(
        f"SELECT id, address FROM push_subscriptions WHERE township_id = :t AND address IN ({names})", params
    )
    planned: list[dict[str, Any]] = []
    for row in rows:
        message_id, since_ms = newest[row["address"]]
        payload = json.dumps({"subscription": row["id"]})
        key = f"{WANTED}:{message_id}"
        planned.append({"id": message_id, "kind": WANTED, "timer_key": key, "fire_ms": since_ms, "payload": payload})
    await timers.put(tx, planned)


async def plan(tx: Tx, subscription_id: str, *, planned_ms: int) -> None:
    """Note for when a push is planned."""
    await tx.run(
        "UPDATE push_subscriptions SET planned_ms = :planned_ms WHERE township_id = :t AND id = :id",
        {"id": subscription_id, "planned_ms": planned_ms},
    )


async def told(tx: Tx, subscription_id: str, *, told_ms: int) -> None:
    """A push went out for everything that was due by then."""
    await tx.run(
        "UPDATE push_subscriptions SET told_ms = :told_ms WHERE township_id = :t AND id = :id",
        {"id": subscription_id, "told_ms": told_ms},
    )


async def forget(tx: Tx, subscription_id: str) -> None:
    """Delete a browser that can't be reached any more."""
    await tx.run("DELETE FROM push_subscriptions WHERE township_id = :t AND id = :id", {"id": subscription_id})


async def unsubscribe(tx: Tx, address: str) -> None:
    """Delete the browser of an address."""
    await tx.run("DELETE FROM push_subscriptions WHERE township_id = :t AND address = :address", {"address": address})


async def erase_unused(tx: Tx, *, before_ms: int) -> None:
    """Delete browsers that were kept, and in which nobody has looked at the page or written, since before a moment."""
    await tx.run(
        "DELETE FROM push_subscriptions WHERE township_id = :t AND made_ms < :before_ms AND NOT EXISTS (SELECT 1"
        " FROM contacts c WHERE c.township_id = :t AND c.address = push_subscriptions.address"
        " AND (c.looked_ms >= :before_ms OR c.last_in_ms >= :before_ms))",
        {"before_ms": before_ms},
    )


async def count(tx: Tx) -> int:
    """How many browsers want to be told."""
    row = await tx.one("SELECT COUNT(*) AS n FROM push_subscriptions WHERE township_id = :t")
    return int(row["n"]) if row else 0
