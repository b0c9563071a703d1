"""Which cookies of a web page hold: they are made with their moment, and end together.

The address stays the page's own whatever its cookies are, so that nothing else has to follow them.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.sql import in_list

MARGIN_MS = 60_000  # what several windows of one browser were given at the same time holds together


async def standing(tx: Tx, address: str) -> Row | None:
    """Which cookies of an address hold: state, cookies_from_ms, renew_ms; None when nobody has written from it."""
    return await tx.one(
        "SELECT state, cookies_from_ms, renew_ms FROM contacts WHERE township_id = :t AND address = :address",
        {"address": address},
    )


async def take(tx: Tx, address: str, *, from_ms: int) -> None:
    """A newer cookie is used: those made before that moment, copies of them too, are void from now on."""
    await tx.run(
        "UPDATE contacts SET cookies_from_ms = :from_ms WHERE township_id = :t AND address = :address"
        " AND cookies_from_ms < :from_ms",
        {"address": address, "from_ms": from_ms},
    )


async def renew(tx: Tx, person_id: int, *, now_ms: int) -> None:
    """Let a person's pages exchange their cookies with the next request: who they are means more than before.

    A cookie made while the clock was ahead is exchanged, too.
    """
    await tx.run(
        "UPDATE contacts SET renew_ms = CASE WHEN cookies_from_ms + :margin_ms >= :now_ms"
        " THEN cookies_from_ms + :margin_ms + 1 ELSE :now_ms END"
        " WHERE township_id = :t AND person_id = :person_id AND channel = 'web'",
        {"person_id": person_id, "now_ms": now_ms, "margin_ms": MARGIN_MS},
    )


async def end(tx: Tx, address: str, *, now_ms: int) -> bool:
    """Void every cookie of a page: nothing goes there any more. False when nobody has written from it."""
    changed = await tx.run(
        "UPDATE contacts SET state = CASE WHEN state = 'active' THEN 'unreachable' ELSE state END,"
        " cookies_from_ms = CASE WHEN cookies_from_ms + :margin_ms >= :now_ms"
        " THEN cookies_from_ms + :margin_ms + 1 ELSE :now_ms + 1 END"
        " WHERE township_id = :t AND address = :address AND channel = 'web'",
        {"address": address, "now_ms": now_ms, "margin_ms": MARGIN_MS},
    )
    return changed == 1


async def idle(tx: Tx, roles: Sequence[str], *, before_ms: int, limit: int) -> Sequence[Row]:
    """Pages of people with one of the roles, where nobody has written or looked since a moment: address, person_id."""
    names, params = in_list("r", roles)
    return await tx.all(
        "SELECT c.address, c.person_id FROM roles r JOIN contacts c ON c.township_id = r.township_id"
        " AND c.person_id = r.person_id WHERE r.township_id = :t AND r.until_ms IS NULL"
        f" AND r.role IN ({names}) AND c.channel = 'web' AND c.state = 'active' AND c.last_in_ms < :before_ms"
        " AND c.looked_ms < :before_ms ORDER BY c.address LIMIT :limit",
        {**params, "before_ms": before_ms, "limit": limit},
    )
