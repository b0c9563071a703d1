"""What was said and must not be read again is taken out of the conversation, in the transaction that acts on it."""

from __future__ import annotations

from typing import Any

from bot.channels.base import Arrival, Channel, Raw
from bot.talk.messages import HIDDEN, Out
from bot.turn import Turn
from storage.database import Row, Tx
from storage.machine import inbox


async def hide(tx: Tx, channel: Channel, raw: Raw, row: Row) -> None:
    """Keep of an update that it came, and not what it said."""
    await inbox.rewrite(tx, row["id"], channel.masked(raw), received_ms=row["received_ms"])


async def hide_everywhere(turn: Turn[Any], channel: Channel, raw: Raw, row: Row, arrival: Arrival) -> None:
    """The same, and take the message away on the platform itself, where it can be named there."""
    await hide(turn.tx, channel, raw, row)
    if arrival.ref:
        turn.post(turn.person.id, turn.person.channel, turn.person.address, Out("", hides=arrival.ref))


def was_hidden(arrival: Arrival) -> bool:
    """Whether an earlier update is one of those: an edited secret is one again."""
    return arrival.event.text == HIDDEN
