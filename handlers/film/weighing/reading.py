"""Reading what a person says about a weigh-in: weights, impurities, household cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.talk.form import Answer, Doubt, Reading, Wrong
from bot.talk.numerals import QuantityError
from bot.talk.quantity import parse_percent_bp, parse_weight_g
from bot.talk.understanding.readers import PROVINCES
from handlers.areas import codes
from handlers.areas.rules import card_number
from handlers.facts import Facts
from handlers.film import rules
from handlers.film.rules import WeightError
from handlers.film.weighing.words import WeighReading, parse_weigh_line
from handlers.policy.film import FilmBounds
from handlers.policy.model import Policy

SOMEBODY = "某户"  # stands where the line's reader wants a name
NO_TARE = ("0", "零", "没有", "没有袋子", "没袋子", "没", "无", "没皮", "none", "no", "no bag")
_TARE_LABEL = re.compile(r"^(?:皮重?|袋子重?|tare)\s*[:：=]?\s*", re.IGNORECASE)
CARD_SAID = re.compile(
    rf"(?<![A-Za-z0-9{PROVINCES}])[A-Za-z]{{1,3}}[0-9]{{3,8}}(?![0-9A-Za-z-])|(?:卡?尾号|后[四4]位)\s?[0-9]{{4}}(?![0-9])"
)  # in a sentence; no plate
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


def weight_of(found: WeighReading) -> dict[str, Any]:
    """A reading as the weight step stores it; only `gross_g` when nothing else was said: the tare is asked then."""
    if found.net_g is None:
        weight: dict[str, Any] = {"gross_g": found.gross_g}
    else:
        gross_g = found.net_g if found.gross_g is None else found.gross_g
        weight = {"gross_g": gross_g, "tare_g": gross_g - found.net_g, "net_g": found.net_g}
    if found.impurity_bp is not None:
        weight["impurity_bp"] = found.impurity_bp
    return weight


def is_gross(answers: Mapping[str, Any]) -> bool:
    """Whether only a gross weight is known: the `when` of the question for the tare."""
    return "weight" in answers and "net_g" not in answers["weight"]


def whole_weight(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The weight of a finished form, the tare that was asked for taken off."""
    weight: dict[str, Any] = answers["weight"]
    if not is_gross(answers):
        return weight
    tare_g = answers["tare"]["tare_g"]
    return {**weight, "tare_g": tare_g, "net_g": weight["gross_g"] - tare_g}


def read_tare(said: str, facts: Facts) -> Reading:
    """«0.4公斤», «皮重 八两», «没有袋子»: grams."""
    plain = _TARE_LABEL.sub("", said.strip())
    if plain in NO_TARE:
        return Answer({"tare_g": 0})
    try:
        return Answer({"tare_g": parse_weight_g(plain, default_unit=facts.policy.film.default_unit).grams})
    except QuantityError as problem:
        return Wrong(problem.code, {"said": said[:30]})


def check_weight(weight: dict[str, Any], policy: Policy) -> Reading:
    """A weight against the policy's bounds: taken, doubted, or wrong; a gross weight waits for its tare."""
    if "net_g" not in weight:
        return Answer(weight)
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
