"""The real program as a process of its own, on a free port of 127.0.0.1, with the example township."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.example import EXAMPLE, ROOT
from tests.ports import free_port

START_S = 60
STOP_S = 15
SETTINGS = ("DATABASE_URL", "PUBLIC_URL", "TELEGRAM_TOKEN", "TELEGRAM_API_URL", "TELEGRAM_MODE", "TIMEZONE", "LANGUAGE")


def awake(folder: Path) -> Path:
    """A copy of the example township without quiet hours, and whose decisions take effect at once: tests run at any
    hour, and soon."""
    if not folder.exists():
        shutil.copytree(EXAMPLE, folder)
        policy = folder / "policy.toml"
        hours = r"(\[quiet\][^\n]*\nstart = )[0-9:]+(\nend = )[0-9:]+"
        text, changed = re.subn(hours, r"\g<1>00:00:00\g<2>00:00:00", policy.read_text("utf-8"))
        text, others = re.subn(r"(\[undo\]\nminutes = )[0-9]+", r"\g<1>0", text)
        assert changed == others == 1
        policy.write_text(text, "utf-8")
    return folder


class Program:
    """`python -m bot run --example examples/township`; it can be killed and started again on the same data.

    Its clock is ahead of the machine's by `ahead_ms`; with None it has the machine's, and no quiet hours. `settings`
    are further ones.
    """

    def __init__(self, data_dir: Path, *, ahead_ms: int | None = None, **settings: str) -> None:
        self.data_dir = data_dir
        self._settings = settings
        self._ahead_ms = ahead_ms
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._printed = data_dir / "printed.txt"
        self._complaints = data_dir / "complaints.txt"

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        return kept | {
            "DATA_DIR": str(self.data_dir / "data"),
            "WEB_HOST": "127.0.0.1",
            "WEB_PORT": str(self.port),
            "LOG_LEVEL": "ERROR",
            **self._settings,
        }

    def start(self) -> None:
        """Start and wait until it answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self._ahead_ms is None:
            bot, example = ["bot"], awake(self.data_dir / "township")
        else:
            bot, example = ["tests.ahead", str(self._ahead_ms)], EXAMPLE
        command = [sys.executable, "-m", *bot, "run", "--example", str(example)]
        with self._printed.open("ab") as printed, self._complaints.open("ab") as complaints:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=printed, stderr=complaints, stdin=subprocess.DEVNULL
            )
        give_up = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, f"the program stopped: {self.complaints()}"
            assert time.monotonic() < give_up, f"the program does not answer: {self.complaints()}"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return "serves at" in self._printed.read_text("utf-8")
        except OSError:
            return False

    def join_links(self) -> dict[str, str]:
        """Role → the link that the program printed when it started for the first time."""
        return dict(re.findall(r"(\w+)\s+(http://\S+\?join=\S+)", self._printed.read_text("utf-8")))

    def passes(self, seconds: float) -> None:
        """The next start finds the clock so much later."""
        assert self._ahead_ms is not None
        self._ahead_ms += int(seconds * 1000)

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def stop(self) -> None:
        """Ask it to stop; kill it if it hangs. Fails the run when it had complained or did not stop by itself."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._process = None
        assert code == 0, f"the program ended with {code}: {self.complaints()}"

    def complaints(self) -> str:
        """What it wrote to standard error; at LOG_LEVEL=ERROR that is only what went wrong."""
        return self._complaints.read_text("utf-8")

    def console(self, *words: str) -> str:
        """What `python -m bot …` prints, run beside the program."""
        command = [sys.executable, "-m", "bot", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment(), capture_output=True, text=True, timeout=START_S, check=True
        )
        return done.stdout

    def open_pages(self) -> int:
        """How many pages hold a stream open."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=START_S) as answer:
            counted = re.search(r"^jingxiang_pages_open (\d+)", answer.read().decode(), re.MULTILINE)
        assert counted is not None
        return int(counted.group(1))

    def invite(self, role: str, area: str = "", township: str = "") -> str:
        """A join link for a role, made at the console beside the running program."""
        options = {"--role": role, "--area": area, "--township": township}
        printed = self.console("invite", *(word for pair in options.items() if pair[1] for word in pair))
        link = re.search(r"http://\S+\?join=\S+", printed)
        assert link is not None, printed
        return link.group()

    def write(self, sql: str, **values: Any) -> None:
        """Change the database behind the program's back."""
        database = sqlite3.connect(self.data_dir / "data" / "jingxiang.db", timeout=20)
        try:
            with database:
                database.execute(sql, values)
        finally:
            database.close()

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Read the database, as an auditor would."""
        database = sqlite3.connect(f"file:{self.data_dir / 'data' / 'jingxiang.db'}?mode=ro", uri=True, timeout=20)
        try:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql, values)]
        finally:
            database.close()
