"""Every public function of `storage/` and with what to call it, on the rows of `tests.storage.rows`.

A new function needs nothing here when the names of its parameters are known (BY_NAME); else, or when it has branches
of its own, a line in CALLS. A function that nothing can be passed to fails `test_townships`, with its name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

import storage
from storage.database import Params, Row, Tx
from storage.machine import media, sessions, timers
from storage.people import claims, push, retention
from storage.product import cases, film, ledger
from storage.product.integrity import Reference
from storage.security import reporter_looks
from storage.vault.keyfile import make_key
from storage.vault.vault import Purpose, Vault
from tests.storage.rows import HASHES, MEDIA, TOKENS, VAULT

# Modules that are an engine, or speak to a server and not to a township's tables.
ENGINE = ("storage.database", "storage.engine", "storage.vault.vault", "storage.vault.keyfile", "storage.vault.sealing",
          "storage.vault.pseudonyms", "storage.vault.slow")  # fmt: skip
# The only functions that look beyond the township of their `tx`, and why.
CROSSING = {
    "townships.every_id": "a worker serves every township of the database",
    "townships.every_name": "the console and a county's page list the townships",
    "inbox.townships_waiting": "intake looks for townships with updates to handle",
    "holding.townships_holding": "the clock looks for townships with messages to let go",
    "timers.townships_due": "the clock looks for townships with something to do",
    "channel_faults.of_all": "doctor and the worker that writes troubles down look at every township's",
    "inbox.last_id": "new ids go on from the newest one anywhere, whatever the machine's clock says",
}
NEW, SOON_MS, NOW_MS, LATE_MS = 901, 5_000, 5_000, 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """An argument that is read in the same transaction first."""

    load: Callable[[Tx], Awaitable[Any]]


class Dice:
    """Chance that begins anew with each call."""

    def __init__(self) -> None:
        self.thrown = 0

    def token(self) -> str:
        self.thrown += 1
        return f"token {self.thrown}"


class SteadyVault(Vault):
    """Wraps the same key the same way each time."""

    def wrap(self, key: bytes, name: tuple[int, int, int]) -> bytes:
        return repr((key, name)).encode()


async def new_dice(_: Tx) -> Dice:
    return Dice()


def transfer(**other: Any) -> ledger.Transfer:
    values: dict[str, Any] = {
        "id": NEW, "source": "fund:county", "destination": "household:1", "amount": 7, "unit": "fen", "key": "new",
        "reason": "film", "ref": "ticket:1", "policy_version": 1, "at_ms": NOW_MS,
    }  # fmt: skip
    return ledger.Transfer(**{**values, **other})


async def drafted(tx: Tx) -> dict[str, Any]:
    """A photo of the first person, which their conversation speaks of."""
    row, session = await media.get(tx, MEDIA[0]), await sessions.of_person(tx, 1)
    assert row is not None and session is not None and session["body"]
    return {**dict(row), "ref": session["body"][:8]}


async def looked_at(tx: Tx) -> int:
    """The first case, after somebody has looked who reported it, of which its reporter has not heard yet."""
    for look_id, event in ((NEW, "asked"), (NEW + 1, "seen")):
        await reporter_looks.add(
            tx, look_id=look_id, request_id=NEW, case_id=1, event=event, person_id=2, why="pay", at_ms=NOW_MS
        )
    key = f"{reporter_looks.TELL}:{NEW}"
    timer = {"id": NEW, "kind": reporter_looks.TELL, "timer_key": key, "fire_ms": LATE_MS, "payload": "{}"}
    await timers.put(tx, [timer])
    return 1


async def new_ticket(tx: Tx) -> film.Ticket:
    """A ticket like the first one."""
    found = await film.ticket(tx, 1)
    assert found is not None
    return replace(found, id=NEW, number="2026-0901", corrects=None)


CASE = cases.Case(
    id=NEW, number="2026-0901", kind="dumping", area_id=1, place="桥头", landmark_id=None, lat=35.6, lng=104.6,
    datum="WGS-84", accuracy_m=20, cell=7, statement="", urgent=False, received_ms=NOW_MS, verify_due_ms=NOW_MS,
    late_ms=NOW_MS, maybe_duplicate_of=1, points=5, policy_version=1, claim_salt="s", claim_hash="h",
)  # fmt: skip
POINT = {"lat": 35.6, "lng": 104.6, "datum": "WGS-84"}
AREA = {"parent_id": 4, "level": "village", "code": "c1", "name": "新村", "aliases": "", "boundary": None, **POINT}
LANDMARK = {"village_id": 1, "name": "桥", "kind": "bridge", "aliases": "", **POINT}
STATION = {"village_id": 1, "code": "c1", "name": "站", "aliases": "", "phone": "", "hours": "", **POINT}
HOUSEHOLD = {
    "card_no": "N1", "householder": "张一", "village_id": 2, "area_id": 2, "phone": "", "members": "张一;李一",
    "status": "active",
}  # fmt: skip
REPORT = {
    "id": NEW, "day": "2026-01-01", "village_id": 1, "person_id": 1, "words": "", "photos": ["i1"], "replaces": None,
    "policy_version": 1, "at_ms": NOW_MS,
}  # fmt: skip
EFFORT = {"id": NEW, "metric": "people", "unit": "people", "value_milli": 12_000}
LETTER = {"id": NEW, "channel": "web", "update_key": "u1", "address": "web:1", "body": b"{}", "received_ms": NOW_MS}
MESSAGE = {
    "id": NEW, "person_id": 1, "channel": "web", "address": "web:1", "body": "{}", "media": (MEDIA[0],),
    "message_key": None, "urgent": 0, "created_ms": NOW_MS, "due_ms": NOW_MS, "expires_ms": None,
}  # fmt: skip
BROWSER = {"id": "b9", "p256dh": "p", "auth": "a", "server_key": "k"}
TIMER = {"id": NEW, "kind": "digest", "timer_key": "t901", "fire_ms": NOW_MS, "payload": "{}"}
FACTS = {"sha256": HASHES[0], "mime": "image/jpeg", "size_bytes": 5, "width_px": 6, "height_px": 4, **POINT}

# What to pass for a parameter of that name, where nothing else is said.
BY_NAME: dict[str, Any] = {
    **dict.fromkeys(("person_id", "owner_person_id", "operator_id", "by_person", "linked_by", "granted_by"), 1),
    **dict.fromkeys(("created_by", "decided_by", "imported_by", "household_id", "case_id", "area_id", "used_by"), 1),
    **dict.fromkeys(("village_id", "ticket_id", "claim_id", "role_id", "timer_id", "update_id", "row_id"), 1),
    **dict.fromkeys(("message_id", "heard_id", "subject_id", "entry_id"), 1),
    **dict.fromkeys(("invitation_id", "policy_version", "version"), 1),
    **dict.fromkeys(("stranger_id", "event_id", "try_id", "drop_id", "link_id", "consent_id", "id"), NEW),
    "reversal_id": NEW,
    "last_id": 2,
    "code_hash": "h",
    "purpose": Purpose.WORDS,
    "before_day": 2,
    "old": VAULT,
    "new": SteadyVault(make_key()),
    **dict.fromkeys(("now_ms", "at_ms", "entry_ms", "received_ms", "fire_ms", "planned_ms"), NOW_MS),
    **dict.fromkeys(("since_ms", "from_ms", "after_id"), 0),
    **dict.fromkeys(("until_ms", "before_ms", "before_id", "expires_ms"), LATE_MS),
    **dict.fromkeys(("note", "error", "name", "reason", "through", "body", "fault"), "words"),
    "limit": 10, "points": 5, "year": 2026, "people": 3, "change_fen": 100, "amount": 7, "effective_from_ms": 1_001,
    "from_person": 1, "to_person": 2, "anonymous": True, "is_cleanup": True,
    "address": "web:1", "addresses": ["web:1", "web:2"], "pseudonym": "erased:1", "channel": "web",
    "area_ids": [1, 2], "village_ids": {1, 2, 3, 4}, "person_ids": [1, 2], "ticket_ids": [1, 2], "ids": [1, 2],
    "number": "2026-0001", "code": "c9", "day": "2026-01-01", "event": "verified", "kind": "dumping",
    "language": "zh_CN", "state": "confirmed", "relation": "member", "role": "staff", "roles": ["staff", "cleaner"],
    "answer": "agreed", "county": "县", "province": "省", "fund": "county", "period": "2026", "cadence": "weekly",
    "part": "", "unit": "fen", "account": "household:1", "accounts": ["household:1", "person:1"],
    "sources": ["fund:county", "household:1"], "refs": ["case:1", "ticket:1"], "key": "k1",
    "media_id": MEDIA[0], "media_ids": [MEDIA[0], MEDIA[3]], "sha256": HASHES[0], "sha256s": list(HASHES),
    "first": HASHES[0][:2], "facts": FACTS, "png": b"png", "card_no": "N1", "said": "张一",
    "token_hash": TOKENS[0], "token": "words", "dice": Loaded(new_dice), "update_key": "u1",
    "verifier_id": 1, "month": "2026-11", "wait": "cases", "told": 3, "gathered_ms": NOW_MS,
    "subscription_id": "b1", "told_ms": NOW_MS,
    "message_key": "m1", "timer_key": "t1", "what": "case", "ref": "case:1",
    "claim_until_ms": LATE_MS, "settles_ms": LATE_MS,
    "case": Loaded(lambda tx: cases.case(tx, 1)), "ticket": Loaded(lambda tx: film.ticket(tx, 1)),
}  # fmt: skip

REFERENCES = (Reference("case_events", "case_id", "cases"), Reference("cases", "received_ms", "cases"))

# A function's calls, where one with the arguments above is not all there is to see: what differs in each.
CALLS: dict[str, Sequence[Mapping[str, Any]]] = {
    "walks.through": [{"what": "walk 1"}],
    "walks.is_open": [{"what": "seal.photos"}],
    "areas.set_township": [{"code": "c1"}],
    "case_vault.add_reporter": [{"case_id": NEW}],
    "joins.leading_to_reporters": [{"kept_days": 0, "set_apart": "t1"}],
    "reporter_looks.add": [{"look_id": NEW, "request_id": NEW, "why": "pay", "event": "asked"}],
    "reporter_looks.of_request": [{"request_id": 1}],
    "reporter_looks.untold_ms": [{"case_id": Loaded(looked_at)}, {"case_id": 2}],
    "reporter_looks.newest": [{}, {"area_ids": []}],
    "inbox.rewrite": [{"update_id": 1, "body": b"{}"}],
    "reward_watch.verifiers_of": [{"case_ids": [1, 2, 3]}, {"case_ids": []}],
    "reward_watch.hold": [{"why": "verifier", "row_id": NEW}],
    "reward_watch.is_held": [{"case_id": 4}],
    "reward_watch.end_hold": [{"by_id": 1, "case_id": 4}],
    "reward_watch.add_hints": [
        {"rows": [{"verifier_id": 9, "hint": "often", "times": 4, "of_cases": 5}]}
    ],
    "pins.keep": [{"hash_": "words"}, {"hash_": None}],
    "pins.add_event": [{"event": "right"}, {"event": "reset", "address": "", "by_id": 2}],
    "case_vault.owners": [{"case_ids": [1, 2, 3]}],
    "case_vault.rewarded": [{}, {"person_id": 77}],
    "case_vault.is_reporter": [{"case_id": 1, "person_id": 1}, {"case_id": 1, "person_id": 77}],
    "case_vault.was_anonymous": [{}, {"person_id": 77}],
    "claim_tries.add": [{"try_id": NEW}],
    "case_vault.points_since": [{}, {"person_id": 2}],
    "case_deadlines.due_by_area": [{"until_ms": 1_501}],
    "cases.add_case": [{"case": CASE}],
    "cases.first_near": [
        {"cells": cells, "lat": 35.6, "lng": 104.6, "reach": (0.5, 0.5), "kind": "dumping"} for cells in ([7], [])
    ],
    "cases.open_before": [{"case": replace(CASE, id=3, received_ms=LATE_MS)}],
    "cases.waiting": [{}, {"area_ids": [1, 2], "late_only": True}, {"area_ids": []}],
    "cases.undecided": [{}, {"area_ids": [1, 3]}],
    "cases.add_media": [{"case_id": NEW}],
    "cases.set_claim": [{"salt": "s2", "claim_hash": "h2"}],
    "case_vault.named_reports": [{"person_id": 1}, {"before_ms": NOW_MS}],
    "claims.add_claim": [{"claim_id": NEW, "household_id": 4}],
    "digests.add_run": [{"day": "2026-02-01", "unread_ms": 0}],
    "digests.undelivered_now": [{"unread_ms": 0}],
    "digests.run_of": [{}],
    "duties.cadence": [{"name": "weekly"}],
    "duties.planned": [{"name": "weekly"}, {"name": "new"}],
    "duties.add_drop": [{"period": "2026-W77"}],
    "duties.add_report": [{"report": REPORT, "entries": [EFFORT]}],
    "duties.report": [{"report_id": 3}],
    "duties.restore": [{"report_id": 3, "new_id": lambda: NEW + 70}],
    "duties.reports": [{}, {"village_id": 1}],
    "erasure.forget_keys": [{"pseudonym": "web:1"}],
    "erasure.forget_quota": [{"address": "web:91"}, {"address": "web:1"}],
    "film.add_ticket": [{"ticket": Loaded(new_ticket)}],
    "film.add_event": [{"kind": kind} for kind in ("counted", "reversed", "objected")],
    "film.same_again": [{"net_g": 15_000}],
    "film_figures.waiting": [{}, {"village_ids": ()}, {"village_ids": {1, 2, 3, 4}, "before_ms": 3_500}],
    "households.cards": [{}, {"village_id": 1}],
    "households.search": [
        {"said": "N1"}, {}, {"village_id": 1}, {"village_id": 2}, {"key": "张"}, {"key": "张", "village_id": 2},
        {"key": ""},
    ],
    "households.by_tail": [{"tail": "1"}, {"tail": "1", "village_ids": []}],
    "households.add_household_versions": [
        {"rows": [{"household_id": 1, "version": 2, **HOUSEHOLD}], "key_of": str.lower}
    ],
    "households.link_person": [{}, {"relation": "proxy"}],
    "integrity.reference_faults": [{"references": REFERENCES}],
    "channel_faults.over": [{"was": "no_answer", "until_ms": LATE_MS}],
    "channel_faults.lately": [{"after_ms": 0, "least_ms": least_ms} for least_ms in (0, 1)],
    "inbox.newest_alone": [{"after_id": 0, "among": 9}, {"after_id": 1, "among": 9}],
    "inbox.ids_of": [{"update_keys": ["u1", "u3", "u901"]}],
    "inbox.put": [{"rows": [LETTER, {**LETTER, "update_key": "u901"}]}],
    "inbox.put_off": [{"rows": [{"id": 1, "due_ms": LATE_MS}]}],
    "inbox.put_off_until": [{"addresses": ["web:2"]}],
    "inbox.of_address": [{}],
    "invitations.add_invitation": [
        {"invitation_id": NEW, "token_hash": TOKENS[0], "kind": "role", "role": "staff", "area_id": 1},
        {"invitation_id": NEW, "token_hash": "f" * 64, "kind": "link", "person_id": 1},
    ],
    "invitations.withdraw_codes": [{"person_id": 2}],
    "invitations.add_wrong_code": [{"row_id": NEW}],
    "invitations.open_for_roles": [{"now_ms": 1}],
    "invitations.withdraw_all_codes": [{"now_ms": 1}],
    "invitations.ask_to_join": [{"token_hash": TOKENS[1], "asked_by": 2}],
    "contact_events.add": [{"row_id": NEW, "channel": "web", "event": "joined"}],
    "ledger.transfer": [{"wanted": transfer()}, {"wanted": transfer(source="household:1", destination="person:1")}],
    "ledger.entries_of": [{}, {"but_about": "case"}],
    "ledger.reverse": [{"key": "k1"}],
    "media.add": [{"media_id": "i" + "f" * 31, "person_id": 1, "facts": FACTS}],
    "media.attach": [
        {"channel": channel, "media": [["image", MEDIA[0], 5], ["image", "r2", 5], ["image", "r901", 5]]}
        for channel in ("telegram", "web")
    ]
    + [{"channel": "web", "person_id": 2, "media": [["image", MEDIA[3], 5]]}],
    "media.fetched": [{"media_id": MEDIA[1]}],
    "media.refused": [{"media_id": MEDIA[1]}],
    "bundles.gather": [{"number": "2026-0901"}],
    "loose.in_a_draft": [{"row": Loaded(drafted)}],
    "senders.of_photo_has_history": [{"row": Loaded(lambda tx: media.get(tx, MEDIA[0]))}],
    "retention.erase_photos": [{"rows": Loaded(lambda tx: media.get_many(tx, [MEDIA[0], MEDIA[3]]))}],
    "following.followed": [{"media_id": MEDIA[3], "address": "web:4", "since_ms": 0}],
    "following.add_original": [
        {"address": f"web:{at + 1}", "photo": MEDIA[at], "mime": "image/jpeg",
         "size_bytes": 9, "sides_px": (9, 8)}
        for at in (0, 3)
    ],
    "following.of_person": [{"person_id": 2}],
    "following.originals_of": [{"media_ids": [MEDIA[3]]}],
    "following.with_originals": [{"photos": Loaded(lambda tx: media.get_many(tx, [MEDIA[0], MEDIA[3]]))}],
    "owners.owner": [{"row": Loaded(lambda tx: media.get(tx, MEDIA[0]))}],
    "owners.sealed_owner": [{"person_id": 1, "address": "web:1"}],
    "owners.seal_earlier": [{}],
    "earlier.seal_earlier": [{}],
    "belonging.standing_for": [{"by": None}, {"by": 2}],
    "belonging.opened": [{"rows": Loaded(claims.all_pending), "by": "decided_by"}],
    "owners.grant": [{"media_ids": [MEDIA[2], MEDIA[3]]}],
    "owners.may_see": [{"media_id": one, "address": address} for one in MEDIA for address in ("web:1", "web:2")],
    "numbers.next_number": [{"series": series} for series in ("cases", "film")],
    "outbox.due": [{}, {"but": ["web"]}, {"of": "web"}],
    "outbox.unreadable": [{"after_ms": 0}],
    "outbox.put_in_reply": [{"message_id": at} for at in (2, 3, 4)],
    "outbox.let_go": [{"message_id": 2}],
    "outbox.numbered": [{"address": "web:2"}, {"address": "web:3"}],
    "outbox.take_number_back": [{"message_id": 2, "late": late} for late in (True, False)],
    "outbox.number_choices": [{}, {"message_id": 3, "address": "web:3"}],
    "outbox.shown": [{}, {"address": "web:3"}],
    "outbox.shown_until": [{}, {"address": "web:3"}],
    "outbox.holds_delivery": [{"fence": fence} for fence in (11, 12)],
    "outbox.put": [{"rows": [MESSAGE, {**MESSAGE, "id": NEW + 1, "message_key": None, "card": "menu", "changes": 2}]}],
    "outbox.card_under": [{"card": "case:2026-0001", "address": "web:2", "ref": "17"}],
    "outbox.shown_cards": [{"card": "case:2026-0001"}, {"card": "menu"}],
    "outbox.mark": [
        {
            "sent": [{"id": 1, "sent_ms": NOW_MS}],
            "again": [{"id": 2, "attempts": 2, "error": "words"}],
            "ended": [{"id": 4, "state": "expired", "error": "words"}],
            "named": [{"id": 3, "ref": "18"}],
        }
    ],
    "outbox.of_address": [{}, {"newest": True}],
    "wechat.is_under_way": [{"address": address} for address in ("web:1", "web:3")],
    "outbox.waiting_for": [{"address": "web:2"}],
    "holding.release_for": [{"person_ids": [4], "now_ms": 3}],
    "holding.held_until": [{}, {"now_ms": 3}],
    "wanted.wanted_for": [{"person_id": 3, "since_ms": 0}],
    "wanted.append": [{"case_id": 2, "media_ids": [MEDIA[3]]}],
    "holding.release": [{"rows": [{"id": 4, "new_id": NEW, "ref": "17", "now_ms": NOW_MS}]}],
    "holding.reword": [{"message_id": 4, "body": "words"}],
    "people.add_person": [{"person_id": NEW}],
    "people.person": [{}, {"person_id": 3}],
    "people.set_person": [{"values": {"name": "words", "language": "en"}}],
    "people.add_contact": [{}, {"address": "web:901"}],
    "people.seen": [{"rows": [("web:3", NOW_MS)]}],
    "people.looks": [{"address": "web:1", "now_ms": LATE_MS}],
    "people.set_contact_state": [{"state": "unreachable"}],
    "people.grant": [{"role_id": NEW}],
    "page_sessions.take": [{"from_ms": LATE_MS}],
    "policies.add_policy": [{}],
    "push.subscribe": [{"browser": {**BROWSER, "endpoint": f"https://push.example.cn/{at}"}} for at in (2, 9)],
    "push.untold": [{"browser": Loaded(lambda tx, at=at: push.subscription(tx, at))} for at in ("b1", "b2")],
    "push.want": [{"waiting": [(NEW, "web:1", NOW_MS), (NEW + 1, "web:77", NOW_MS)]}],
    "push.erase_unused": [{}, {"before_ms": 2_000}],
    "rewards.set_granted": [{"granted": granted} for granted in (True, False)],
    "retention.erase_ranges": [{"steps": steps} for steps in (retention.WORDS, retention.ERRORS, retention.PLACES)],
    "sessions.save": [{"rows": [{"person_id": at, "body": "{}", "updated_ms": NOW_MS} for at in (1, NEW)]}],
    "timers.put": [{"rows": [TIMER, {**TIMER, "id": NEW + 1, "timer_key": "t1"}]}],
    "verdicts.undecide": [{"case_id": 2}],
    "reversals.add_reversal": [{"kind": kind} for kind in ("withdrawn", "overturned")],
    "timers.due": [{}, {"kinds": ["digest"]}, {"kinds": ["digest"], "among": True}],
    "versions.current": [{"table": table} for table in ("areas", "landmarks", "stations", "households")],
    "versions.history": [{"table": table} for table in ("areas", "landmarks", "stations", "households")],
    "versions.add_versions": [
        {"table": table, "rows": [{f"{table[:-1]}_id": 1, "version": 2, **row}]}
        for table, row in (
            ("areas", AREA), ("landmarks", LANDMARK), ("stations", STATION), ("households", HOUSEHOLD),
        )
    ],
    "webchat.is_coming_before": [{"message_id": 4}],
    "webchat.language_of": [{}],
    "wecom.put_name": [{"name": "li"}, {"person_id": NEW}],
    "wecom.name_of": [{}, {"person_id": NEW}],
    "wecom.forget": [{}, {"person_id": NEW}],
    "wecom.move": [{}, {"to_person": 3}, {"from_person": 3}],
    "wecom.last_ended": [{}, {"address": "web:3"}],
}  # fmt: skip


def public_functions() -> Iterator[tuple[str, Callable[..., Awaitable[Any]]]]:
    """`module.function` and the function, for all that is not an engine's."""
    for module in pkgutil.walk_packages(storage.__path__, "storage."):
        if module.ispkg or module.name.startswith(ENGINE):
            continue
        found = importlib.import_module(module.name)
        stem = module.name.rpartition(".")[2]
        for name, one in vars(found).items():
            if name.startswith("_") or getattr(one, "__module__", "") != found.__name__:
                continue
            if inspect.isclass(one):
                loose = [each for each, method in vars(one).items() if inspect.iscoroutinefunction(method)]
                assert not loose, f"{module.name}.{name}.{loose[0]}: a function with a `tx`, or ENGINE here"
            elif inspect.iscoroutinefunction(one):
                yield f"{stem}.{name}", one


def calls_of(name: str, function: Callable[..., Any]) -> list[dict[str, Any]]:
    """The keyword arguments of each call."""
    first, *parameters = inspect.signature(function).parameters.values()
    assert first.name == "tx", f"storage.{name}: its first parameter is `tx`, or its module an engine's"
    calls = []
    for said in CALLS.get(name, [{}]):
        arguments: dict[str, Any] = {}
        for one in parameters:
            if one.kind is one.VAR_KEYWORD:
                arguments |= said[one.name]
            elif one.name in said:
                arguments[one.name] = said[one.name]
            elif one.default is one.empty:
                assert one.name in BY_NAME, f"storage.{name}: say in tests/storage/surface.py what `{one.name}` may be"
                arguments[one.name] = BY_NAME[one.name]
        unknown = set(said) - {one.name for one in parameters}
        assert not unknown, f"storage.{name} has no parameter {sorted(unknown)}"
        calls.append(arguments)
    return calls


async def call(tx: Tx, function: Callable[..., Awaitable[Any]], arguments: Mapping[str, Any]) -> Any:
    """What a function answers, in plain values."""
    ready = {name: await one.load(tx) if isinstance(one, Loaded) else one for name, one in arguments.items()}
    return plain(await function(tx, **ready))


class Spy:
    """A transaction that notes every statement."""

    def __init__(self, tx: Tx, noted: set[str]) -> None:
        self._tx = tx
        self._noted = noted
        self.township_id = tx.township_id
        self.sealing = tx.sealing

    async def one(self, sql: str, params: Params | None = None) -> Row | None:
        self._noted.add(sql)
        return await self._tx.one(sql, params)

    async def all(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        self._noted.add(sql)
        return await self._tx.all(sql, params)

    async def run(self, sql: str, params: Params | None = None) -> int:
        self._noted.add(sql)
        return await self._tx.run(sql, params)

    async def many(self, sql: str, rows: Sequence[Params]) -> None:
        self._noted.add(sql)
        await self._tx.many(sql, rows)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self._tx.savepoint()

    def at(self, township_id: int) -> Spy:
        return Spy(self._tx.at(township_id), self._noted)

    async def notify(self, topic: str, payload: str) -> None:
        await self._tx.notify(topic, payload)


def plain(answer: Any) -> Any:
    """Rows as tuples; lists, whose order may not be promised, in a fixed one."""
    if isinstance(answer, Mapping):
        return {key: plain(one) for key, one in answer.items()}
    if isinstance(answer, set | frozenset):
        return sorted(answer, key=repr)
    if isinstance(answer, list):
        return sorted((plain(one) for one in answer), key=repr)
    if hasattr(answer, "keys"):
        return tuple(plain(answer[name]) for name in answer.keys())  # noqa: SIM118
    return tuple(plain(one) for one in answer) if type(answer) is tuple else answer
