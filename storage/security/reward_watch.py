"""What a month's rewards used up, which rewards wait for that, and what stands out between verifiers and rewarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.database import Row, Tx
from storage.people import belonging
from storage.sql import in_list

ALL = 0  # in the place of a verifier: the whole programme


async def used(tx: Tx, month: str, verifier_id: int) -> tuple[int, int]:
    """The points granted in a month («2026-11»): of cases that somebody verified, and of all."""
    rows = await tx.all(
        "SELECT verifier_id, points FROM reward_months WHERE township_id = :t AND month = :month"
        " AND verifier_id IN (:verifier_id, :everybody)",
        {"month": month, "verifier_id": verifier_id, "everybody": ALL},
    )
    found = {row["verifier_id"]: int(row["points"]) for row in rows}
    return found.get(verifier_id, 0), found.get(ALL, 0)


async def count(tx: Tx, month: str, verifier_id: int, points: int) -> None:
    """Count a reward into its month, for who verified and for all."""
    await tx.many(
        "INSERT INTO reward_months (township_id, month, verifier_id, points)"
        " VALUES (:t, :month, :verifier_id, :points) ON CONFLICT (township_id, month, verifier_id)"
        " DO UPDATE SET points = reward_months.points + excluded.points",
        [{"t": tx.township_id, "month": month, "verifier_id": one, "points": points} for one in (verifier_id, ALL)],
    )


async def hold(tx: Tx, *, row_id: int, case_id: int, verifier_id: int, why: str, now_ms: int) -> None:
    """Note that a case's reward waits; once, while it does."""
    await tx.run(
        "INSERT INTO reward_holds (township_id, id, case_id, verifier_id, why, since_ms)"
        " VALUES (:t, :row_id, :case_id, :verifier_id, :why, :now_ms) ON CONFLICT DO NOTHING",
        {"row_id": row_id, "case_id": case_id, "verifier_id": verifier_id, "why": why, "now_ms": now_ms},
    )


async def end_hold(tx: Tx, case_id: int, *, by_id: int | None, now_ms: int) -> bool:
    """A case's reward waits no more; False when it did not."""
    return (
        await tx.run(
            "UPDATE reward_holds SET ended_ms = :now_ms, ended_by = :by_id"
            " WHERE township_id = :t AND case_id = :case_id AND ended_ms IS NULL",
            {"case_id": case_id, "by_id": by_id, "now_ms": now_ms},
        )
        > 0
    )


async def is_held(tx: Tx, case_id: int) -> bool:
    """Whether a case's reward waits."""
    row = await tx.one(
        "SELECT 1 AS found FROM reward_holds WHERE township_id = :t AND case_id = :case_id AND ended_ms IS NULL",
        {"case_id": case_id},
    )
    return row is not None


async def all_held(tx: Tx) -> Sequence[Row]:
    """Every reward that waits, the oldest first: case_id, verifier_id, why, since_ms, number, area_id, points."""
    return await tx.all(
        "SELECT h.case_id, h.verifier_id, h.why, h.since_ms, c.number, c.area_id, c.points FROM reward_holds h"
        " JOIN cases c ON c.township_id = h.township_id AND c.id = h.case_id"
        " WHERE h.township_id = :t AND h.ended_ms IS NULL ORDER BY h.id"
    )


async def verifiers_of(tx: Tx, case_ids: Sequence[int]) -> Mapping[int, int]:
    """Who found each of these cases true, the newest who did: case id → person id."""
    if not case_ids:
        return {}
    names, params = in_list("c", case_ids)
    rows = await tx.all(
        "SELECT case_id, person_id FROM case_events WHERE township_id = :t AND event = 'verified'"
        f" AND person_id IS NOT NULL AND case_id IN ({names}) ORDER BY id",
        params,
    )
    return {row["case_id"]: row["person_id"] for row in rows}


async def homes_of(tx: Tx, person_id: int) -> frozenset[int]:
    """The households that somebody belongs to or acts for, or did: their ids."""
    rows = await tx.all(
        "SELECT household_id FROM household_members WHERE township_id = :t AND person_id = :person_id",
        {"person_id": await belonging.key_of(tx, person_id)},
    )
    return frozenset(row["household_id"] for row in rows)


async def doors_of(tx: Tx, person_id: int) -> frozenset[str]:
    """The addresses of somebody's chats, and those from which their pages were opened."""
    rows = await tx.all(
        "SELECT address, opened_from FROM contacts WHERE township_id = :t AND person_id = :person_id",
        {"person_id": person_id},
    )
    return frozenset(one for row in rows for one in (row["address"], row["opened_from"]) if one)


async def add_hints(tx: Tx, month: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Write down what stood out in a month: verifier_id, hint, times, of_cases; a month that was counted stays."""
    await tx.many(
        "INSERT INTO reward_hints (township_id, month, verifier_id, hint, times, of_cases)"
        " VALUES (:t, :month, :verifier_id, :hint, :times, :of_cases) ON CONFLICT DO NOTHING",
        [{"t": tx.township_id, "month": month, **row} for row in rows],
    )


async def newest_hints(tx: Tx, *, limit: int) -> Sequence[Row]:
    """What stood out, the newest month first: month, verifier_id, hint, times, of_cases."""
    return await tx.all(
        "SELECT month, verifier_id, hint, times, of_cases FROM reward_hints WHERE township_id = :t"
        " ORDER BY month DESC, verifier_id, hint LIMIT :limit",
        {"limit": limit},
    )
