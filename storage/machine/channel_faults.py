"""What keeps a channel from working until the operator does something."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx


async def put(tx: Tx, channel: str, fault: str, *, now_ms: int) -> None:
    """Note a channel's fault, "" that it is over."""
    await tx.run(
        "INSERT INTO channel_faults (township_id, channel, fault, since_ms) VALUES (:t, :channel, :fault, :now_ms)"
        " ON CONFLICT (township_id, channel) DO UPDATE SET fault = excluded.fault, since_ms = excluded.since_ms",
        {"channel": channel, "fault": fault, "now_ms": now_ms},
    )


async def of_channel(tx: Tx, channel: str) -> str:
    """A channel's fault, "" without one."""
    row = await tx.one(
        "SELECT fault FROM channel_faults WHERE township_id = :t AND channel = :channel", {"channel": channel}
    )
    return str(row["fault"]) if row else ""


async def every(tx: Tx) -> Sequence[Row]:
    """The faults there are now: channel, fault, since_ms."""
    return await tx.all(
        "SELECT channel, fault, since_ms FROM channel_faults WHERE township_id = :t AND fault <> '' ORDER BY channel"
    )
