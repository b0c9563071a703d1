"""Structured logs to standard error: readable on a terminal, JSON otherwise; secrets never reach them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

MASK = "***"


def configure(level: str, secrets: Iterable[str] = ()) -> None:
    """Set up structlog, and send the standard library's records the same way."""
    hidden = [secret for secret in secrets if len(secret) >= 6]
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _Redactor(hidden),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if on_terminal()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _Redactor(hidden), renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "apscheduler", "aiosqlite", "telegram", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def on_terminal() -> bool:
    """Whether somebody watches: output or log goes to a terminal."""
    return sys.stderr.isatty() or sys.stdout.isatty()


class _Redactor:
    """Replaces known secrets wherever they stand in a record."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = secrets

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            if isinstance(value, str):
                event[name] = self._masked(value)
        return event

    def _masked(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, MASK)
        return value
