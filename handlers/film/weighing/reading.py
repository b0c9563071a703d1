"""Reading what a person says about a weigh-in: weights, impurities, household cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.talk.form import Answer, Doubt, Reading, Wrong
from bot.talk.numerals import QuantityError
from bot.talk.quantity import parse_percent_bp, parse_weight_g
from handlers.areas import codes
from handlers.areas.rules import card_number
from handlers.facts import Facts
from handlers.film import rules
from handlers.film.rules import WeightError
from handlers.film.weighing.words import WeighReading, parse_weigh_line
from handlers.policy.film import FilmBounds
from handlers.policy.model import Policy

SOMEBODY = "某户"  # stands where the line's reader wants a name
_CARD_IN_LINK = re.compile(r"[/=:?&#]")


def read_weight(said: str, facts: Facts) -> Reading:
    """«毛16 皮0.4 公斤», «15.6公斤», «三十一斤半», also with «杂质5%»: grams, sure of nothing yet."""
    policy = facts.policy
    try:
        found = [one for one in _lines(said, policy) if one.name_text == SOMEBODY]
        if not found:
            return Wrong("only_weight", {"said": said[:30]})  # a whole line: whose it is was answered before
        return check_weight(weight_of(found[0]), policy)
    except QuantityError as problem:
        return Wrong(_clearest(said, problem), {"said": said[:30]})


def _lines(said: str, policy: Policy) -> tuple[WeighReading, ...]:
    return parse_weigh_line(f"{SOMEBODY} {said}", default_unit=policy.film.default_unit)


def _clearest(said: str, problem: QuantityError) -> str:
    """The problem's code; words that hold no weight may still name an unknown unit («15袋»)."""
    if problem.code in ("not_a_number", "name_missing"):
        try:
            parse_weight_g(said)
        except QuantityError as clearer:
            return clearer.code
        return "not_a_number"
    return problem.code


def weight_of(found: WeighReading) -> dict[str, Any] | None:
    """A reading as the weight step stores it; None when only a gross weight was said."""
    if found.net_g is None:
        return None
    gross_g = found.net_g if found.gross_g is None else found.gross_g
    weight: dict[str, Any] = {"gross_g": gross_g, "tare_g": gross_g - found.net_g, "net_g": found.net_g}
    if found.impurity_bp is not None:
        weight["impurity_bp"] = found.impurity_bp
    return weight


def check_weight(weight: dict[str, Any] | None, policy: Policy) -> Reading:
    """A weight against the policy's bounds: taken, doubted, or wrong."""
    if weight is None:
        return Wrong("tare_missing")
    bounds = policy.film.bounds
    try:
        rules.refuse_weight(weight["net_g"], bounds)
        rules.refuse_impurity(weight.get("impurity_bp", 0), bounds)
    except WeightError as problem:
        return _wrong(problem)
    if rules.heavy(weight["net_g"], bounds):
        return Doubt({**weight, "sure": True}, "heavy", {"net_g": weight["net_g"]})
    return Answer(weight)


def _wrong(problem: WeightError) -> Wrong:
    return Wrong(problem.code, {"limit_g": problem.limit, "limit_bp": problem.limit})


def read_impurity(said: str, facts: Facts) -> Reading:
    """«5%», «百分之五», «没有»: basis points."""
    if said in ("没有", "无", "干净", "没", "none", "no"):
        return Answer({"bp": 0})
    try:
        impurity_bp = parse_percent_bp(said)
    except QuantityError as problem:
        return Wrong(problem.code, {"said": said[:30]})
    bounds = facts.policy.film.bounds
    try:
        rules.refuse_impurity(impurity_bp, bounds)
    except WeightError as problem:
        return _wrong(problem)
    if rules.dirty(impurity_bp, bounds):
        return Doubt({"bp": impurity_bp, "sure": True}, "dirty", {"impurity_bp": impurity_bp})
    return Answer({"bp": impurity_bp})


def concerns(answers: Mapping[str, Any], bounds: FilmBounds) -> list[tuple[str, dict[str, Any]]]:
    """What a finished form still has to be asked about: odd figures that nobody confirmed yet."""
    found: list[tuple[str, dict[str, Any]]] = []
    weight, impurity = answers["weight"], answers.get("impurity") or {"bp": 0}
    if rules.heavy(weight["net_g"], bounds) and not weight.get("sure"):
        found.append(("heavy", {"net_g": weight["net_g"]}))
    if rules.dirty(impurity["bp"], bounds) and not impurity.get("sure"):
        found.append(("dirty", {"impurity_bp": impurity["bp"]}))
    return found


def card_said(said: str) -> str:
    """The card number in the words of a scanned household code, a link or plain text; else the words themselves."""
    scene = codes.read(said)
    if scene is not None and scene.kind == "door":
        return codes.card_with(scene.code) or said.strip()
    last = _CARD_IN_LINK.split(said.strip())[-1]
    card = card_number(last)
    return card if card and any(character.isdigit() for character in card) and last != said.strip() else said.strip()
