"""Which household people say is theirs (or whom they act for), and what was decided about it."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx

_COLUMNS = "id, household_id, person_id, relation, state, created_ms, decided_by, decided_ms"


async def add_claim(tx: Tx, *, claim_id: int, household_id: int, person_id: int, relation: str, now_ms: int) -> None:
    """Note a claim that waits for a confirmation; a person has at most one pending claim for a household."""
    await tx.run(
        "INSERT INTO household_claims (township_id, id, household_id, person_id, relation, created_ms)"
        " VALUES (:t, :claim_id, :household_id, :person_id, :relation, :now_ms)",
        {
            "claim_id": claim_id,
            "household_id": household_id,
            "person_id": person_id,
            "relation": relation,
            "now_ms": now_ms,
        },
    )


async def claim(tx: Tx, claim_id: int) -> Row | None:
    """One claim."""
    return await tx.one(
        f"SELECT {_COLUMNS} FROM household_claims WHERE township_id = :t AND id = :id", {"id": claim_id}
    )


async def pending_of(tx: Tx, person_id: int) -> Sequence[Row]:
    """What a person has claimed and nobody has decided."""
    return await tx.all(
        f"SELECT {_COLUMNS} FROM household_claims WHERE township_id = :t AND person_id = :person_id"
        " AND state = 'pending' ORDER BY id",
        {"person_id": person_id},
    )


async def all_pending(tx: Tx) -> Sequence[Row]:
    """Every claim that waits, the oldest first, with the claimant's name and the household's place."""
    return await tx.all(
        "SELECT c.id, c.household_id, c.person_id, c.relation, c.created_ms, p.name, h.householder, h.card_no,"
        " h.village_id, h.area_id FROM household_claims c"
        " JOIN people p ON p.township_id = c.township_id AND p.id = c.person_id"
        " JOIN households h ON h.township_id = c.township_id AND h.household_id = c.household_id"
        " AND h.until_ms IS NULL WHERE c.township_id = :t AND c.state = 'pending' ORDER BY c.id"
    )


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
    return (
        await tx.run(
            "UPDATE household_claims SET state = :state, decided_by = :decided_by, decided_ms = :now_ms"
            " WHERE township_id = :t AND id = :id AND state = 'pending'",
            {"id": claim_id, "state": state, "decided_by": decided_by, "now_ms": now_ms},
        )
        == 1
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
        {"person_id": person_id},
    )
