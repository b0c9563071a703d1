"""«待办»: what it declares."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.todo import actions

TODO = Capability(
    name="todo",
    commands={"todo": Command(actions.todo, "see_todo", takes=actions.names_a_wait)},
    pages=("staff.md",),
    without={
        "figures": "it counts what waits for others",
        "waits": "it lists what other capabilities declare",
        "checks": "it stores nothing",
        "forgets": "it stores nothing",
    },
)
