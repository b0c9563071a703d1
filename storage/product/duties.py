"""Recurring duties: what is planned, what was dropped, what villages reported. Reports are only ever added."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from storage.database import Row, Tx

# A report stands at a moment when nothing that replaces it had come by then, nor was it taken back.
WITHDRAWN = "cleanup"
STANDS = (
    "r.at_ms < :until_ms AND NOT EXISTS (SELECT 1 FROM cleanup_reports n WHERE n.township_id = :t"
    " AND n.replaces = r.id AND n.at_ms < :until_ms) AND NOT EXISTS (SELECT 1 FROM reversals v"
    " WHERE v.township_id = :t AND v.entry_id = r.id AND v.at_ms < :until_ms)"
)
END_OF_TIME_MS = 1 << 60


async def cadence(tx: Tx, name: str) -> Row | None:
    """How far a cadence is planned: since_ms, planned_through (ISO date); None before the first time."""
    return await tx.one(
        "SELECT since_ms, planned_through FROM cadences WHERE township_id = :t AND cadence = :name", {"name": name}
    )


async def planned(tx: Tx, name: str, *, since_ms: int, through: str) -> None:
    """Remember that a cadence is planned through that day; `since_ms` counts the first time only."""
    await tx.run(
        "INSERT INTO cadences (township_id, cadence, since_ms, planned_through)"
        " VALUES (:t, :name, :since_ms, :through)"
        " ON CONFLICT (township_id, cadence) DO UPDATE SET planned_through = excluded.planned_through",
        {"name": name, "since_ms": since_ms, "through": through},
    )


async def add_drop(
    tx: Tx, *, drop_id: int, cadence: str, period: str, part: str, people: int, planned_ms: int, now_ms: int
) -> None:
    """Count something that came too late to be sent, once for its period and part."""
    await tx.run(
        "INSERT INTO duty_drops (township_id, id, cadence, period, part, people, planned_ms, dropped_ms)"
        " VALUES (:t, :drop_id, :cadence, :period, :part, :people, :planned_ms, :now_ms)"
        " ON CONFLICT (township_id, cadence, period, part) DO NOTHING",
        {
            "drop_id": drop_id,
            "cadence": cadence,
            "period": period,
            "part": part,
            "people": people,
            "planned_ms": planned_ms,
            "now_ms": now_ms,
        },
    )


async def drops(tx: Tx, *, from_ms: int, until_ms: int) -> dict[str, int]:
    """How many messages of each cadence were dropped in `[from_ms, until_ms)`."""
    rows = await tx.all(
        "SELECT cadence, COUNT(*) AS n FROM duty_drops WHERE township_id = :t"
        " AND dropped_ms >= :from_ms AND dropped_ms < :until_ms GROUP BY cadence ORDER BY cadence",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
    return {row["cadence"]: row["n"] for row in rows}


async def add_report(tx: Tx, report: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a village's report of a day with its effort.

    report: id, day, village_id, person_id, words, photos (media ids), replaces, policy_version, at_ms ·
    entries: id, metric, unit, value_milli. Raises Refused when `replaces` was replaced before.
    """
    values = {**report, "photos": orjson.dumps(list(report["photos"])).decode()}
    await tx.run(
        "INSERT INTO cleanup_reports (township_id, id, day, village_id, person_id, words, photos, replaces,"
        " policy_version, at_ms) VALUES (:t, :id, :day, :village_id, :person_id, :words, :photos, :replaces,"
        " :policy_version, :at_ms)",
        values,
    )
    shared = {
        "t": tx.township_id,
        "report_id": report["id"],
        "village_id": report["village_id"],
        "day": report["day"],
        "author_id": report["person_id"],
        "at_ms": report["at_ms"],
    }
    await tx.many(
        "INSERT INTO effort_entries (township_id, id, report_id, metric, unit, value_milli, village_id, day,"
        " author_id, at_ms) VALUES (:t, :id, :report_id, :metric, :unit, :value_milli, :village_id, :day,"
        " :author_id, :at_ms)",
        [{**shared, **entry} for entry in entries],
    )


async def reports(tx: Tx, day: str, *, until_ms: int = END_OF_TIME_MS, village_id: int | None = None) -> Sequence[Row]:
    """The reports of a day that stood at a moment, in the order they came.

    id, village_id, person_id, words, photos (JSON), replaces, at_ms.
    """
    place = "" if village_id is None else " AND r.village_id = :village_id"
    return await tx.all(
        "SELECT r.id, r.village_id, r.person_id, r.words, r.photos, r.replaces, r.at_ms FROM cleanup_reports r"
        f" WHERE r.township_id = :t AND r.day = :day{place} AND {STANDS} ORDER BY r.at_ms, r.id",
        {"day": day, "until_ms": until_ms, "village_id": village_id},
    )


async def effort(tx: Tx, day: str, *, until_ms: int = END_OF_TIME_MS) -> Sequence[Row]:
    """The effort of a day that stood at a moment: report_id, village_id, metric, unit, value_milli."""
    return await tx.all(
        "SELECT e.report_id, e.village_id, e.metric, e.unit, e.value_milli FROM cleanup_reports r"
        " JOIN effort_entries e ON e.township_id = r.township_id AND e.report_id = r.id"
        f" WHERE r.township_id = :t AND r.day = :day AND {STANDS} ORDER BY e.id",
        {"day": day, "until_ms": until_ms},
    )


async def report(tx: Tx, report_id: int) -> Row | None:
    """One report: id, day, village_id, person_id, words, photos (JSON), replaces, policy_version, at_ms."""
    return await tx.one(
        "SELECT id, day, village_id, person_id, words, photos, replaces, policy_version, at_ms FROM cleanup_reports"
        " WHERE township_id = :t AND id = :report_id",
        {"report_id": report_id},
    )


async def restore(tx: Tx, report_id: int, *, new_id: Callable[[], int], person_id: int, at_ms: int) -> None:
    """Write what a report had replaced once more, in its place."""
    wrong = await report(tx, report_id)
    before = await report(tx, wrong["replaces"]) if wrong is not None and wrong["replaces"] is not None else None
    if before is None:
        return
    entries = await tx.all(
        "SELECT metric, unit, value_milli FROM effort_entries WHERE township_id = :t AND report_id = :id ORDER BY id",
        {"id": before["id"]},
    )
    again = {
        **{name: before[name] for name in ("day", "village_id", "words", "policy_version")},
        "photos": orjson.loads(before["photos"]),
        "id": new_id(),
        "person_id": person_id,
        "replaces": report_id,
        "at_ms": at_ms,
    }
    names = ("metric", "unit", "value_milli")
    await add_report(tx, again, [{"id": new_id(), **{name: row[name] for name in names}} for row in entries])


async def days_reported(tx: Tx, *, from_ms: int, until_ms: int) -> list[str]:
    """The days that reports written in `[from_ms, until_ms)` are about, in order."""
    rows = await tx.all(
        "SELECT DISTINCT day FROM cleanup_reports WHERE township_id = :t"
        " AND at_ms >= :from_ms AND at_ms < :until_ms ORDER BY day",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
    return [row["day"] for row in rows]


async def first_villages_ms(tx: Tx) -> int | None:
    """When the township's first villages were entered; None while it has none."""
    row = await tx.one("SELECT MIN(from_ms) AS from_ms FROM areas WHERE township_id = :t AND level = 'village'")
    return None if row is None or row["from_ms"] is None else int(row["from_ms"])


async def areas_at(tx: Tx, at_ms: int) -> Sequence[Row]:
    """Every area there had been by a moment, as it was called then: area_id, parent_id, level, code, name, gone.

    An area that was given up before stays in the list (`gone` is 1), for what happened there earlier.
    """
    return await tx.all(
        "SELECT a.area_id, a.parent_id, a.level, a.code, a.name,"
        " CASE WHEN a.until_ms IS NOT NULL AND a.until_ms <= :at_ms THEN 1 ELSE 0 END AS gone FROM areas a"
        " WHERE a.township_id = :t AND a.from_ms <= :at_ms AND NOT EXISTS (SELECT 1 FROM areas n"
        " WHERE n.township_id = :t AND n.area_id = a.area_id AND n.version > a.version"
        " AND n.from_ms <= :at_ms) ORDER BY a.code",
        {"at_ms": at_ms},
    )
