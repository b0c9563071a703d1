"""Short answers, and the question which of several things was meant: what they declare."""

from __future__ import annotations

from handlers.answers import elsewhere, meaning
from handlers.capability import Capability
from handlers.declared import Saying
from handlers.said import answers
from handlers.understanding import MEANT

ANSWERS = Capability(
    name="answers",
    forms=(meaning.FORM,),
    hints={MEANT: frozenset({"why", "may_be"})},
    sayings=(
        Saying("thanks", answers("small.thanks", 3)),
        Saying("greeting", answers("small.greeting", 3)),
        Saying("bye", answers("small.bye", 3)),
        Saying("who_are_you", answers("small.who_are_you", 2)),
        Saying("chat", answers("small.chat", 3)),
        Saying("elsewhere", elsewhere.follow, complains=True),
    ),
    pages=("villager.md", "operator.md"),
    without={
        "figures": "small talk is not counted",
        "waits": "a question is answered at once",
        "checks": "nothing is stored",
        "forgets": "words that were not understood are kept nowhere but in the chat",
    },
)
