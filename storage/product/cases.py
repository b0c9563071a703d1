"""Cases, their events and photos, and the figures drawn from them. Who reported is in `case_vault`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from storage.database import Row, Tx
from storage.vault.sealing import open_columns

Datum = Literal["WGS-84"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case as it stands now; who reported it is in the vault.

    `settles_ms`: until when the decision can be taken back, and nobody else hears of it; None when it has taken effect.
    `cell`, `lat`, `lng`, `datum` are None without a position, `accuracy_m` where the phone did not say how far it may
    be off; `decided_ms`, `duplicate_of` and `claim_until_ms` until
    there is a decision that sets them.
    """

    id: int
    number: str
    kind: str
    area_id: int
    place: str
    landmark_id: int | None
    lat: float | None
    lng: float | None
    datum: Datum | None
    accuracy_m: int | None
    cell: int | None
    statement: str
    urgent: bool
    received_ms: int
    verify_due_ms: int
    late_ms: int
    maybe_duplicate_of: int | None
    points: int
    policy_version: int
    claim_salt: str
    claim_hash: str
    state: str = "registered"
    decided_ms: int | None = None
    duplicate_of: int | None = None
    claim_until_ms: int | None = None
    settles_ms: int | None = None

    @property
    def told_state(self) -> str:
        """The state that its reporter knows: undecided while the decision can be taken back."""
        return self.state if self.settles_ms is None else "registered"


_FIELDS = tuple(one.name for one in fields(Case))
COLUMNS = ", ".join(_FIELDS)
_FIRST = tuple(one.name for one in fields(Case) if one.default is MISSING)
SHUT = "('rejected', 'duplicate', 'closed')"


def _case(row: Row) -> Case:
    return Case(**{**{name: row[name] for name in _FIELDS}, "urgent": bool(row["urgent"])})


async def add_case(tx: Tx, case: Case, *, event_id: int) -> None:
    """A new case and its event `registered`."""
    values = {name: getattr(case, name) for name in _FIRST}
    await tx.run(
        f"INSERT INTO cases (township_id, {', '.join(_FIRST)}) VALUES (:t, {', '.join(f':{name}' for name in _FIRST)})",
        {**values, "urgent": int(case.urgent)},
    )
    await add_event(
        tx,
        event_id=event_id,
        case_id=case.id,
        event="registered",
        area_id=case.area_id,
        points=case.points,
        policy_version=case.policy_version,
        at_ms=case.received_ms,
    )


async def add_event(
    tx: Tx,
    *,
    event_id: int,
    case_id: int,
    event: str,
    area_id: int,
    points: int,
    policy_version: int,
    at_ms: int,
    person_id: int | None = None,
    reason: str = "",
    note: str = "",
    other_case_id: int | None = None,
) -> None:
    """Append to a case's history. `person_id` is the staff member who acted, None for the reporter or a timer."""
    await tx.run(
        "INSERT INTO case_events (township_id, id, case_id, event, area_id, points, person_id, reason, note,"
        " other_case_id, policy_version, at_ms) VALUES (:t, :event_id, :case_id, :event, :area_id, :points, :person_id,"
        " :reason, :note, :other_case_id, :policy_version, :at_ms)",
        {
            "event_id": event_id,
            "case_id": case_id,
            "event": event,
            "area_id": area_id,
            "points": points,
            "person_id": person_id,
            "reason": reason,
            "note": note,
            "other_case_id": other_case_id,
            "policy_version": policy_version,
            "at_ms": at_ms,
        },
    )


async def case(tx: Tx, case_id: int) -> Case | None:
    """One case by its id."""
    row = await tx.one(f"SELECT {COLUMNS} FROM cases WHERE township_id = :t AND id = :id", {"id": case_id})
    return _case(row) if row is not None else None


async def case_of_number(tx: Tx, number: str) -> Case | None:
    """One case by its number («2026-0113»)."""
    row = await tx.one(f"SELECT {COLUMNS} FROM cases WHERE township_id = :t AND number = :number", {"number": number})
    return _case(row) if row is not None else None


async def events(tx: Tx, case_id: int) -> Sequence[Row]:
    """A case's history in order, with the name of whoever acted (`name`, None for the reporter or a timer).

    `taken_back`: whether the entry counts no more; what took it back is an entry too (withdrawn, overturned).
    """
    rows = await tx.all(
        "SELECT e.id, e.event, e.at_ms, e.person_id, e.reason, e.note, e.other_case_id, e.points, e.policy_version,"
        " p.name, CASE WHEN b.id IS NULL THEN 0 ELSE 1 END AS taken_back"
        " FROM case_events e LEFT JOIN people p ON p.township_id = e.township_id AND p.id = e.person_id"
        " LEFT JOIN reversals b ON b.township_id = e.township_id AND b.entry_id = e.id"
        " WHERE e.township_id = :t AND e.case_id = :case_id"
        " UNION ALL SELECT r.id, r.kind, r.at_ms, r.person_id, '', r.reason, NULL, 0, 0, p.name, 0"
        " FROM reversals r LEFT JOIN people p ON p.township_id = r.township_id AND p.id = r.person_id"
        " WHERE r.township_id = :t AND r.what = 'case' AND r.subject_id = :case_id ORDER BY 1",
        {"case_id": case_id},
    )
    return await open_columns(tx, rows, name="")


async def set_claim(tx: Tx, case_id: int, *, salt: str, claim_hash: str) -> None:
    """Put another claim code in place of a case's first one; only its salt and hash are kept."""
    await tx.run(
        "UPDATE cases SET claim_salt = :salt, claim_hash = :claim_hash WHERE township_id = :t AND id = :case_id",
        {"case_id": case_id, "salt": salt, "claim_hash": claim_hash},
    )


async def add_media(tx: Tx, case_id: int, media_ids: Sequence[str]) -> None:
    """The photos and videos of a case, in the order they came."""
    await tx.many(
        "INSERT INTO case_media (township_id, case_id, position, media_id) VALUES (:t, :case_id, :position, :media_id)",
        [
            {"t": tx.township_id, "case_id": case_id, "position": position, "media_id": media_id}
            for position, media_id in enumerate(media_ids)
        ],
    )


async def media_of(tx: Tx, case_id: int) -> list[str]:
    """Ids of a case's photos and videos, but for those that were kept long enough."""
    rows = await tx.all(
        "SELECT c.media_id FROM case_media c JOIN media m ON m.township_id = c.township_id AND m.id = c.media_id"
        " WHERE c.township_id = :t AND c.case_id = :case_id AND m.state <> 'erased' ORDER BY c.position",
        {"case_id": case_id},
    )
    return [row["media_id"] for row in rows]


async def first_near(
    tx: Tx, kind: str, cells: Sequence[int], *, since_ms: int, lat: float, lng: float, reach: tuple[float, float]
) -> Row | None:
    """The oldest open case of a kind since a moment within `reach` (degrees of latitude, of longitude) of a point.

    `cells` are the squares that the reach touches, so that a crowded township is not searched through; none: all
    are. Columns: id, number, received_ms.
    """
    up, across = reach
    values: dict[str, Any] = {
        "kind": kind,
        "since_ms": since_ms,
        "lat": lat,
        "lng": lng,
        "per_lat": 1 / up,
        "per_lng": 1 / across,
    }
    values |= {f"cell{at}": cell for at, cell in enumerate(cells)}
    squares = [f" AND cell = :cell{at}" for at in range(len(cells))] or [""]
    firsts = [  # one a square, each by the index
        f"SELECT * FROM (SELECT id, number, received_ms FROM cases WHERE township_id = :t AND kind = :kind{square}"
        f" AND received_ms >= :since_ms AND state NOT IN {SHUT}"
        " AND (lat - :lat) * :per_lat * (lat - :lat) * :per_lat"
        " + (lng - :lng) * :per_lng * (lng - :lng) * :per_lng <= 1 ORDER BY received_ms, id LIMIT 1) AS one"
        for square in squares
    ]
    return await tx.one(f"{' UNION ALL '.join(firsts)} ORDER BY received_ms, id LIMIT 1", values)


async def open_before(tx: Tx, case: Case, *, since_ms: int, limit: int) -> list[Case]:
    """Open cases of the same area that came before this one, the newest first."""
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM cases WHERE township_id = :t AND area_id = :area_id AND received_ms >= :since_ms"
        f" AND received_ms <= :received_ms AND id < :id AND state NOT IN {SHUT} ORDER BY received_ms DESC LIMIT :limit",
        {
            "area_id": case.area_id,
            "since_ms": since_ms,
            "received_ms": case.received_ms,
            "id": case.id,
            "limit": limit,
        },
    )
    return [_case(row) for row in rows]


async def events_by_area(tx: Tx, *, from_ms: int, until_ms: int) -> dict[tuple[str, int], int]:
    """How often what happened in which area in `[from_ms, until_ms)`; the same for ever, events are never changed.

    Events: registered (new), verified, rejected, duplicate, claimed, claim_expired and the later states. A decision
    that was taken back within that time is left out.
    """
    times = {"from_ms": from_ms, "until_ms": until_ms}
    rows = await tx.all(
        "SELECT event, area_id, COUNT(*) AS cases FROM case_events"
        " WHERE township_id = :t AND at_ms >= :from_ms AND at_ms < :until_ms GROUP BY event, area_id",
        times,
    )
    back = await tx.all(
        "SELECT e.event, e.area_id, COUNT(*) AS cases FROM reversals r JOIN case_events e"
        " ON e.township_id = r.township_id AND e.id = r.entry_id WHERE r.township_id = :t AND r.what = 'case'"
        " AND r.at_ms >= :from_ms AND r.at_ms < :until_ms AND r.entry_ms >= :from_ms GROUP BY e.event, e.area_id",
        times,
    )
    found = {(row["event"], row["area_id"]): int(row["cases"]) for row in rows}
    for row in back:
        found[row["event"], row["area_id"]] -= int(row["cases"])
    return {what: count for what, count in found.items() if count}


# What was not decided at a moment: what still isn't, and what was decided since; but for what was decided then and has
# been taken back since.
_STOOD = (
    " AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.township_id = :t AND r.what = 'case'"
    " AND r.subject_id = cases.id AND r.entry_ms < :until_ms AND r.at_ms >= :until_ms)"
)
OPEN = "decided_ms IS NULL AND late_ms > 0"
UNDECIDED = (f"{OPEN}{_STOOD}", f"decided_ms >= :until_ms{_STOOD}")


async def waiting_by_area(tx: Tx, *, until_ms: int) -> dict[int, tuple[int, int]]:
    """How many cases of each area were not decided at a moment, and how many of them were past their deadline."""
    each = " UNION ALL ".join(
        "SELECT area_id, CASE WHEN late_ms < :until_ms THEN 1 ELSE 0 END AS late FROM cases"
        f" WHERE township_id = :t AND {condition} AND received_ms < :until_ms"
        for condition in UNDECIDED
    )
    rows = await tx.all(
        f"SELECT area_id, COUNT(*) AS n, SUM(late) AS late FROM ({each}) AS undecided GROUP BY area_id",
        {"until_ms": until_ms},
    )
    return {row["area_id"]: (int(row["n"]), int(row["late"])) for row in rows}


async def waiting(
    tx: Tx, *, until_ms: int, area_ids: Collection[int] | None = None, limit: int, late_only: bool = False
) -> list[Case]:
    """The `limit` oldest cases that were not decided at a moment; perhaps only those past their deadline.

    What was decided since then still counts, so that a past day gives the same figures again.
    """
    past = " AND late_ms < :until_ms" if late_only else ""
    found = list[Case]()
    for condition in UNDECIDED:
        where = f"{condition}{past} AND received_ms < :until_ms"
        found += await _first(tx, where, {"until_ms": until_ms}, area_ids, limit)
    return sorted(found, key=lambda one: (one.received_ms, one.id))[:limit]


async def undecided(tx: Tx, *, area_ids: Collection[int] | None = None, limit: int = 10) -> tuple[int, list[Case]]:
    """Cases that nobody has verified yet: how many, and the `limit` that press most, urgent and soonest late first."""
    row = await tx.one(f"SELECT COUNT(*) AS n FROM cases WHERE township_id = :t AND {OPEN}{_in_areas(area_ids)}")
    total = int(row["n"]) if row else 0
    order = "urgent DESC, late_ms, id"
    return total, await _first(tx, OPEN, {}, area_ids, limit, order) if total else []


async def _first(
    tx: Tx,
    condition: str,
    values: Mapping[str, Any],
    area_ids: Collection[int] | None,
    limit: int,
    order: str = "received_ms, id",
) -> list[Case]:
    """The first cases that fulfil a condition on an index; only those are fetched from the table."""
    rows = await tx.all(
        f"SELECT {COLUMNS} FROM cases WHERE township_id = :t AND id IN ("
        f"SELECT id FROM cases WHERE township_id = :t AND {condition}{_in_areas(area_ids)}"
        f" ORDER BY {order} LIMIT :limit) ORDER BY {order}",
        {**values, "limit": limit},
    )
    return [_case(row) for row in rows]


def _in_areas(area_ids: Collection[int] | None) -> str:
    """A condition on `area_id`; ids are integers of this program, so they stand in the SQL itself."""
    if area_ids is None:
        return ""
    return f" AND area_id IN ({', '.join(str(int(one)) for one in sorted(area_ids)) or 'NULL'})"
