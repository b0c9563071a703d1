"""Where a form stands, derived from its answers: which questions are on the path, which is next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Choice, Form, Found, FreeText, Photos, Place, Step, YesNo
from bot.talk.session import Frame


def path(form: Form, answers: Mapping[str, Any]) -> list[Step]:
    """The steps that these answers lead through."""
    return [step for step in form.steps if step.when(answers)]


def holds(step: Step, value: Any) -> bool:
    """Whether a stored answer still fits its step; one that doesn't is asked again."""
    if value is None:
        return step.optional
    if isinstance(step, Choice):
        return (value in step.options) if step.options else isinstance(value, dict)
    if isinstance(step, YesNo):
        return isinstance(value, bool)
    if isinstance(step, Photos):
        return isinstance(value, list)
    if isinstance(step, (Place, Found)):
        return isinstance(value, dict)
    return not isinstance(step, FreeText) or isinstance(value, str)


def complete(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers on the path, assumed ones included: what `submit` receives."""
    found: dict[str, Any] = {}
    for step in path(form, answers):
        if step.id in answers and holds(step, answers[step.id]):
            found[step.id] = answers[step.id]
        elif (assumed := step.assume(answers)) is not None:
            found[step.id] = assumed
    return found


def next_step(form: Form, answers: Mapping[str, Any]) -> Step | None:
    """The first question still open, or None when all is known."""
    known = complete(form, answers)
    return next((step for step in path(form, answers) if step.id not in known), None)


def earlier(form: Form, frame: Frame) -> Step | None:
    """The last answered question before the present one on the path, if any."""
    steps = path(form, frame.answers)
    asked = next((at for at, step in enumerate(steps) if step.id == frame.asked), len(steps))
    return next((step for step in reversed(steps[:asked]) if step.id in frame.answers), None)
