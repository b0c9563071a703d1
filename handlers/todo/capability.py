"""«待办»: what it declares."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Forget, Saying
from handlers.said import runs
from handlers.todo import actions, bundling

TODO = Capability(
    name="todo",
    commands={"todo": Command(actions.todo, "see_todo", takes=actions.names_a_wait)},
    sayings=(Saying("todo", runs("todo"), "see_todo", anytime=True),),
    timers={bundling.BUNDLE: bundling.tell_bundle},
    forgets=(Forget("which notices came together", of_person=bundling.of_person),),
    pages=("staff.md",),
    without={
        "figures": "it counts what waits for others",
        "waits": "it lists what other capabilities declare",
        "checks": "what it stores only spares people messages",
    },
)
