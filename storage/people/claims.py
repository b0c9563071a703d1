"""Which household people say is theirs (or whom they act for), and what was decided about it."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.people import belonging

_COLUMNS = "id, household_id, person_id, relation, state, created_ms, decided_by, decided_ms, sealed"


async def add_claim(tx: Tx, *, claim_id: int, household_id: int, person_id: int, relation: str, now_ms: int) -> None:
    """Note a claim that waits for a confirmation; a person has at most one pending claim for a household."""
    await tx.run(
        "INSERT INTO household_claims"
        " (township_id, id, household_id, person_id, decided_by, relation, created_ms, sealed)"
        " VALUES (:t, :claim_id, :household_id, :person_id, :by, :relation, :now_ms, :sealed)",
        {
            "claim_id": claim_id,
            "household_id": household_id,
            "relation": relation,
            "now_ms": now_ms,
            **await belonging.standing_for(tx, person_id, None),
        },
    )


async def claim(tx: Tx, claim_id: int) -> Row | None:
    """One claim."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM household_claims WHERE township_id = :t AND id = :id", {"id": claim_id}
    )
    return (await belonging.opened(tx, rows, "decided_by"))[0] if rows else None


async def pending_of(tx: Tx, person_id: int) -> Sequence[Row]:
    """What a person has claimed and nobody has decided."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM household_claims WHERE township_id = :t AND person_id = :person_id"
        " AND state = 'pending' ORDER BY id",
        {"person_id": await belonging.key_of(tx, person_id)},
    )
    return await belonging.opened(tx, rows, "decided_by")


async def all_pending(tx: Tx) -> Sequence[Row]:
    """Every claim that waits, the oldest first, with the claimant's id and the household's place."""
    rows = await tx.all(
        "SELECT c.id, c.household_id, c.person_id, c.relation, c.created_ms, c.sealed, h.householder, h.card_no,"
        " h.village_id, h.area_id FROM household_claims c"
        " JOIN households h ON h.township_id = c.township_id AND h.household_id = c.household_id"
        " AND h.until_ms IS NULL WHERE c.township_id = :t AND c.state = 'pending' ORDER BY c.id"
    )
    return await belonging.opened(tx, rows, "decided_by")


async def pending_by_area(tx: Tx, *, from_ms: int, until_ms: int) -> dict[int, tuple[int, int]]:
    """How many claims of each area wait now that were made before `until_ms`, and how many of them before `from_ms`."""
    rows = await tx.all(
        "SELECT h.area_id, COUNT(*) AS n, SUM(CASE WHEN c.created_ms < :from_ms THEN 1 ELSE 0 END) AS late"
        " FROM household_claims c JOIN households h ON h.township_id = c.township_id"
        " AND h.household_id = c.household_id AND h.until_ms IS NULL"
        " WHERE c.township_id = :t AND c.state = 'pending' AND c.created_ms < :until_ms GROUP BY h.area_id",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
    return {row["area_id"]: (int(row["n"]), int(row["late"])) for row in rows}


async def decide(tx: Tx, claim_id: int, *, state: str, decided_by: int | None, now_ms: int) -> bool:
    """Confirm, deny or withdraw a pending claim; False when it was decided before."""
    found = await claim(tx, claim_id)
    if found is None or found["state"] != "pending":
        return False
    await tx.run(
        "UPDATE household_claims SET state = :state, person_id = :person_id, decided_by = :by, decided_ms = :now_ms,"
        " sealed = :sealed WHERE township_id = :t AND id = :id",
        {
            "id": claim_id,
            "state": state,
            "now_ms": now_ms,
            **await belonging.standing_for(tx, found["person_id"], decided_by),
        },
    )
    return True


async def hand_over(tx: Tx, *, from_person: int, to_person: int) -> None:
    """The two are the same human: what waits of the one waits for the other, once."""
    theirs = {row["household_id"] for row in await pending_of(tx, to_person)}
    for row in await pending_of(tx, from_person):
        is_double = row["household_id"] in theirs
        await tx.run(
            "UPDATE household_claims SET state = :state, person_id = :person_id, decided_by = :by, sealed = :sealed"
            " WHERE township_id = :t AND id = :id",
            {
                "id": row["id"],
                "state": "withdrawn" if is_double else "pending",
                **await belonging.standing_for(tx, from_person if is_double else to_person, None),
            },
        )


async def links_of_person(tx: Tx, person_id: int) -> Sequence[Row]:
    """The households a person belongs to or acts for, own first: household_id, relation, householder, village."""
    return await tx.all(
        "SELECT m.household_id, m.relation, h.householder, h.village_id, v.name AS village FROM household_members m"
        " JOIN households h ON h.township_id = m.township_id AND h.household_id = m.household_id"
        " AND h.until_ms IS NULL"
        " JOIN areas v ON v.township_id = h.township_id AND v.area_id = h.village_id AND v.until_ms IS NULL"
        " WHERE m.township_id = :t AND m.person_id = :person_id AND m.until_ms IS NULL"
        " ORDER BY CASE WHEN m.relation = 'proxy' THEN 1 ELSE 0 END, m.id",
        {"person_id": await belonging.key_of(tx, person_id)},
    )
