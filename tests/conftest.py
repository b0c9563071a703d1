"""What tests of several folders share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial

import aiosqlite.core
import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer

# How long an example takes is the machine's business: it may have other things to do.
settings.register_profile("house", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A test that fails may leave a database open; its threads must not keep the whole run from ending.
aiosqlite.core.Thread = partial(threading.Thread, daemon=True)  # type: ignore[misc,assignment]


# Operators are told things in the language of their system, tests in English unless they say otherwise.
os.environ.pop("LANGUAGE", None)
os.environ["LC_ALL"] = "C.UTF-8"


@pytest.fixture(autouse=True)
def loggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test's program sets up of the log ends with it: the next test's may be captured."""
    configure = structlog.configure
    monkeypatch.setattr(
        structlog, "configure", lambda **named: configure(**named | {"cache_logger_on_first_use": False})
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test process's own."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[PostgresServer]:
    """One that may crash: it keeps what it has acknowledged."""
    server = PostgresServer(durable=True)
    yield server
    server.stop()
