"""Policies as they were imported: every version's text, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from storage.database import Row, Tx


async def all_policies(tx: Tx) -> Sequence[Row]:
    """Every version: version, effective_from_ms, body (TOML), sha256, imported_ms, imported_by."""
    return await tx.all(
        "SELECT version, effective_from_ms, body, sha256, imported_ms, imported_by FROM policies"
        " WHERE township_id = :t ORDER BY version"
    )


async def add_policy(tx: Tx, body: str, *, effective_from_ms: int, now_ms: int, imported_by: int | None) -> int | None:
    """Write the text as the next version; its number, or None if it already holds from that moment."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    last = await tx.one(
        "SELECT sha256 FROM policies WHERE township_id = :t AND effective_from_ms = :effective_from_ms"
        " ORDER BY version DESC LIMIT 1",
        {"effective_from_ms": effective_from_ms},
    )
    if last and last["sha256"] == digest:
        return None
    highest = await tx.one("SELECT COALESCE(MAX(version), 0) AS version FROM policies WHERE township_id = :t")
    version = 1 + (int(highest["version"]) if highest else 0)
    await tx.run(
        "INSERT INTO policies"
        " (township_id, version, effective_from_ms, body, sha256, imported_ms, imported_by)"
        " VALUES (:t, :version, :effective_from_ms, :body, :sha256, :now_ms, :imported_by)",
        {
            "version": version,
            "effective_from_ms": effective_from_ms,
            "body": body,
            "sha256": digest,
            "now_ms": now_ms,
            "imported_by": imported_by,
        },
    )
    return version
