"""`python -m tests.ahead MS run …` is `python -m bot run …` with a clock that is so many milliseconds ahead."""

from __future__ import annotations

import sys
import time

from bot import clock
from bot.__main__ import app


def main() -> None:
    """Take the milliseconds off the command line, and run the rest."""
    ahead_ms = int(sys.argv.pop(1))
    clock.SystemClock.now_ms = lambda self: time.time_ns() // 1_000_000 + ahead_ms  # type: ignore[method-assign]
    app()


if __name__ == "__main__":
    main()
