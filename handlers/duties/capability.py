"""The weekly clean-up, its reminders and its roll-call: what they declare."""

from __future__ import annotations

from handlers import takes
from handlers.capability import Capability, Command
from handlers.declared import Saying
from handlers.duties import alone, days, forms, reminders, report, rollcall, undoing
from handlers.said import runs, the_day
from storage.product.integrity import Reference

DUTIES = Capability(
    name="duties",
    commands={
        "cleanup": Command(report.cleanup, report.RIGHT, takes=report.is_report),
        "uncleanup": Command(undoing.command, report.RIGHT),
        "rollcall": Command(rollcall.rollcall, rollcall.RIGHT, takes=takes.a_day),
        "friday": Command(rollcall.friday, rollcall.RIGHT, takes=takes.a_day),
    },
    forms=(forms.CLEANUP, alone.FIGURE_FOR),
    hints={report.FORM: frozenset({days.UNSAID})},
    intents=(report.interpret, alone.interpret),
    sayings=(
        Saying("cleanup", report.told, report.RIGHT),
        Saying("rollcall", runs("rollcall", the_day), rollcall.RIGHT, anytime=True),
        Saying("friday_state", runs("friday", the_day), rollcall.RIGHT, anytime=True),
        Saying("friday_when", rollcall.when, anytime=True),
    ),
    other_matters=(report.surely,),
    whole_lines={report.FORM: report.again},
    timers={"friday.reminder": reminders.reminder_due, "friday.rollcall": reminders.rollcall_due},
    plan=(reminders.plan,),
    references=(
        Reference("cleanup_reports", "replaces", "cleanup_reports"),
        Reference("effort_entries", "report_id", "cleanup_reports"),
    ),
    pages=("cleaner.md", "staff.md"),
    without={
        "figures": "a clean-up is counted by its day, not by a stretch of time: the roll-call does that",
        "waits": "who has not reported is on the roll-call, which has a time of its own",
        "checks": "beside its references nothing is stored twice",
        "forgets": "who reported for a village did so in office; an erased person has no name any more",
    },
)
