"""What is said about film in free words: a weigh-in in a sentence, «错了», what a kilo gives, where stations are."""

from __future__ import annotations

from typing import Any

from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.talk.quantity import Weight
from bot.talk.understanding.slots import Read, Slot
from bot.talk.understanding.when import spoken_of
from bot.turn import Intent
from handlers.duties import undoing as duties_undoing
from handlers.film import decide, show, undoing
from handlers.film.record import day_bounds_ms
from handlers.film.weighing import line, reading
from handlers.film.weighing.words import WeighReading
from handlers.people.guide import menu
from handlers.people.rules import may
from handlers.policy.film import FUNDS
from handlers.world import Turn, World
from storage.product import film, film_figures
from storage.product.film import Ticket

STATIONS_SHOWN = 6
KIND_SLOT = "film"


def kinds_in(world: World) -> Any:
    """The kinds of film as the policy's words name them (a slot reader); which kind it is says much of the matter."""
    words = world.policy.film.kind_words()
    longest_first = sorted(words, key=lambda one: (-len(one), one))

    def found(said: str) -> list[Slot]:
        return [
            Slot(KIND_SLOT, at, at + len(word), words[word], opaque=False)
            for word in longest_first
            for at in (said.find(word),)
            if at >= 0
        ]

    return found


def cards_in(said: str) -> list[Slot]:
    """Household cards and the ends of their numbers (a slot reader): they name a household as its people's names do."""
    return [Slot("person", one.start(), one.end(), one.group()) for one in reading.CARD_SAID.finditer(said)]


async def weigh(turn: Turn, read: Read) -> Intent | None:
    """A weigh-in told in a sentence: whose film, how heavy, of which kind, how dirty, wherever each of them stands."""
    said = WeighReading(
        str(read.first("person") or ""),
        net_g=_grams(read),
        impurity_bp=_impurity(read),
        unit=next((slot.value.unit for slot in read.of("weight") if isinstance(slot.value, Weight)), ""),
        kind=read.first(KIND_SLOT),
    )
    return await line.from_reading(turn, said, turn.event.media)


def _grams(read: Read) -> int | None:
    """The one weight that was said; None for none, for several, and for one that can't be read."""
    weights = [slot.value.grams for slot in read.of("weight") if isinstance(slot.value, Weight)]
    return weights[0] if len(weights) == 1 and len(read.of("weight")) == 1 else None


def _impurity(read: Read) -> int | None:
    percent = read.first("percent")
    return percent if isinstance(percent, int) else None


async def tickets(turn: Turn, read: Read) -> Intent | None:
    """What one weighed: today's tickets, or the sum of the week, the month, the year or the day that was said."""
    today = turn.world.day(turn.now_ms)
    span = spoken_of([read.words(slot) for slot in read.of("day", "date")], today)
    if span is None or span == (today, today):
        return Intent(command="tickets")
    from_ms, until_ms = day_bounds_ms(turn.world, span[0])[0], day_bounds_ms(turn.world, span[1])[1]
    rows = await film_figures.of_weigher(turn.tx, turn.person.id, from_ms=from_ms, until_ms=until_ms)
    total = film_figures.added_up(rows)
    period = f"{span[0]:%Y-%m-%d}" if span[0] == span[1] else f"{span[0]:%Y-%m-%d} – {span[1]:%m-%d}"
    fields = {"period": period, "count": total.tickets, "accepted_g": total.accepted_g}
    turn.reply(Say(text("film.period", **fields), ((Button(text("menu.tickets"), "/tickets"),),)))
    return None


async def fix(turn: Turn, read: Read) -> Intent | None:
    """«错了», «改成15斤», «是棚膜»: the correction of what this person weighed last today, with what was said in it."""
    named = read.first("ticket")
    ticket = await film.ticket_by_number(turn.tx, named) if named else await undoing.newest_of(turn)
    report = None if named or read.of("weight", KIND_SLOT) else await duties_undoing.newest_of(turn)
    if report is not None and (ticket is None or report["at_ms"] > ticket.created_ms):
        turn.reply(duties_undoing.offer(turn, report))
        return None
    if ticket is None:
        turn.reply(Say(text("film.fix.nothing"), await menu(turn)))
        return None
    if may(turn.person.roles, "correct_film", ticket.village_id, turn.world.places.covers):
        known = {"ticket": await decide.chosen(turn, ticket), **_wrong(turn, read)}
        return Intent(form="correct_ticket", answers=known)
    name = await show.householder(turn.tx, ticket)
    anew = _anew(turn, read, ticket)
    rows = ((Button(text("film.fix.withdraw"), f"/unweigh {ticket.number}{anew}", "primary"),),)
    said = text("film.fix.anew" if anew else "film.fix.withdrawn", number=ticket.number, name=name, net_g=ticket.net_g)
    turn.reply(Say(said, rows))
    return None


def _wrong(turn: Turn, read: Read) -> dict[str, Any]:
    """What is wrong, with the right one, as the answers of the correction."""
    reason = {"reason": turn.event.text.strip()[:60]}
    grams, kind, impurity = _grams(read), read.first(KIND_SLOT), _impurity(read)
    if grams is not None:
        unit = read.of("weight")[0].value.unit
        weight = reading.weight_of(WeighReading("", net_g=grams, unit=unit))
        return {"wrong": "weight", "weight": weight, **reason}
    if kind is not None:
        label = turn.world.policy.film.kind(kind).name.in_language(turn.person.language)
        return {"wrong": "kind", "kind": {"id": kind, "label": label}, **reason}
    if impurity is not None:
        return {"wrong": "impurity", "impurity": {"bp": impurity}, **reason}
    if any(word in read.said for word in ("撤", "作废", "冲", "删", "取消", "不要", "undo", "cancel", "void")):
        return {"wrong": "void", **reason}
    return reason


def _anew(turn: Turn, read: Read, ticket: Ticket) -> str:
    """What the ticket in place of a withdrawn one begins with: « w7500» grams, « kgreenhouse» a kind, or ""."""
    grams, kind = _grams(read), read.first(KIND_SLOT)
    return f" w{grams}" if grams is not None else f" k{kind}" if kind is not None and kind != ticket.kind else ""


async def rate(turn: Turn, read: Read) -> Intent | None:
    """What a kilo of each kind gives today, fund by fund, by the policy in force and with its name."""
    policy, day = turn.world.policy, turn.world.day(turn.now_ms)
    lines: list[Words] = [text("ask.rate")]
    for kind in policy.film.kinds:
        fens = [int(policy.film.fund(name).fen_per_kg_on(day, kind.id)) for name in FUNDS]
        label = kind.name.in_language(turn.person.language)
        lines.append(
            text("ask.rate.kind", kind=label, county_fen=fens[0], township_fen=fens[1], half_fen=sum(fens) // 2)
        )
    lines.append(text("ask.source", title=policy.title.in_language(turn.person.language), basis=policy.basis))
    turn.reply(on_lines(lines))
    return None


async def stations(turn: Turn, read: Read) -> Intent | None:
    """Where film is taken, when, and the telephone; of the place that was said first."""
    places = turn.world.places
    match = places.find_place(read.said)
    here = match.village.area_id if match is not None and match.village is not None else None
    found = sorted(places.stations, key=lambda one: one.village_id != here)[:STATIONS_SHOWN]
    lines: list[Words] = [text("ask.stations" if found else "ask.stations.none")]
    lines += [text("ask.station", name=one.name, hours=one.hours or "—", phone=one.phone or "—") for one in found]
    turn.reply(on_lines(lines))
    return None
