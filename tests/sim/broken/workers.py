"""Laws of several workers and several townships, each broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channels.base import Raw
from bot.clock import TimeIds
from bot.incoming.intake import TOPIC, Intake
from bot.incoming.polling import Receiving
from bot.outgoing import delivery
from bot.outgoing.delivery import Delivery
from bot.outgoing.letters import Written
from bot.outgoing.shares import Outgoing
from bot.schedule import Schedule
from storage.database import Database, Tx
from storage.machine import outbox, timers
from tests.sim.broken.ways import Laws, built, patched
from tests.sim.machine.life import Parts


class Facade:
    """Something of which a part is otherwise."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


class NeverAlone(Facade):
    """A database in which nobody has a township's turn."""

    async def transaction(self, work: Any, *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> Any:
        return await self._whole.transaction(work, township_id=township_id, exclusive=False)


class TakesEverything(Facade):
    """Workers of which each has every lease."""

    async def take(self, lease: str) -> bool:
        return True

    def has(self, lease: str) -> bool:
        return True


class NeverLoses(Facade):
    """A worker that has for ever what it had once."""

    def has(self, lease: str) -> bool:
        return True


class Lockless(Intake):
    """Handles updates without holding the township's lock."""

    def __init__(self, database: Database, *rest: Any, **named: Any) -> None:
        without: Any = NeverAlone(database)
        super().__init__(without, *rest, **named)


class TellsBefore(Intake):
    """Tells the others of updates before they are stored."""

    async def accept(self, raws: Sequence[Raw]) -> None:
        if not self._running:
            for township_id in {raw.township_id for raw in raws}:
                await self._database.transaction(
                    lambda tx: tx.notify(TOPIC, str(tx.township_id)), township_id=township_id, exclusive=False
                )
        await super().accept(raws)

    async def _store(self, tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
        running, self._running = self._running, True
        try:
            await super()._store(tx, rows)
        finally:
            self._running = running


class FencelessDelivery(Delivery):
    """Goes on though another worker has begun to deliver."""

    def _lose(self) -> None:
        pass

    async def poll(self) -> None:
        self._outcomes.fence, _ = await self._database.read(outbox.newest, township_id=self._township_id)
        await super().poll()


class KeepsLease(Outgoing):
    """Keeps a lease that it has lost for ever."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        keeping: Any = NeverLoses(self._workers)
        self._workers = keeping

    async def look(self, *, grace_s: float) -> None:
        for one in self._deliveries.values():
            one.lost = False
        await super().look(grace_s=grace_s)


class OwnFirst(Delivery):
    """Sends what this worker wrote without looking for what others wrote before."""

    def offer(self, written: Written) -> None:
        self._known_to = max(self._known_to, written.after_id)
        super().offer(written)


class ToEverybody(Outgoing):
    """Passes letters to the deliveries of all townships."""

    def offer(self, written: Written | None) -> None:
        for one in self._deliveries.values():
            if written is not None:
                one.offer(written)


class OwnIds(TimeIds):
    """Makes ids by its own clock alone."""

    def follow(self, newest: int) -> None:
        pass


class LeaselessSchedule(Schedule):
    """Has the clock whoever else has it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        everything: Any = TakesEverything(self._workers)
        self._workers = everything


class LeaselessReceiving(Receiving):
    """Fetches whoever else does."""

    def __init__(self, workers: Any, *arguments: Any) -> None:
        everything: Any = TakesEverything(workers)
        super().__init__(everything, *arguments)


async def _always_due(tx: Tx, timer_id: int) -> bool:
    return True


LAWS: Laws = {
    "intake-without-the-lock": lambda: built(Parts(intake=Lockless)),
    "told-before-stored": lambda: built(Parts(intake=TellsBefore)),
    "delivery-without-the-fence": lambda: built(Parts(delivery=FencelessDelivery)),
    "lost-lease-kept": lambda: built(Parts(outgoing=KeepsLease)),
    "own-messages-first": lambda: built(Parts(delivery=OwnFirst)),
    "sends-cut-at-a-stop": lambda: patched(delivery, "LAST_SENDS_S", 0),
    "messages-to-all-townships": lambda: built(Parts(outgoing=ToEverybody)),
    "ids-by-each-clock-alone": lambda: built(Parts(ids=OwnIds)),
    "clock-without-the-lease": lambda: built(Parts(schedule=LeaselessSchedule)),
    "timer-run-unseen": lambda: patched(timers, "is_due", _always_due),
    "fetching-without-the-lease": lambda: built(Parts(receiving=LeaselessReceiving)),
}
