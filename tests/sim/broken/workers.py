"""Laws of several workers and several townships, each broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channels.base import Raw
from bot.clock import TimeIds
from bot.incoming.intake import TOPIC, Intake
from bot.incoming.polling import Receiving
from bot.outgoing import delivery
from bot.outgoing.delivery import Delivery, Written
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

    async def transaction(self, work: Any, *, township_id: int = 1, alone: bool = True, wait: bool = True) -> Any:
        return await self._whole.transaction(work, township_id=township_id, alone=False)


class TakesEverything(Facade):
    """Workers of which each has every duty."""

    async def take(self, duty: str) -> bool:
        return True

    def has(self, duty: str) -> bool:
        return True


class NeverLoses(Facade):
    """A worker that has for ever what it had once."""

    def has(self, duty: str) -> bool:
        return True


class Turnless(Intake):
    """Handles updates without having the township's turn."""

    def __init__(self, database: Database, *rest: Any, **named: Any) -> None:
        without: Any = NeverAlone(database)
        super().__init__(without, *rest, **named)


class TellsBefore(Intake):
    """Tells the others of updates before they are stored."""

    async def accept(self, raws: Sequence[Raw]) -> None:
        if not self._running:
            for township_id in {raw.township_id for raw in raws}:
                await self._database.transaction(
                    lambda tx: tx.notify(TOPIC, str(tx.township_id)), township_id=township_id, alone=False
                )
        await super().accept(raws)

    async def _store(self, tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
        running, self._running = self._running, True
        try:
            await super()._store(tx, rows)
        finally:
            self._running = running


class ClaimlessDelivery(Delivery):
    """Goes on though another worker has begun to deliver."""

    def _lose(self) -> None:
        pass

    async def poll(self) -> None:
        self._marks.claim, _ = await self._database.read(outbox.newest, township_id=self._township_id)
        await super().poll()


class KeepsDuty(Outgoing):
    """Keeps a duty that it has lost for ever."""

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


class DutilessSchedule(Schedule):
    """Has the clock whoever else has it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        everything: Any = TakesEverything(self._workers)
        self._workers = everything


class DutilessReceiving(Receiving):
    """Fetches whoever else does."""

    def __init__(self, workers: Any, *arguments: Any) -> None:
        everything: Any = TakesEverything(workers)
        super().__init__(everything, *arguments)


async def _always_due(tx: Tx, timer_id: int) -> bool:
    return True


LAWS: Laws = {
    "intake-without-the-turn": lambda: built(Parts(intake=Turnless)),
    "told-before-stored": lambda: built(Parts(intake=TellsBefore)),
    "delivery-without-the-claim": lambda: built(Parts(delivery=ClaimlessDelivery)),
    "lost-duty-kept": lambda: built(Parts(outgoing=KeepsDuty)),
    "own-messages-first": lambda: built(Parts(delivery=OwnFirst)),
    "sends-cut-at-a-stop": lambda: patched(delivery, "LAST_SENDS_S", 0),
    "messages-to-all-townships": lambda: built(Parts(outgoing=ToEverybody)),
    "ids-by-each-clock-alone": lambda: built(Parts(ids=OwnIds)),
    "clock-without-the-duty": lambda: built(Parts(schedule=DutilessSchedule)),
    "timer-run-unseen": lambda: patched(timers, "is_due", _always_due),
    "fetching-without-the-duty": lambda: built(Parts(receiving=DutilessReceiving)),
}
