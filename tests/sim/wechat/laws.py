"""What must hold in a township whose people write in WeChat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from bot.channels.wechat.words import opens_question
from bot.stored import load_out
from tests.sim.invariants import Connection, Watch
from tests.sim.wechat.shown import ERASED, Push

SENT = (
    "SELECT o.id, o.address, o.body, o.answers, i.update_key FROM outbox o"
    " LEFT JOIN inbox i ON i.township_id = o.township_id AND i.id = o.answers"
    " WHERE o.township_id = :t AND o.state = 'sent'"
)
WAITING = (
    "SELECT o.id FROM outbox o WHERE o.township_id = :t AND o.state = 'waiting' AND o.id <"
    " (SELECT MAX(i.id) FROM inbox i WHERE i.township_id = o.township_id AND i.address = o.address)"
)


@dataclass
class WeChatWatch(Watch):
    """Looks at one township's rows. Messages of which it is sure that they were shown are not looked at again."""

    settled: ClassVar[str] = "IN ('sent', 'failed', 'expired')"
    sure: set[int] = field(default_factory=set)
    handled: dict[str, list[Push]] = field(default_factory=dict)

    def _unsent(self, connection: Connection) -> list[str]:
        """What counts as sent was shown: in a reply, or by itself, or both in parts.

        Except with the reply of a push that has not ended, or that has ended with a notice on the person's phone that
        the service is not available: the third try's answer was lost, and nobody can know.
        """
        found = []
        for row in self._all(connection, SENT):
            if row["id"] in self.sure or row["body"] == ERASED:
                continue
            push = self.platform.pushes.get(row["update_key"])
            if row["id"] in self.platform.replied or self._came(row) or (push is not None and push.failed):
                self.sure.add(row["id"])
            elif push is None:
                found.append(f"marked as sent, never arrived: {row['id']}")
            elif push.ended_s is not None:
                found.append(f"message {row['id']} was written to the reply to {push.key}, and never shown")
        return found

    def _came(self, row: Any) -> bool:
        """Whether a message has come by itself, whole or but for what waits as another one."""
        platform, letter_id, out = self.platform, row["id"], load_out(row["body"])
        there = {at for one, at in (*platform.pieces, *platform.pieces_refused) if one == letter_id}
        for pieces in platform.pieces_of(letter_id, out):
            came = next((at for at in range(len(pieces)) if at not in there), len(pieces))
            rests = [pieces[at:] for at in range(1, came + 1)]
            if came == len(pieces) or any(platform.is_kept(row["address"], letter_id, rest) for rest in rests):
                return True
        return False

    def _out_of_order(self, row: Any) -> list[str]:
        """What somebody sent after an answer to something else is done after that."""
        push = self.platform.pushes.get(row["update_key"])
        if push is None:
            return []
        later = [
            one.key
            for one in self.handled.setdefault(push.address, [])
            if push.ended_s is not None and not push.failed and push.ended_s < one.made_s
        ]
        self.handled[push.address].append(push)
        return [f"update {push.key} of {push.address} was done after {later[:3]}"] if later else []

    def _is_superseded(self, row: Any) -> bool:
        """A question that came too late is not shown beside the present one."""
        return row["error"] == "superseded" and opens_question(load_out(row["body"]))

    def at_the_end(self, connection: Connection, now_ms: int) -> list[str]:
        found = super().at_the_end(connection, now_ms)
        waiting = [row["id"] for row in self._all(connection, WAITING)]
        return [*found, *([f"still waiting, though the person wrote: {waiting[:5]}"] if waiting else [])]
