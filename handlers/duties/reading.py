"""Reading a village's report: one figure, the whole line, a line among other words; asked again when unlikely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Answer, Doubt, Reading, Wrong
from bot.talk.messages import Words
from bot.talk.numerals import QuantityError
from handlers.duties import rules
from handlers.duties.rules import Effort
from handlers.duties.words import parse_cleanup_line
from handlers.facts import Facts
from handlers.policy.cadence import Friday

REST = "rest"
NONE_SAID = ("没有", "无", "没", "没有车", "没车", "none", "no")


def effort_from(metric: str, value: Mapping[str, Any]) -> Effort:
    """A step's answer as a figure."""
    return Effort(metric, value["unit"], value["milli"])


def read_people(said: str, facts: Facts) -> Reading:
    """«12», «12人次», or the whole report («12人 3车 8方»), whose other figures then need not be asked."""
    try:
        line = rules.efforts_of(parse_cleanup_line(said))
    except QuantityError as problem:
        return read_one("people", said, facts) if problem.code == "not_a_number" else _wrong(problem, said)
    people = line.pop("people", None)
    if people is None:
        return Wrong("people_missing")
    rest = {metric: effort.to_json() for metric, effort in line.items()}
    value = {**people.to_json(), **({REST: rest} if rest else {})}
    return _checked(value, (people, *line.values()), facts)


def read_one(metric: str, said: str, facts: Facts) -> Reading:
    """One figure of one metric; «没有» is zero vehicles or zero m³."""
    if metric != "people" and said in NONE_SAID:
        return Answer(Effort(metric, rules.PLAIN_UNIT[metric], 0).to_json())
    try:
        effort = rules.read_effort(said, metric)
    except QuantityError as problem:
        return _wrong(problem, said)
    return _checked(effort.to_json(), (effort,), facts)


def read_vehicles(said: str, facts: Facts) -> Reading:
    """«3», «3车», «2台次»."""
    return read_one("vehicles", said, facts)


def read_volume(said: str, facts: Facts) -> Reading:
    """«8», «8方», «8.5立方»."""
    return read_one("volume", said, facts)


def _checked(value: dict[str, Any], efforts: tuple[Effort, ...], facts: Facts) -> Reading:
    if any(effort.metric == "people" and not effort.milli for effort in efforts):
        return Wrong("nobody")
    odd = [effort for effort in efforts if rules.unlikely(effort, facts.policy.friday)]
    if odd:
        return Doubt(value, "unlikely", {"efforts": rules.efforts_line(odd)})
    return Answer(value)


def _wrong(problem: QuantityError, said: str) -> Wrong:
    return Wrong(f"effort_{problem.code}", {"said": said[:30]})


def rest_of(metric: str, answers: Mapping[str, Any]) -> Any:
    """What was said of a metric together with the people."""
    people = answers.get("people")
    return people.get(REST, {}).get(metric) if isinstance(people, Mapping) else None


def shown(metric: str, value: Mapping[str, Any]) -> Words:
    """A figure in the review."""
    return rules.effort_text(effort_from(metric, value))


def answers_of(efforts: Mapping[str, Effort], friday: Friday) -> tuple[dict[str, Any], tuple[Effort, ...]]:
    """Figures of a line as a form's answers, and those left out because they are unlikely and must be asked."""
    good = {metric: effort for metric, effort in efforts.items() if not rules.unlikely(effort, friday)}
    odd = tuple(effort for metric, effort in efforts.items() if metric not in good)
    nobody = [metric for metric, effort in good.items() if metric == "people" and not effort.milli]
    return {metric: effort.to_json() for metric, effort in good.items() if metric not in nobody}, odd
