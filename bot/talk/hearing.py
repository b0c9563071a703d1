"""What typed words are to an open question: one of its buttons, its exact answer, a way out, free words. Pure.

`hear` is the one place that decides it, in that order. The shell (`bot/incoming/ladder.py`) asks it before it looks for
commands and other matters in the words, and the engine when it takes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bot.talk.form import Answer, Choice, Doubt, Form, Option, Reading, YesNo
from bot.talk.frozen import dataclass
from bot.talk.messages import In
from bot.talk.session import REVIEW, Frame

BACK, SKIP, CANCEL, DONE, SUBMIT, CONFIRM, RETYPE = "<", ">", "x", "ok", "!", "yes", "no"
CHOOSE, EDIT = "=", "@"
FILLER = "~"  # «吧», «那就»: adds nothing to what the words around it mean
ALWAYS = (CANCEL, BACK)  # can be typed although the screen has no such button
BY_MEANING = (*ALWAYS, SKIP, DONE)  # undone by going on: words that only mean it are enough
LONGEST_MEANT = 20
_MARKED = re.compile(r"\W*(?:[0-9]{1,3}|[A-Za-z]{1,2})\s*[】\])）」、.．:：,，)]\s*(\w.*)", re.DOTALL)

Rung = Literal["button", "answer", "free", "nothing"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What words are to the open question: a button (`verb`), its answer, words that it takes as they are, or nothing.

    `reading` is what its step read, if it was asked.
    """

    rung: Rung
    verb: str = ""
    reading: Reading | None = None


def hear(
    form: Form,
    frame: Frame,
    event: In,
    facts: Any,
    words: Mapping[str, Sequence[str]],
    found: Sequence[Option] | None = None,
) -> Heard:
    """Read typed words.

    `words` maps bare control words («取消») to verbs; `found` is what the asked step's `search` found for the words,
    None before it was asked.
    """
    if verb := typed_choice(form, frame, event.text):
        return Heard("button", verb)
    step = form.step(frame.asked)
    reading = step.read(event, facts) if step is not None and step.search is None and step.when(frame.answers) else None
    if isinstance(reading, Doubt) or (isinstance(reading, Answer) and reading.exact):
        return Heard("answer", reading=reading)
    if verb := typed_control(form, frame, event.text, words):
        return Heard("button", verb)
    if found:
        return Heard("answer" if any(option.exact for option in found) else "free")
    return Heard("free" if isinstance(reading, Answer) else "nothing", reading=reading)


def typed_choice(form: Form, frame: Frame, said: str) -> str:
    """The verb of the button whose label or number was typed («河道垃圾», «3», «3、河道垃圾»), or ""."""
    plain = bare(said)
    if not plain:
        return ""
    marked = _MARKED.fullmatch(said)
    alike = {plain, bare(marked[1])} if marked else {plain}
    for label, verb in frame.menu:
        if bare(label) in alike:
            return verb
    choices = [verb for _, verb in frame.menu if verb[0] in (CHOOSE, EDIT) or verb in (SUBMIT, CONFIRM, RETYPE)]
    step = form.step(frame.asked)
    numbered = frame.asked == REVIEW or frame.offered or isinstance(step, (Choice, YesNo))
    if numbered and plain.isascii() and plain.isdigit() and 1 <= int(plain[:4]) <= len(choices):
        return choices[int(plain[:4]) - 1]
    return ""


def typed_control(form: Form, frame: Frame, said: str, words: Mapping[str, Sequence[str]]) -> str:
    """The verb that words stand for by what they mean («退出», «算了不报了», «没照片»), or ""."""
    possible = {verb for _, verb in frame.menu} | (set(ALWAYS) if form.cancel else set())
    plain = bare(said)
    exactly = next((verb for verb in words.get(plain, ()) if verb in possible), "")
    return exactly or next((verb for verb in BY_MEANING if verb in possible and _means(plain, verb, words)), "")


def _means(plain: str, verb: str, words: Mapping[str, Sequence[str]]) -> bool:
    """Whether words are nothing but ways to say `verb`, with fillers between."""
    if len(plain) > LONGEST_MEANT:
        return False
    reached = {0: False}  # how far the words were read → whether the verb was among them
    for at in range(len(plain)):
        if at not in reached:
            continue
        for end in range(at + 1, len(plain) + 1):
            verbs = words.get(plain[at:end], ())
            if verb in verbs or FILLER in verbs:
                reached[end] = reached.get(end, False) or reached[at] or verb in verbs
    return reached.get(len(plain), False)


def bare(label: str) -> str:
    """Letters and digits only, lower case: how a typed label is compared with a shown one."""
    return "".join(character for character in label.lower() if character.isalnum())
