"""A question whose answer nobody may read afterwards: digits that are known to one person alone. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

from bot.talk.form import Answer, Form, Reading, Step, Wrong
from bot.talk.messages import In, Wanted
from bot.talk.session import Frame
from bot.talk.typed import is_command

LEAST_DIGITS, MOST_DIGITS = 6, 12
# Also what is only like an answer is not left standing: a digit too few, words beside it («密码是 482913»).
_LIKE_ONE = re.compile(r"\d(?:[\s-]*\d){3}")


@dataclass(frozen=True, kw_only=True)
class Secret(Step):
    """Six to twelve digits. Only a form's last question may be one: its answer goes to `submit` and is kept nowhere."""

    kind: ClassVar[str] = "secret"
    ask: ClassVar[Wanted] = "secret"

    def read(self, event: In, facts: Any) -> Reading:
        said = digits_of(event.text) if event.kind == "text" else ""
        if said.isascii() and said.isdigit() and LEAST_DIGITS <= len(said) <= MOST_DIGITS:
            return Answer(said)
        return Wrong("digits", {"min": LEAST_DIGITS, "max": MOST_DIGITS})


def digits_of(said: str) -> str:
    """Typed digits as they are compared: of one width, without spaces («４８２ ９１３»)."""
    return "".join(unicodedata.normalize("NFKC", said).split())


def tells_a_secret(form: Form | None, frame: Frame | None, event: In) -> bool:
    """Whether words answer a secret question, or look as if they were meant to."""
    step = form.step(frame.asked) if form is not None and frame is not None else None
    if not isinstance(step, Secret) or event.kind != "text" or is_command(event.text):
        return False
    return _LIKE_ONE.search(unicodedata.normalize("NFKC", event.text)) is not None


def without_secrets(form: Form, frame: Frame) -> Frame:
    """The frame as it may be stored: the answers of secret questions are not."""
    kept = {key: value for key, value in frame.answers.items() if not isinstance(form.step(key), Secret)}
    return (
        frame if len(kept) == len(frame.answers) else Frame(frame.form, kept, frame.asked, frame.rev, menu=frame.menu)
    )
