"""People, their roles and households, and what is kept about them: what they declare."""

from __future__ import annotations

from handlers.capability import Capability, Command
from handlers.declared import Forget
from handlers.people import consent, guide, homes, invitations, links, privacy, profile, retention, roles, waits

PEOPLE = Capability(
    name="people",
    commands={
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
        "claims": Command(homes.waiting, homes.RIGHT),
        "member": Command(homes.member, homes.RIGHT),
    },
    form_commands={"invite": "invite", "revoke": "revoke", "name": "name", "household": "household", "erase": "erase"},
    forms=(
        consent.CONSENT,
        invitations.INVITE,
        roles.REVOKE,
        roles.WHO,
        profile.NAME,
        homes.HOUSEHOLD,
        privacy.ERASE,
    ),
    intents=(invitations.pasted_link, roles.asks_who),
    timers={
        privacy.FORGET: privacy.forget_rest,
        privacy.SWEEP: privacy.sweep,
        retention.RETENTION: retention.erase,
        profile.SNOOZED: profile.snooze_over,
    },
    plan=(privacy.plan, retention.plan),
    waits=(waits.CLAIMS,),
    forgets=(
        Forget("roles, households, claims, invitations", of_person=privacy.end_links),
        Forget("conversations", of_age=retention.conversations),
        Forget("words", of_age=retention.words),
        Forget("errors", of_age=retention.errors),
    ),
    pages=("villager.md", "cleaner.md", "staff.md", "operator.md"),
    without={
        "figures": "people are not counted",
        "checks": "whoever is joined or erased stays a row; the machine's checks look at their sessions",
    },
)
