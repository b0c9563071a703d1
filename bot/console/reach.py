"""Who reaches what: the page by its port and address, whom its notifications reach, who reads the files."""

from __future__ import annotations

import contextlib
import errno
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.checks import Check
from bot.console.terminal import PRIVATE
from bot.console.words import OperatorError, render
from bot.push.failures import FILE
from bot.settings import ENV_FILE, Settings
from bot.talk.messages import text
from bot.web.server import listen

OURS = "-m bot run"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
ELSEWHERE = ("10.255.255.255", 1)  # nothing is sent there: it only asks which of our addresses would be used


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that listens on a port: its id, name and whole command."""

    pid: int
    name: str
    command: str


def check_port(settings: Settings) -> None:
    """See that the web page's port is free. Raises OperatorError, which tells who has it, or why it can't be had."""
    host, port = settings.web_host, settings.web_port
    try:
        listen(host, port).close()
    except PermissionError:
        raise OperatorError("port_not_permitted", port=port) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise taken(port) from None
        raise OperatorError("address_not_ours", host=host, said=error.strerror or error) from None
    except OverflowError as error:  # a host name that can't be encoded
        raise OperatorError("address_not_ours", host=host, said=error) from None


def taken(port: int) -> OperatorError:
    """What to say when another program listens there."""
    other = port + 1 if port < 65535 else port - 1
    found = holder_of(port)
    if found is None:
        return OperatorError("port_taken", port=port, other=other)
    code = "port_taken_by_us" if OURS in found.command else "port_taken_by"
    return OperatorError(code, port=port, other=other, pid=found.pid, name=found.name)


def holder_of(port: int) -> Holder | None:
    """The process that listens on a port of this computer; None where the system does not tell."""
    import psutil

    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                process = psutil.Process(one.pid)
                return Holder(one.pid, process.name(), " ".join(process.cmdline()))
    except psutil.Error:
        return None
    return None


def address_check(settings: Settings) -> Check:
    """Who can open the web page, as far as its address tells."""
    url = urlsplit(settings.address)
    host = url.hostname or ""
    # without PUBLIC_URL the links name this computer, whatever else the server listens on
    if not settings.public_url or host in ("localhost", "::1") or host.startswith("127."):
        fields = {"address": settings.address, "ours": f"http://{own_address()}:{settings.web_port}"}
        key = "check.address.only_links" if settings.web_host in EVERYWHERE else "check.address.here"
        return Check("address", False, text(key, **fields), warning=True)
    if url.scheme != "https":
        return Check("address", False, text("check.address.plain", address=settings.address), warning=True)
    return Check("address", True, settings.address)


def tighten(settings: Settings) -> None:
    """Take from group and others what an earlier version left them of DATA_DIR and the database, as far as we may.

    A folder that is closed is not looked through: nobody comes to what lies in it.
    """
    folder = settings.data_dir
    inside = folder.rglob("*") if is_open(folder) else folder.glob("*") if folder.is_dir() else ()
    for path in (*inside, *database_files(settings), folder):  # the folder last: a start that breaks off is begun anew
        if is_open(path):
            with contextlib.suppress(OSError):  # another user's: doctor names it
                path.chmod(path.stat().st_mode & ~PRIVATE)


def database_files(settings: Settings) -> list[Path]:
    """The SQLite file and what lies beside it while it is open; nothing with a server."""
    path = settings.database_path
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")] if path is not None else []


def is_open(path: Path) -> bool:
    """Whether group or others may do anything with it; False for what isn't there, or is a link."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & PRIVATE)


def files_check(settings: Settings, backup: Path | None) -> Check:
    """Whether other users of this computer can read the data, the settings with their keys, or the last backup."""
    folder = settings.data_dir
    beside = [path for path in database_files(settings) if path.parent != folder]
    seen = [path for path in (folder, *beside, Path(ENV_FILE), *([backup] if backup else ())) if is_open(path)]
    if not seen:
        return Check("files", True, text("check.files.closed"))
    return Check("files", False, text("check.files.open", paths=", ".join(map(str, seen))), warning=True)


def push_check(settings: Settings) -> Check:
    """Whether pages can be told of what waits (Web Push), and whether only we can read its key."""
    path = settings.data_dir / FILE
    if not settings.push_contact:
        return Check("push", True, text("check.push.no_https"))
    if not path.exists():
        return Check("push", True, text("check.push.no_key", path=path))
    closed = not path.stat().st_mode & PRIVATE
    return Check("push", closed, text("check.push.seen" if closed else "check.push.open", path=path), warning=True)


def own_address() -> str:
    """This computer's address in its network; 127.0.0.1 when it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def who_reaches(settings: Settings) -> list[str]:
    """A line for the operator when others can't open the address; nothing when they can."""
    check = address_check(settings)
    return [] if check.ok or isinstance(check.seen, tuple) else [f"  {render(check.seen)}"]
