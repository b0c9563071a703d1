"""The simulator's own play: a product that is small and fast, and people who want things of it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from bot.i18n import Catalogues
from tests.sim.chat.texts import KeyCatalogues
from tests.sim.chat.users import SimScript, User, Wish
from tests.sim.faults import Chaos
from tests.sim.play import Chat, Stage, in_a_file, person
from tests.sim.plays import laws
from tests.sim.plays.product import SimProduct, make_template


class SimPlay:
    """The simulator's own product: small and fast."""

    script: type[SimScript] = SimScript

    def __init__(self, seed: int, chaos: Chaos) -> None:
        self._dice = random.Random(f"{seed}:town")
        self._townships = chaos.weather.townships
        self.product: Any = SimProduct(chaos, self._dice.choice((0, 0, 120, 20)))
        self.errands: Mapping[str, Any] = self.product.errands
        self.catalogues: Catalogues = KeyCatalogues()

    def chat(self, township_id: int) -> Chat:
        return Chat()

    def rules(self) -> AbstractContextManager[None]:
        return nullcontext()

    def database(self) -> bytes:
        return in_a_file(make_template, self._townships)

    def people(self, stage: Stage) -> list[User]:
        clumsiness = self._dice.choice((0.0, 0.1, 0.25))
        ways = ("form", "add", "words")
        letter = "_wv"[stage.township_id]
        return [
            person(
                stage,
                f"{stage.platform.name}:{number}",
                [Wish(f"{letter}{number}-{at}", self._dice.choice(ways)) for at in range(self._dice.choice((2, 3, 5)))],
                self.script(),
                clumsiness,
                self.chat(stage.township_id).user,
            )
            for number in range(self._dice.choice((1, 2, 3, 5)[: 5 - stage.township_id]))
        ]

    def always(self, connection: sqlite3.Connection, township_id: int) -> Sequence[str]:
        return [*laws.always(connection, township_id), *self.product.broken]

    def at_the_end(self, connection: sqlite3.Connection, stage: Stage, now_ms: int) -> Sequence[str]:
        tokens = {wish.token for user in stage.users for wish in user.wishes}
        return laws.at_the_end(connection, stage.township_id, tokens, stage.platform.said, now_ms)
