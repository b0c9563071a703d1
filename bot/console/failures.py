"""The one place that turns a known failure into one line for the operator and an exit code.

What isn't known here is a defect: it keeps its traceback. Commands raise `OperatorError` or let what they call raise,
and catch nothing themselves.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from bot.channels.base import UnknownTownship
from bot.console.terminal import err
from bot.console.words import OperatorError, is_said, say
from bot.errors import RetryLater
from bot.settings import SettingFault, faults
from storage.database import Damaged, Unavailable
from storage.engine.migrate import MigrationError
from storage.vault.keyfile import KeyFileProblem

FAILED = 1
OF_SYSTEM = {
    errno.ENOENT: "no_such_file",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    errno.ENOTDIR: "not_a_folder",
    errno.EEXIST: "not_a_folder",
    errno.EISDIR: "is_a_folder",
    errno.EROFS: "read_only",
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EADDRNOTAVAIL: "not_our_address",
}
OF_SQLITE = {
    sqlite3.SQLITE_CANTOPEN: "database_not_opened",
    sqlite3.SQLITE_READONLY: "database_read_only",
    sqlite3.SQLITE_PERM: "database_read_only",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_BUSY: "database_busy",
    sqlite3.SQLITE_LOCKED: "database_busy",
    sqlite3.SQLITE_IOERR: "database_disk",
    sqlite3.SQLITE_CORRUPT: "database_damaged",
    sqlite3.SQLITE_NOTADB: "database_damaged",
}
DATABASE = "jingxiang.db"


class Failing(TyperGroup):
    """A group of commands in which a known failure ends a command with its line on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            lines = lines_of(error)
            if not lines:
                raise
        for line in lines:
            err.print(line, markup=False)
        raise typer.Exit(FAILED)


def lines_of(error: BaseException) -> list[str]:
    """What to tell the operator about a known failure, a line each; nothing for a defect."""
    match error:
        case OperatorError():
            return str(error).splitlines()
        case ValidationError() if error.title == "Settings":
            return [setting_line(one) for one in faults(error)]
        case Damaged():
            return [say(f"failure.{'database' if error.where else 'server'}_damaged", path=error.where, said=error)]
        case Unavailable() | MigrationError():
            return [say("failure.database", said=error)]
        case KeyFileProblem():
            return [say(f"failure.key_{error.reason}", path=error.path)]
        case RetryLater():
            return [say("failure.later", said=error.reason)]
        case sqlite3.DatabaseError():
            return sqlite_lines(error, DATABASE)
        case UnknownTownship():
            return [say("failure.wechat_township", code=error.code)]
        case OSError():
            return [say(f"failure.{OF_SYSTEM.get(error.errno or 0, 'system')}", **of_system(error))]
    return _of_serving(error)


def sqlite_lines(error: sqlite3.Error, path: Path | str) -> list[str]:
    """What is the matter with the database file at `path`; nothing when it isn't the file's fault."""
    code = OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    return [say(f"failure.{code}", path=path, said=error)] if code else []


def of_system(error: OSError) -> dict[str, object]:
    """The file that an error of the system is about, and the system's own words."""
    said = error.strerror or str(error) or type(error).__name__
    return {"path": error.filename2 or error.filename or "", "said": said}


def setting_line(fault: SettingFault) -> str:
    """What is wrong with a setting."""
    known = f"setting.{fault.code}"
    key = known if is_said(known) else "setting.other"
    return say("setting", name=fault.name, wrong=say(key, **fault.fields))


def _of_serving(error: BaseException) -> list[str]:
    """Another process that serves, a key that is none: of what only a command that serves has loaded."""
    from bot.app import AlreadyRunning
    from bot.push.failures import PushKeyDamaged

    match error:
        case AlreadyRunning():
            return [say("failure.running", pid=error.pid, folder=error.folder)]
        case PushKeyDamaged():
            return [say("failure.push_key", path=error.path)]
    return []
