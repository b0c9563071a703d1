"""How a report begins: a photo, a place, a free sentence, a command; and what other words about cases mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from bot.talk.form import Answer, Doubt, Option, Wrong
from bot.talk.hearing import bare
from bot.talk.messages import In, text
from bot.turn import Intent
from handlers.cases import rules
from handlers.cases.places import offered_places, place_in_sentence, suppose_photo_place
from handlers.facts import Facts
from handlers.households.beneficiary import beneficiary_step
from handlers.households.reporting import REPORT_FORM, begun
from handlers.numbers import CASES
from handlers.people.actions import private
from handlers.understanding import understand
from handlers.world import Turn
from storage.product import cases

KINDS = ("dumping", "burning", "river", "open_rubbish", "waste_film", "vehicle")
WARN_EVERY_MS = 600_000
BENEFICIARY = replace(beneficiary_step(), when=lambda answers: "beneficiary" in answers)
WORDS_LARGEST = 4_000


async def report(turn: Turn, args: str) -> None:
    """`/report`, the menu's button, «我要举报»."""
    private(turn)
    turn.open(REPORT_FORM, **await begun(turn))


async def interpret(turn: Turn) -> Intent | None:
    """A photo or a place opens a report for anybody; the number of a case shows it."""
    event = turn.event
    if event.kind == "media":
        return Intent(form=REPORT_FORM, answers=await begun(turn, **await _of_photos(turn, event)))
    if event.kind == "place":
        return Intent(form=REPORT_FORM, answers=await begun(turn, **_of_place(turn, event)))
    return _number(turn) if event.kind == "text" else None


async def _of_photos(turn: Turn, event: In) -> dict[str, Any]:
    answers: dict[str, Any] = {"photos": [[one.kind, one.ref, one.size_bytes] for one in event.media]}
    caption = event.text.strip()
    return {**answers, **await told(turn, caption)} if caption else answers


def _of_place(turn: Turn, event: In) -> dict[str, Any]:
    """The place as an answer; one that can't be used is said, and asked for again later."""
    reading = Facts(turn.world, turn.world.day(turn.now_ms)).place_of(event)
    if isinstance(reading, Answer):
        return {"place": reading.value}
    if isinstance(reading, Wrong):
        turn.reply(text(f"step.place.{reading.code}|step.{reading.code}", **reading.fields))
    return {}


async def numbered(turn: Turn) -> Intent | None:
    """The number of a case that there is, as it is printed or short («0001»); with its claim code, the claim."""
    said, year = turn.event.text.strip(), turn.world.local(turn.now_ms).year
    if "-" in said and (claim := rules.read_claim(said, year)) is not None:
        return Intent(command="claim", args=" ".join(claim))
    intent = _number(turn)
    return intent if intent and await cases.case_of_number(turn.tx, intent.args) is not None else None


def _number(turn: Turn) -> Intent | None:
    """A case's number, there or not."""
    said = turn.event.text.strip()
    number = CASES.printed(said) or CASES.short(said, turn.world.local(turn.now_ms).year)
    return Intent(command="case", args=number) if number else None


async def surely(turn: Turn, takes_words: bool) -> Intent | None:
    """A tip-off with its kind and its place, said to a question that has no use for words."""
    said = turn.event.text.strip()
    if takes_words or turn.event.kind != "text" or not is_report(turn, said):
        return None
    answers = await told(turn, said)
    if not {"kind", "place"} <= answers.keys():
        return None
    return Intent(form=REPORT_FORM, answers=await begun(turn, **answers))


def is_report(turn: Turn, said: str) -> bool:
    """Whether words surely report something."""
    judged = understand(turn.world, turn.person.roles, said).judged
    return judged.sureness == "sure" and judged.best == "report"


async def words(turn: Turn, answers: Mapping[str, Any], said: str) -> Mapping[str, Any]:
    """What words said to another question are to a report: its place, its kind, else more of its description.

    A place takes the place of the one known only when the words say that one is wrong; they are description, too,
    unless correcting was all they did.
    """
    found: dict[str, Any] = {}
    place, _ = await place_in_sentence(turn, said)
    corrects = rules.corrects_a_place(said)
    if place is not None and (corrects or "place" not in answers):
        found["place"] = place
    kind = kind_said(turn, said)
    if kind is not None and "kind" not in answers:
        found["kind"] = kind
    if not (corrects and place is not None):
        told = str(answers.get("statement") or "")
        found["statement"] = (f"{told}\n{said}" if told else said)[:WORDS_LARGEST]
    return found


async def told(turn: Turn, said: str) -> dict[str, Any]:
    """What words tell of a report: themselves as its statement, its kind and its place as far as they name them."""
    place, _ = await place_in_sentence(turn, said)
    kind = kind_said(turn, said)
    named = {"kind": kind, "place": place}
    return {"statement": said[:WORDS_LARGEST], **{name: value for name, value in named.items() if value}}


def kind_said(turn: Turn, said: str) -> str | None:
    """The kind that the policy's words, else the catalogue's, recognise in a sentence."""
    kind = turn.world.policy.report.kind_said(said)
    if kind is not None:
        return str(kind.id)
    plain = bare(said)
    catalogue = turn.catalogues[turn.person.language]
    hits = [(len(word), one) for one in KINDS for word in _words(catalogue, one) if bare(word) in plain]
    return max(hits)[1] if hits else None


@lru_cache(maxsize=64)
def _words(catalogue: Any, name: str) -> tuple[str, ...]:
    """The words that the catalogue lists under `said.<name>`, the longest first."""
    words: str = catalogue.render(text(f"said.{name}"))
    return tuple(sorted(words.split("|"), key=len, reverse=True))


async def warn_first(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Say «先拨119» before anything else is asked about a fire (D45); once in ten minutes, not at each question."""
    said = answers.get("kind")
    kind = next((one for one in turn.world.policy.report.kinds if one.id == said), None)
    if kind is None or kind.call_first is None:
        return
    period = turn.now_ms // WARN_EVERY_MS
    for key in (f"call_first:{turn.person.id}:{period - 1}", f"call_first:{turn.person.id}:{period}"):
        if await turn.was_told(key, turn.person.address):
            return
    turn.reply(text("report.call_first", number=kind.call_first), key=f"call_first:{turn.person.id}:{period}")


async def before_photos(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """Nothing to offer; only the warning that comes first."""
    await warn_first(turn, answers)
    return ()


async def supposed_place(turn: Turn, answers: Mapping[str, Any]) -> Doubt | None:
    """The place that a photo says, after the warning if no question came before."""
    await warn_first(turn, answers)
    return await suppose_photo_place(turn, answers)


async def before_place(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The places to offer, after the warning if no question came before."""
    await warn_first(turn, answers)
    return await offered_places(turn, answers)
