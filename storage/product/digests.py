"""What digests need beside the figures of cases, film and duties: their runs, points by area, what never arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Row, Tx
from storage.people import belonging
from storage.product import accounts

NO_AREA = 0


async def run_of(tx: Tx, day: str) -> Row | None:
    """The run of a day's digest: from_ms, until_ms, policy_version, is_cleanup, ran_ms; None if it never ran."""
    return await tx.one(
        "SELECT from_ms, until_ms, policy_version, is_cleanup, ran_ms FROM digest_runs"
        " WHERE township_id = :t AND day = :day",
        {"day": day},
    )


async def add_run(
    tx: Tx,
    day: str,
    *,
    from_ms: int,
    until_ms: int,
    policy_version: int,
    is_cleanup: bool,
    unread_ms: int,
    now_ms: int,
) -> None:
    """Record that a day's digest ran, once, with what had not been delivered by then."""
    written = await tx.run(
        "INSERT INTO digest_runs (township_id, day, from_ms, until_ms, policy_version, is_cleanup, ran_ms)"
        " VALUES (:t, :day, :from_ms, :until_ms, :policy_version, :is_cleanup, :now_ms)"
        " ON CONFLICT (township_id, day) DO NOTHING",
        {
            "day": day,
            "from_ms": from_ms,
            "until_ms": until_ms,
            "policy_version": policy_version,
            "is_cleanup": int(is_cleanup),
            "now_ms": now_ms,
        },
    )
    if not written:
        return
    await tx.many(
        "INSERT INTO digest_undelivered (township_id, day, area_id, state, messages)"
        " VALUES (:t, :day, :area_id, :state, :messages)",
        [
            {
                "t": tx.township_id,
                "day": day,
                "area_id": row["area_id"],
                "state": row["state"],
                "messages": row["messages"],
            }
            for row in await undelivered_now(tx, from_ms=from_ms, until_ms=until_ms, unread_ms=unread_ms)
        ],
    )


async def undelivered_now(tx: Tx, *, from_ms: int, until_ms: int, unread_ms: int) -> Sequence[Mapping[str, Any]]:
    """Messages that have not arrived by now: area_id, state (waiting|failed|expired), messages.

    Those that failed were written in the period. Those that wait for their reader, who opens the page or writes when
    they like, count on the day on which they have waited for `unread_ms`.

    A message belongs to the area of its person's household, else of their first role, else to NO_AREA.
    """
    rows = await tx.all(
        "SELECT o.person_id, o.state, COUNT(*) AS messages, (SELECT MIN(r.area_id) FROM roles r"
        " WHERE r.township_id = :t AND r.person_id = o.person_id AND r.until_ms IS NULL) AS work_area_id FROM outbox o"
        " WHERE o.township_id = :t AND o.state IN ('waiting', 'failed', 'expired')"
        " AND o.created_ms >= :unread_from_ms AND o.created_ms < :until_ms"
        " AND (o.state = 'waiting' AND o.created_ms < :unread_until_ms"
        " OR o.state <> 'waiting' AND o.created_ms >= :from_ms) GROUP BY o.person_id, o.state",
        {
            "from_ms": from_ms,
            "until_ms": until_ms,
            "unread_from_ms": from_ms - unread_ms,
            "unread_until_ms": until_ms - unread_ms,
        },
    )
    homes = await belonging.homes_of(tx, sorted({row["person_id"] for row in rows}))
    counted: Counter[tuple[int, str]] = Counter()
    for row in rows:
        _, home_area_id = homes.get(row["person_id"], (0, None))
        places = (home_area_id, row["work_area_id"], NO_AREA)
        counted[next(one for one in places if one is not None), row["state"]] += row["messages"]
    return [
        {"area_id": area_id, "state": state, "messages": messages}
        for (area_id, state), messages in sorted(counted.items())
    ]


async def undelivered_then(tx: Tx, day: str) -> Sequence[Row]:
    """The same as it was when the day's digest ran."""
    return await tx.all(
        "SELECT area_id, state, messages FROM digest_undelivered WHERE township_id = :t AND day = :day"
        " ORDER BY area_id, state",
        {"day": day},
    )


def _peoples(account: str) -> str:
    """A condition: the account is a person's, a household's, or waits for whoever brings a claim code."""
    return "(" + " OR ".join(f"{account} LIKE '{prefix}%'" for prefix in accounts.PEOPLES) + ")"


def _ref(kind: str) -> str:
    """The id in a transfer's `ref` of that kind (`case:12`), NULL for other refs."""
    return f"CASE WHEN x.ref LIKE '{kind}:%' THEN CAST(SUBSTR(x.ref, {len(kind) + 2}) AS BIGINT) END"


async def points(tx: Tx, *, from_ms: int, until_ms: int) -> Sequence[Row]:
    """Points that people were given, and that were taken back, in `[from_ms, until_ms)`: area_id, given, taken.

    The area is that of the case or ticket they were for; NO_AREA when they were for something else.
    """
    return await tx.all(
        f"SELECT COALESCE(c.area_id, k.village_id, {NO_AREA}) AS area_id,"
        f" SUM(CASE WHEN {_peoples('x.source')} THEN 0 ELSE x.amount END) AS given,"
        f" SUM(CASE WHEN {_peoples('x.source')} THEN x.amount ELSE 0 END) AS taken"
        " FROM transfers x"
        f" LEFT JOIN cases c ON c.township_id = x.township_id AND c.id = {_ref('case')}"
        f" LEFT JOIN film_tickets k ON k.township_id = x.township_id AND k.id = {_ref('ticket')}"
        " WHERE x.township_id = :t AND x.at_ms >= :from_ms AND x.at_ms < :until_ms AND x.unit = 'points'"
        f" AND {_peoples('x.source')} <> {_peoples('x.destination')}"
        " GROUP BY 1 ORDER BY 1",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
