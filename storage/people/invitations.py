"""Invitations to a role, codes that join two contacts, and wrong guesses. Only the hash of a token is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from storage.database import Row, Tx


def hash_of(token: str) -> str:
    """SHA-256 of a token or code, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


async def add_invitation(
    tx: Tx,
    *,
    invitation_id: int,
    token_hash: str,
    kind: str,
    now_ms: int,
    expires_ms: int,
    role: str | None = None,
    area_id: int | None = None,
    person_id: int | None = None,
    created_by: int | None = None,
) -> bool:
    """An invitation to a role (`role`), or a code that joins a contact to a person (`link`).

    False when that very token was given out before: draw another.
    """
    return (
        await tx.run(
            "INSERT INTO invitations (township_id, id, token_hash, kind, role, area_id, person_id, created_by,"
            " created_ms, expires_ms) VALUES (:t, :invitation_id, :token_hash, :kind, :role, :area_id, :person_id,"
            " :created_by, :now_ms, :expires_ms) ON CONFLICT (township_id, token_hash) DO NOTHING",
            {
                "invitation_id": invitation_id,
                "token_hash": token_hash,
                "kind": kind,
                "role": role,
                "area_id": area_id,
                "person_id": person_id,
                "created_by": created_by,
                "now_ms": now_ms,
                "expires_ms": expires_ms,
            },
        )
        == 1
    )


_COLUMNS = (
    "id, token_hash, kind, role, area_id, person_id, created_by, expires_ms, used_by, used_ms, withdrawn_ms,"
    " asked_by, asked_ms"
)


async def invitation(tx: Tx, token_hash: str) -> Row | None:
    """An invitation by the hash of its token."""
    return await tx.one(
        f"SELECT {_COLUMNS} FROM invitations WHERE township_id = :t AND token_hash = :token_hash",
        {"token_hash": token_hash},
    )


async def invitation_by_id(tx: Tx, invitation_id: int) -> Row | None:
    """An invitation by its id."""
    return await tx.one(
        f"SELECT {_COLUMNS} FROM invitations WHERE township_id = :t AND id = :id", {"id": invitation_id}
    )


async def open_for_roles(tx: Tx, *, now_ms: int) -> Sequence[Row]:
    """Find the invitations to a role that can still be used: role, area_id, expires_ms, the first to end first."""
    return await tx.all(
        "SELECT role, area_id, expires_ms FROM invitations WHERE township_id = :t AND kind = 'role'"
        " AND used_ms IS NULL AND withdrawn_ms IS NULL AND expires_ms > :now_ms ORDER BY expires_ms, id",
        {"now_ms": now_ms},
    )


async def use_invitation(tx: Tx, token_hash: str, *, used_by: int, now_ms: int) -> bool:
    """Use an invitation up; False when somebody was quicker."""
    return (
        await tx.run(
            "UPDATE invitations SET used_by = :used_by, used_ms = :now_ms WHERE township_id = :t"
            " AND token_hash = :token_hash AND used_ms IS NULL AND withdrawn_ms IS NULL",
            {"token_hash": token_hash, "used_by": used_by, "now_ms": now_ms},
        )
        == 1
    )


async def withdraw(tx: Tx, invitation_id: int, *, now_ms: int) -> bool:
    """Make an invitation void; False when it was used or withdrawn before."""
    return (
        await tx.run(
            "UPDATE invitations SET withdrawn_ms = :now_ms WHERE township_id = :t AND id = :id"
            " AND used_ms IS NULL AND withdrawn_ms IS NULL",
            {"id": invitation_id, "now_ms": now_ms},
        )
        == 1
    )


async def withdraw_codes(tx: Tx, person_id: int, *, now_ms: int) -> None:
    """Make a person's earlier joining codes void."""
    await tx.run(
        "UPDATE invitations SET withdrawn_ms = :now_ms WHERE township_id = :t AND person_id = :person_id"
        " AND kind = 'link' AND used_ms IS NULL AND withdrawn_ms IS NULL",
        {"person_id": person_id, "now_ms": now_ms},
    )


async def ask_to_join(tx: Tx, token_hash: str, *, asked_by: int, now_ms: int) -> bool:
    """Note who typed a joining code; False when somebody did before."""
    return (
        await tx.run(
            "UPDATE invitations SET asked_by = :asked_by, asked_ms = :now_ms WHERE township_id = :t"
            " AND token_hash = :token_hash AND asked_by IS NULL AND used_ms IS NULL AND withdrawn_ms IS NULL",
            {"token_hash": token_hash, "asked_by": asked_by, "now_ms": now_ms},
        )
        == 1
    )


async def withdraw_all_codes(tx: Tx, *, now_ms: int) -> int:
    """Make every waiting joining code of the township void; how many there were."""
    return await tx.run(
        "UPDATE invitations SET withdrawn_ms = :now_ms WHERE township_id = :t AND kind = 'link'"
        " AND used_ms IS NULL AND withdrawn_ms IS NULL AND expires_ms > :now_ms",
        {"now_ms": now_ms},
    )


async def add_wrong_code(tx: Tx, *, row_id: int, person_id: int, now_ms: int) -> None:
    """Note that a person typed a code that is none."""
    await tx.run(
        "INSERT INTO wrong_codes (township_id, id, person_id, at_ms) VALUES (:t, :row_id, :person_id, :now_ms)",
        {"row_id": row_id, "person_id": person_id, "now_ms": now_ms},
    )


async def newest_wrong_codes(tx: Tx, *, limit: int) -> Sequence[int]:
    """When the township's newest wrong codes were typed (ms), the newest first."""
    rows = await tx.all(
        "SELECT at_ms FROM wrong_codes WHERE township_id = :t ORDER BY at_ms DESC LIMIT :limit", {"limit": limit}
    )
    return [row["at_ms"] for row in rows]


async def wrong_codes(tx: Tx, person_id: int, *, since_ms: int) -> int:
    """How many wrong codes a person has typed since then."""
    row = await tx.one(
        "SELECT COUNT(*) AS n FROM wrong_codes WHERE township_id = :t AND person_id = :person_id AND at_ms > :since_ms",
        {"person_id": person_id, "since_ms": since_ms},
    )
    return int(row["n"]) if row else 0
