"""What the workers of one WeChat account share: its tokens, how much each person may be sent, what is on its way."""

from __future__ import annotations

from storage.database import Row, Tx


async def get_token(tx: Tx, name: str) -> Row | None:
    """A token and when it ends: token, expires_ms."""
    return await tx.one(
        "SELECT token, expires_ms FROM wechat_tokens WHERE township_id = :t AND name = :name", {"name": name}
    )


async def put_token(tx: Tx, name: str, token: str, *, expires_ms: int) -> None:
    """Replace a token."""
    await tx.run(
        "INSERT INTO wechat_tokens (township_id, name, token, expires_ms) VALUES (:t, :name, :token, :expires_ms)"
        " ON CONFLICT (township_id, name) DO UPDATE SET token = excluded.token, expires_ms = excluded.expires_ms",
        {"name": name, "token": token, "expires_ms": expires_ms},
    )


async def quota(tx: Tx, address: str) -> Row | None:
    """What may still be sent to a person (JSON), and the last of their updates that is counted in: body, heard_id."""
    return await tx.one(
        "SELECT body, heard_id FROM wechat_quotas WHERE township_id = :t AND address = :address", {"address": address}
    )


async def put_quota(tx: Tx, address: str, body: str, *, heard_id: int) -> None:
    """Replace it."""
    await tx.run(
        "INSERT INTO wechat_quotas (township_id, address, heard_id, body) VALUES (:t, :address, :heard_id, :body)"
        " ON CONFLICT (township_id, address) DO UPDATE SET heard_id = excluded.heard_id, body = excluded.body",
        {"address": address, "heard_id": heard_id, "body": body},
    )


async def is_under_way(tx: Tx, address: str) -> bool:
    """Whether something for an address goes by itself at the first chance."""
    return (
        await tx.one(
            "SELECT 1 FROM outbox WHERE township_id = :t AND address = :address AND state = 'due' AND answers IS NULL"
            " LIMIT 1",
            {"address": address},
        )
        is not None
    )
