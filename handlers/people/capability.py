"""People, their roles and what they call themselves: what they declare."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.declared import Forget, Saying
from handlers.people import guide, invitations, links, profile, roles, vacancies
from handlers.said import opens, runs, the_places

PEOPLE = Capability(
    name="people",
    commands={
        "help": Command(guide.help_),
        "more": Command(guide.more, takes=takes.a_count),
        "unknown": Command(guide.unknown),
        "join": Command(invitations.join),
        "withdraw": Command(invitations.withdraw, "invite"),
        "link": Command(links.link, takes=takes.a_code),
        "joining": Command(links.joining),
        "me": Command(profile.me),
        "name": Command(profile.name, takes=takes.a_name),
        "language": Command(profile.language, takes=profile.names_a_language),
        "reminders": Command(profile.reminders, takes=profile.says_on_or_off),
        "stop": Command(profile.no_reminders),
        "snooze": Command(profile.snooze, takes=takes.a_count),
        "roles": Command(roles.roles, "manage_roles", takes=takes.a_count),
        "who": Command(roles.who, takes=roles.names_an_area),
    },
    form_commands={"invite": "invite", "revoke": "revoke", "name": "name"},
    forms=(invitations.INVITE, roles.REVOKE, roles.WHO, profile.NAME),
    intents=(invitations.pasted_link, links.code_sent),
    sayings=(
        Saying("help", guide.asked_how),
        Saying("who", runs("who", the_places), anytime=True),
        Saying("invite", invitations.asked, "invite"),
        Saying("revoke", opens("revoke"), "invite"),
        Saying("roles", runs("roles"), "manage_roles"),
        Saying("rename", opens("name")),
        Saying("language", runs("language")),
        Saying("reminders", runs("reminders")),
        Saying("stop", runs("stop"), anytime=True),
        Saying("snooze", runs("snooze")),
        Saying("me", runs("me"), anytime=True),
        Saying("link", runs("link")),
    ),
    timers={profile.SNOOZED: profile.snooze_over},
    checks={"no joining code was guessed at": links.codes_guessed},
    forgets=(Forget("roles, households, claims, invitations", of_person=vacancies.end_links),),
    pages=("villager.md", "cleaner.md", "staff.md", "operator.md"),
    without={
        "figures": "people are not counted",
        "waits": "an invitation waits for the one who got it",
    },
)
