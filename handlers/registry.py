"""One explicit table: command → action, form id → form, timer → action, what may interpret free words.

A capability's lines stand together. `FORM_COMMANDS` are the commands that just open a form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.talk.form import Form
from bot.talk.session import Frame
from bot.turn import Intent
from handlers import photos
from handlers.cases import claiming, deciding, opening, showing
from handlers.cases import forms as case_forms
from handlers.county import actions as county
from handlers.digests import actions as digests
from handlers.duties import forms as duty_forms
from handlers.duties import reminders, report, rollcall
from handlers.film import correct, decide, look, objections, weighing_line
from handlers.film import forms as film_forms
from handlers.people import consent, guide, homes, invitations, links, privacy, profile, retention, roles
from handlers.points import actions as accounts
from handlers.robots import naming, rules
from handlers.scenes import actions as scenes
from handlers.world import Desk, Turn

Action = Callable[[Turn, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """What a command runs, and the right it needs (a key of `people.rules.RIGHTS`; "" for everyone)."""

    action: Action
    right: str = ""


COMMANDS: Mapping[str, Command] = {
    # people
    "start": Command(scenes.start),
    "help": Command(guide.help_),
    "more": Command(guide.more),
    "unknown": Command(guide.unknown),
    "join": Command(invitations.join),
    "withdraw": Command(invitations.withdraw, "invite"),
    "link": Command(links.link),
    "me": Command(profile.me),
    "name": Command(profile.name),
    "language": Command(profile.language),
    "reminders": Command(profile.reminders),
    "stop": Command(profile.no_reminders),
    "snooze": Command(profile.snooze),
    "privacy": Command(privacy.privacy),
    "roles": Command(roles.roles, "manage_roles"),
    "who": Command(roles.who),
    "proxy": Command(homes.proxy),
    "unbind": Command(homes.leave),
    "claims": Command(homes.waiting, "confirm_household"),
    "member": Command(homes.member, "confirm_household"),
    # cases
    "report": Command(opening.report),
    "mycases": Command(showing.my_cases),
    "case": Command(showing.case_command),
    "cases": Command(showing.waiting_cases, "see_cases"),
    "reporter": Command(showing.reporter_command, "see_reporter"),
    "verify": Command(deciding.verify, "verify_case"),
    "claim": Command(claiming.claim),
    # film
    "weigh": Command(weighing_line.command, "weigh_film"),
    "tickets": Command(look.today, "weigh_film"),
    "ticket": Command(look.one),
    "weight": Command(decide.command, "approve_weight"),
    "object": Command(objections.command),
    "objection": Command(objections.decide_command, "correct_film"),
    "correct": Command(correct.command, "correct_film"),
    # points and subsidies
    "points": Command(accounts.points),
    "subsidy": Command(accounts.subsidy),
    "subsidies": Command(accounts.subsidy),
    # duties and digests
    "cleanup": Command(report.cleanup, "report_cleanup"),
    "rollcall": Command(rollcall.rollcall, "see_rollcall"),
    "friday": Command(rollcall.friday, "see_rollcall"),
    "wecom": Command(naming.command, rules.RIGHT),
    # county; without a township's name `/digest` is the person's own township's
    "digest": Command(county.digest, "ask_digest"),
    "townships": Command(county.townships, "see_county"),
}
FORM_COMMANDS: Mapping[str, str] = {
    # people
    "invite": "invite",
    "revoke": "revoke",
    "name": "name",
    "household": "household",
    "erase": "erase",
    # film
    "object": "object_ticket",
    "correct": "correct_ticket",
}
FORMS: Mapping[str, Form] = {
    # people
    "consent": consent.CONSENT,
    "invite": invitations.INVITE,
    "revoke": roles.REVOKE,
    "who": roles.WHO,
    "name": profile.NAME,
    "household": homes.HOUSEHOLD,
    "erase": privacy.ERASE,
    # cases
    "report": case_forms.REPORT,
    "reject_case": case_forms.REJECT_CASE,
    "duplicate_case": case_forms.DUPLICATE_CASE,
    # film
    **film_forms.FORMS,
    # duties
    "cleanup": duty_forms.CLEANUP,
    naming.FORM: naming.WECOM,
}
TIMERS: Mapping[str, Callable[[Desk, Mapping[str, Any]], Awaitable[None]]] = {
    # people
    privacy.FORGET: privacy.forget_rest,
    privacy.SWEEP: privacy.sweep,
    retention.RETENTION: retention.erase,
    profile.SNOOZED: profile.snooze_over,
    # photos
    "media.fetch": photos.media_fetched,
    retention.FILES: photos.media_erased,
    # cases
    claiming.EXPIRE: claiming.expire,
    claiming.FORGET: claiming.forget,
    # duties and digests
    "friday.reminder": reminders.reminder_due,
    "friday.rollcall": reminders.rollcall_due,
    "digest.send": digests.digest_due,
}
INTERPRETERS: tuple[Callable[[Turn], Awaitable[Intent | None]], ...] = (
    # people
    scenes.pasted_code,
    invitations.pasted_link,
    roles.asks_who,
    # duties
    naming.interpret,
    report.interpret,
    # film
    weighing_line.interpret,
    # cases
    opening.interpret,
)
WHOLE_LINES: Mapping[str, Callable[[Turn, Frame], Awaitable[Intent | None]]] = {
    report.FORM: report.again,
    weighing_line.FORM: weighing_line.again,
}
PLANS: tuple[Callable[[Desk], Awaitable[None]], ...] = (
    # people
    privacy.plan,
    retention.plan,
    # cases
    claiming.plan,
    # duties and digests
    reminders.plan,
    digests.plan,
)
