"""The three errors that carry a decision. Anything else is a defect and goes to quarantine."""

from __future__ import annotations


class PersonError(Exception):
    """A person's mistake: nothing is written, and the catalogue's `error.<code>` says what to do next.

    `step` names the form step to go back to, if any; `fields` fill the text's placeholders.
    """

    def __init__(self, code: str, *, step: str | None = None, **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.step = step
        self.fields = fields


class RetryLater(Exception):
    """The far side can't take a message now; try again after `after_ms`. `everyone`: nor anything else, of anybody.

    `fault` is then the code of the trouble (`trouble.<fault>`), the reason itself unless it is given.
    """

    def __init__(self, after_ms: int, reason: str, *, everyone: bool = False, fault: str = "") -> None:
        super().__init__(reason)
        self.after_ms = after_ms
        self.reason = reason
        self.everyone = everyone
        self.fault = (fault or reason) if everyone else ""


class NoAnswer(RetryLater):
    """The far side can't be reached, or says nothing that can be understood."""

    def __init__(self, after_ms: int, reason: str) -> None:
        super().__init__(after_ms, reason, everyone=True, fault="no_answer")


class GiveUp(Exception):
    """The far side will never take this message. `unreachable` marks the contact so that nothing more is tried."""

    def __init__(self, code: str, *, unreachable: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.unreachable = unreachable
