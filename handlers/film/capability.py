"""Film by weight: what it declares."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.declared import Saying
from handlers.film import asking, checks, correct, decide, figures, forms, look, objections, undoing
from handlers.film.weighing import line
from handlers.said import opens
from storage.product.integrity import Reference

FILM = Capability(
    name="film",
    commands={
        "weigh": Command(line.command, "weigh_film", takes=line.is_a_weight),
        "unweigh": Command(undoing.command, "weigh_film", takes=takes.a_ticket),
        "tickets": Command(look.today, "weigh_film"),
        "ticket": Command(look.one, takes=takes.a_ticket),
        "weight": Command(decide.command, "approve_weight"),
        "object": Command(objections.command, takes=takes.a_ticket),
        "objection": Command(objections.decide_command, "correct_film"),
        "correct": Command(correct.command, "correct_film", takes=takes.a_ticket),
    },
    form_commands={"object": "object_ticket", "correct": "correct_ticket"},
    forms=forms.FORMS,
    hints={"weigh": frozenset({"household_said"})},
    intents=(line.interpret, look.any_number),
    sayings=(
        Saying("weigh", asking.weigh, "weigh_film"),
        Saying("tickets", asking.tickets, "weigh_film", anytime=True),
        Saying("fix", asking.fix, "weigh_film"),
        Saying("objection", opens("object_ticket")),
        Saying("rate", asking.rate, anytime=True),
        Saying("stations", asking.stations, anytime=True),
    ),
    readers=(asking.kinds_in, lambda world: asking.cards_in),
    numbers=(look.numbered,),
    other_matters=(line.surely,),
    whole_lines={line.FORM: line.again},
    timers={undoing.TOLD: undoing.told},
    figures=figures.FIGURES,
    waits=(figures.WAITING,),
    checks={"film tickets": checks.check_tickets},
    references=(
        Reference("film_ticket_events", "ticket_id", "film_tickets"),
        Reference("film_tickets", "corrects", "film_tickets"),
    ),
    pages=("cleaner.md", "villager.md", "staff.md"),
    without={"forgets": "tickets are for ever (D8); who weighed did so in office, the household's card stays"},
)
