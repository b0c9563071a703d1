"""The explicit list of capabilities, in the order in which they are asked what free words mean, and all they declare.

A command, form, timer, figure or anything else that two of them declare is an error at once, naming both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.talk.form import Form
from handlers.answers.capability import ANSWERS
from handlers.areas.capability import AREAS
from handlers.capability import Capability, Check, Command, Interpreter, OtherMatter, Timer, WholeLine, joined
from handlers.cases.capability import CASES
from handlers.county.capability import COUNTY
from handlers.declared import Declared
from handlers.digests.capability import DIGESTS
from handlers.disclosure.capability import DISCLOSURE
from handlers.duties.capability import DUTIES
from handlers.film.capability import FILM
from handlers.households.capability import HOUSEHOLDS
from handlers.people.capability import PEOPLE
from handlers.photos.capability import PHOTOS
from handlers.pins.capability import PINS
from handlers.points.capability import POINTS
from handlers.policy.capability import POLICY
from handlers.privacy.capability import PRIVACY
from handlers.push.capability import PUSH
from handlers.rewards.capability import REWARDS
from handlers.robots.capability import ROBOTS
from handlers.scenes.capability import SCENES
from handlers.todo.capability import TODO
from handlers.world import Desk
from storage.product.integrity import Reference

CAPABILITIES: tuple[Capability, ...] = (
    SCENES,
    PEOPLE,
    HOUSEHOLDS,
    PRIVACY,
    PINS,
    ROBOTS,
    PUSH,
    DUTIES,
    POINTS,
    REWARDS,
    FILM,
    PHOTOS,
    CASES,
    DISCLOSURE,
    DIGESTS,
    COUNTY,
    TODO,
    AREAS,
    POLICY,
    ANSWERS,
)
COMMANDS: Mapping[str, Command] = joined(CAPABILITIES, "command", lambda one: one.commands.items())
FORM_COMMANDS: Mapping[str, str] = joined(CAPABILITIES, "form command", lambda one: one.form_commands.items())
FORMS: Mapping[str, Form] = joined(CAPABILITIES, "form", lambda one: ((form.id, form) for form in one.forms))
INTERPRETERS: tuple[Interpreter, ...] = tuple(interpret for one in CAPABILITIES for interpret in one.intents)
NUMBERS: tuple[Interpreter, ...] = tuple(read for one in CAPABILITIES for read in one.numbers)
OTHER_MATTERS: tuple[OtherMatter, ...] = tuple(read for one in CAPABILITIES for read in one.other_matters)
WHOLE_LINES: Mapping[str, WholeLine] = joined(CAPABILITIES, "whole line", lambda one: one.whole_lines.items())
TIMERS: Mapping[str, Timer] = joined(CAPABILITIES, "timer", lambda one: one.timers.items())
PLANS: tuple[Callable[[Desk], Awaitable[None]], ...] = tuple(plan for one in CAPABILITIES for plan in one.plan)
CHECKS: Mapping[str, Check] = joined(CAPABILITIES, "check", lambda one: one.checks.items())
REFERENCES: tuple[Reference, ...] = tuple(reference for one in CAPABILITIES for reference in one.references)
DECLARED = Declared(
    figures=joined(CAPABILITIES, "figure", lambda one: ((figure.id, figure) for figure in one.figures)),
    waits=joined(CAPABILITIES, "wait", lambda one: ((wait.id, wait) for wait in one.waits)),
    sayings=joined(CAPABILITIES, "saying", lambda one: ((saying.id, saying) for saying in one.sayings)),
    readers=tuple(reader for one in CAPABILITIES for reader in one.readers),
    forgets=tuple(joined(CAPABILITIES, "kept", lambda one: ((forget.what, forget) for forget in one.forgets)).values()),
)
