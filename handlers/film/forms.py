"""What is asked about film: a weigh-in, a confirmation, an objection, a decision, a correction. Ids are forever."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.talk.form import Answers, Choice, Form, Found, FreeText, Option, Photos, Quantity, YesNo
from bot.talk.messages import Text, Words, text
from handlers.film import correct, decide, objections, search
from handlers.film.show import weight_line
from handlers.film.weighing import weigh
from handlers.film.weighing.reading import is_gross, read_impurity, read_tare, read_weight
from handlers.world import Turn

PHOTOS_OF_A_SCALE = 3
REASON_CHARS = 200
REST_CHARS = 4_000  # what was said of other households in the same message


def shown_weight(value: Any) -> Words:
    """A stored weight in the review: «15.75公斤», with gross and tare where they were said."""
    if "net_g" not in value:
        return text("film.weight.gross", gross_g=value["gross_g"])
    return weight_line(value["gross_g"], value["tare_g"], value["net_g"])


def shown_tare(value: Any) -> Words:
    """A stored tare in the review."""
    return text("film.weight.tare", tare_g=value["tare_g"])


def which_tare(form: str) -> Callable[[Answers], Text]:
    """The question for the tare, after the gross weight that was heard."""
    return lambda answers: text(f"form.{form}.tare.ask", gross_g=answers["weight"]["gross_g"])


def shown_impurity(value: Any) -> Words:
    """A stored impurity in the review."""
    return text("film.impurity", impurity_bp=value["bp"])


async def kinds(turn: Turn, answers: Answers) -> Sequence[Option]:
    """The film kinds of the policy."""
    world = turn.world
    return [Option(kind.id, kind.name.in_language(turn.person.language)) for kind in world.policy.film.kinds]


def impurity_said(answers: Mapping[str, Any]) -> Any:
    """The impurity that was said together with the weight."""
    said = (answers.get("weight") or {}).get("impurity_bp")
    return None if said is None else {"bp": said}


def wrong_is(what: str) -> Any:
    """The `when` of a correction's step: only the figure that was wrong is asked."""
    return lambda answers: answers.get("wrong") == what


WEIGH = Form(
    "weigh",
    (
        Found(id="household", prepare=search.households_said, search=search.households_named),
        Choice(id="kind", prepare=kinds),
        Quantity(id="weight", parse=read_weight, of="weight", shown=shown_weight),
        Quantity(id="tare", parse=read_tare, of="weight", shown=shown_tare, when=is_gross, says=which_tare("weigh")),
        Quantity(
            id="impurity", parse=read_impurity, of="percent", shown=shown_impurity, optional=True, assume=impurity_said
        ),
        Photos(id="photo", limit=PHOTOS_OF_A_SCALE, video=False, optional=True),
        Found(id="station", search=search.stations_named, when=lambda answers: "station" in answers),
        FreeText(id="rest", max_chars=REST_CHARS, when=lambda answers: "rest" in answers),
    ),
    weigh.submit,
    right="weigh_film",
)

WEIGH_SURE = Form(
    "weigh_sure",
    (Found(id="entry"), YesNo(id="sure", alone=True, says=weigh.are_you_sure)),
    weigh.submit_sure,
    review=False,
    right="weigh_film",
)

OBJECT_TICKET = Form(
    "object_ticket",
    (
        Found(id="ticket", prepare=search.tickets_to_object, search=search.ticket_to_object),
        FreeText(id="reason", min_chars=2, max_chars=REASON_CHARS),
    ),
    objections.submit_objection,
    review=False,
)

REFUSE_WEIGHT = Form(
    "refuse_weight",
    (
        Found(id="ticket", search=search.ticket_of_area),
        FreeText(id="reason", min_chars=2, max_chars=REASON_CHARS),
    ),
    decide.submit_refusal,
    review=False,
    right="approve_weight",
)

UPHOLD_TICKET = Form(
    "uphold_ticket",
    (
        Found(id="ticket", search=search.ticket_of_area),
        FreeText(id="reason", min_chars=2, max_chars=REASON_CHARS),
    ),
    objections.submit_uphold,
    review=False,
    right="correct_film",
)

CORRECT_TICKET = Form(
    "correct_ticket",
    (
        Found(id="ticket", search=search.ticket_of_area),
        Choice(id="wrong", options=("household", "weight", "kind", "impurity", "void")),
        Found(id="household", search=search.households_named, when=wrong_is("household")),
        Quantity(id="weight", parse=read_weight, of="weight", shown=shown_weight, when=wrong_is("weight")),
        Quantity(
            id="tare",
            parse=read_tare,
            of="weight",
            shown=shown_tare,
            when=lambda answers: answers.get("wrong") == "weight" and is_gross(answers),
            says=which_tare("correct_ticket"),
        ),
        Choice(id="kind", prepare=kinds, when=wrong_is("kind")),
        Quantity(id="impurity", parse=read_impurity, of="percent", shown=shown_impurity, when=wrong_is("impurity")),
        FreeText(id="reason", min_chars=2, max_chars=REASON_CHARS),
    ),
    correct.submit,
    right="correct_film",
)

FORMS = (WEIGH, WEIGH_SURE, OBJECT_TICKET, REFUSE_WEIGHT, UPHOLD_TICKET, CORRECT_TICKET)
