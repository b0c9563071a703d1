"""What keeps a channel, or another part of the program, from working: one row a part, and its last trouble."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx


async def put(tx: Tx, channel: str, fault: str, *, now_ms: int) -> None:
    """Note a part's fault and since when, "" that there is none."""
    await tx.run(
        "INSERT INTO channel_faults (township_id, channel, fault, since_ms) VALUES (:t, :channel, :fault, :now_ms)"
        " ON CONFLICT (township_id, channel) DO UPDATE SET fault = excluded.fault, since_ms = excluded.since_ms",
        {"channel": channel, "fault": fault, "now_ms": now_ms},
    )


async def over(tx: Tx, channel: str, was: str, *, since_ms: int, until_ms: int) -> None:
    """Note that a part works again: what was the matter, since and until when."""
    await tx.run(
        "INSERT INTO channel_faults (township_id, channel, fault, since_ms, was, until_ms)"
        " VALUES (:t, :channel, '', :since_ms, :was, :until_ms)"
        " ON CONFLICT (township_id, channel) DO UPDATE SET fault = '', since_ms = excluded.since_ms,"
        " was = excluded.was, until_ms = excluded.until_ms",
        {"channel": channel, "was": was, "since_ms": since_ms, "until_ms": until_ms},
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


async def lately(tx: Tx, *, after_ms: int, least_ms: int) -> Sequence[Row]:
    """What was over after a time and had lasted that long: channel, was, since_ms, until_ms."""
    return await tx.all(
        "SELECT channel, was, since_ms, until_ms FROM channel_faults WHERE township_id = :t AND fault = ''"
        " AND was <> '' AND until_ms > :after_ms AND until_ms - since_ms >= :least_ms ORDER BY channel",
        {"after_ms": after_ms, "least_ms": least_ms},
    )


async def of_all(tx: Tx) -> Sequence[Row]:
    """The faults there are now in any township, whichever `tx` is of: township_id, channel, fault, since_ms."""
    return await tx.all(
        "SELECT f.township_id, f.channel, f.fault, f.since_ms FROM turns t"
        " JOIN channel_faults f ON f.township_id = t.township_id WHERE f.fault <> '' ORDER BY f.township_id, f.channel"
    )
