"""What an operator can mend is said in one line, in the operator's language, and where to look is told."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from bot.__main__ import app
from bot.app import lock
from bot.console.reach import holder_of
from bot.console.settings_file import known, nearest, nearest_of
from bot.console.words import is_said, say
from bot.push.keys import load_key
from bot.settings import Settings, language_named
from tests.cli.console import Console
from tests.example import EXAMPLE, ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """In a folder of its own, where `.env` may be."""
    monkeypatch.chdir(tmp_path)
    return Console(tmp_path / "data")


def in_chinese(console: Console) -> Console:
    return Console(console.folder, LANGUAGE="zh_CN")


def write_env(folder: Path, text: str, encoding: str = "utf-8") -> None:
    (folder / ".env").write_bytes(text.encode(encoding))


# ── settings ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("WEBPORT", "WEB_PORT"),
        ("PUBLIC_ULR", "PUBLIC_URL"),
        ("TELEGRAM_TOKE", "TELEGRAM_TOKEN"),
        ("web-host", "WEB_HOST"),
    ],
)
def test_a_misspelt_setting_names_the_nearest(console: Console, tmp_path: Path, written: str, near: str) -> None:
    write_env(tmp_path, f"LOG_LEVEL=ERROR\n{written}=9000\n")
    said = console.refused("migrate")
    assert written in said and said.endswith(f"did you mean {near}?")
    assert "是不是" in in_chinese(console).refused("migrate")


def test_in_the_environment_a_misspelt_setting_is_only_remarked_on(tmp_path: Path) -> None:
    """It may be another program's."""
    said = Console(tmp_path, WEBPORT="9000", PUBLIC_ULR="x").done("migrate")
    assert "WEBPORT in the environment: there is no such setting, did you mean WEB_PORT?" in said
    assert "PUBLIC_URL?" in said and "migrations applied" in said


def test_names_of_others_are_left_alone() -> None:
    others = ("LANG", "XDG_DATA_DIRS", "PGDATA", "TZ", "HOME", "WEB_PORT", "HTTP_PROXY", "LOGNAME", "AWS_ACCESS_KEY_ID")
    assert [name for name in others if nearest(name)] == []


@given(st.data())
def test_two_letters_swapped_or_one_lost_is_still_near(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(one for one in known() if len(one) >= 8)))
    at = data.draw(st.integers(1, len(name) - 2))
    swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    for typed in (swapped, name[:at] + name[at + 1 :], name.lower()):
        if typed.upper() not in known():
            found = nearest(typed)
            assert found == name or nearest_of(typed, [found]) == found, (typed, found)


def test_a_file_of_settings_in_gbk_is_said_with_its_line(console: Console, tmp_path: Path) -> None:
    write_env(tmp_path, "WEB_PORT=0\n# 镇上的网址\nPUBLIC_URL=https://x.example\n", "gbk")
    assert console.refused("doctor").startswith(".env, line 2: this is not UTF-8")
    write_env(tmp_path, "LANGUAGE=zh_CN\n# 端口\n", "gbk")
    assert "第 2 行不是 UTF-8" in console.refused("doctor"), "LANGUAGE is read also there"


def test_a_file_of_settings_in_utf_16_is_said_and_a_mark_at_its_beginning_does_no_harm(
    console: Console, tmp_path: Path
) -> None:
    write_env(tmp_path, "WEB_PORT=0\n", "utf-16")
    assert "not UTF-8" in console.refused("doctor")
    write_env(tmp_path, "WEB_PORT=ninety\n", "utf-8-sig")
    assert console.refused("migrate") == "WEB_PORT: must be a whole number"
    write_env(tmp_path, "WEB_TRUSTED_PROXIES=127.0.0.1,proxy.lan\n", "utf-8")
    assert console.refused("migrate") == "WEB_TRUSTED_PROXIES: must be like 127.0.0.1,10.0.0.0/8"
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert console.refused("migrate").startswith(".env is a folder")


@pytest.mark.parametrize(
    ("said", "language"),
    [("zh_CN:zh", "zh_CN"), ("en_US:en", "en"), ("zh-CN.UTF-8", "zh_CN"), ("en", "en"), ("fr", "fr"), ("", "")],
)
def test_the_system_s_own_list_of_languages_is_understood(said: str, language: str) -> None:
    assert language_named(said) == language
    if language in ("zh_CN", "en"):
        assert Settings(_env_file=None, language=said).language == language


# ── files and folders ────────────────────────────────────────────────────────


def test_what_can_t_be_made_or_found_is_one_line(console: Console, tmp_path: Path) -> None:
    console.done("import", EXAMPLE)
    in_the_way = tmp_path / "usb"
    in_the_way.write_text("no folder")
    assert console.refused("backup", in_the_way / "kept").startswith(f"{in_the_way / 'kept'}: no folder can be made")
    assert console.refused("backup", in_the_way).startswith(f"{in_the_way}: no folder can be made")
    empty = Console(tmp_path / "new")
    assert (
        empty.refused("restore", tmp_path / "lost.tar") == f"{tmp_path / 'lost.tar'}: there is no such file or folder"
    )
    assert empty.refused("restore", tmp_path).startswith(f"{tmp_path} is a folder")
    assert "没有这个文件或文件夹" in in_chinese(empty).refused("restore", tmp_path / "lost.tar")
    for command in (("migrate",), ("doctor",), ("verify",), ("run",), ("invite", "--role", "staff"), ("links",)):
        said = Console(in_the_way / "data", WEB_PORT="0").refused(*command)
        assert str(in_the_way) in said, command


def test_a_folder_that_may_not_be_written_is_one_line(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user who may not; the tests may run as one who may everything."""
    console.done("migrate")

    def denied(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", denied)
    assert console.refused("backup", "/mnt/usb") == (
        "/mnt/usb: not permitted. Run it as somebody who may, or choose another place"
    )


def test_a_defect_keeps_its_traceback(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("bot.console.backups.making.make_backup", broken)
    assert isinstance(console.says("backup", "kept").exception, KeyError)


# ── the port ─────────────────────────────────────────────────────────────────


@contextmanager
def listening() -> Iterator[int]:
    """A port that this process holds."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(1)
        yield held.getsockname()[1]


def test_a_port_in_use_names_who_has_it_and_another_one(console: Console) -> None:
    with listening() as port:
        said = Console(console.folder, WEB_PORT=str(port)).refused("run", "--example", EXAMPLE)
        found = holder_of(port)
        assert found is not None and found.pid == os.getpid()
        assert f"port {port} is taken by {found.name} (process {os.getpid()})" in said
        assert f"WEB_PORT={port + 1}" in said and f"kill {os.getpid()}" in said
        assert not (console.folder / "jingxiang.db").exists(), "nothing was begun"
        chinese = Console(console.folder, WEB_PORT=str(port), LANGUAGE="zh_CN").refused("run")
        assert f"端口 {port} 被占着" in chinese


def test_who_has_a_port_may_stay_unknown(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.console.reach.holder_of", lambda port: None)
    with listening() as port:
        assert "taken by another program" in Console(console.folder, WEB_PORT=str(port)).refused("run")


def test_an_address_of_another_computer_is_one_line(console: Console) -> None:
    said = Console(console.folder, WEB_HOST="192.0.2.1", WEB_PORT="18099").refused("run")
    assert said.startswith("WEB_HOST=192.0.2.1: this computer has no such address")


# ── what doctor and links tell ───────────────────────────────────────────────


def line_of(said: str, name: str) -> str:
    return next(line for line in said.splitlines() if re.match(rf"\S+ +{name}[:：]", line))


def test_doctor_says_whether_it_runs_who_reaches_it_and_how_old_the_backup_is(console: Console, tmp_path: Path) -> None:
    console.done("import", EXAMPLE)
    here = Console(console.folder, PUBLIC_URL="", LANGUAGE="zh_CN")
    said = here.done("doctor")
    assert line_of(said, "程序").startswith("注意 程序：程序没有开着")
    assert "只有这台电脑打得开" in line_of(said, "网址")
    assert "还没有备份过" in line_of(said, "备份")
    with lock(console.folder):
        assert f"进程 {os.getpid()}" in line_of(here.done("doctor"), "程序")
    assert "PUBLIC_URL=http://" in line_of(
        Console(console.folder, PUBLIC_URL="", WEB_HOST="0.0.0.0").done("doctor"), "address"
    )
    assert line_of(Console(console.folder, PUBLIC_URL="http://192.168.1.20").done("doctor"), "address").startswith("?")
    assert line_of(console.done("doctor"), "address") == "ok  address: https://chat.example"
    made = Path(console.done("backup", tmp_path / "kept").splitlines()[0])
    assert line_of(console.done("doctor"), "backup") == f"ok  backup: the newest is of 0 hours ago: {made}"
    three_days_ms = int(time.time() * 1000) - 3 * 86_400_000
    (console.folder / "last-backup.json").write_text(json.dumps({"at_ms": three_days_ms, "file": str(made)}))
    assert "3 天前，太久了" in line_of(here.done("doctor"), "备份")
    made.unlink()
    assert "not there any more" in line_of(console.done("doctor"), "backup")


def test_doctor_says_whether_pages_can_be_told(console: Console) -> None:
    console.done("import", EXAMPLE)
    for plain in ("", "http://192.168.1.20"):
        said = Console(console.folder, PUBLIC_URL=plain, LANGUAGE="zh_CN").done("doctor")
        assert "PUBLIC_URL 不是 https" in line_of(said, "网页提醒")
    assert "made at the next start" in line_of(console.done("doctor"), "notifications")
    load_key(console.folder)
    assert line_of(console.done("doctor"), "notifications").startswith("ok")
    (console.folder / "vapid.pem").chmod(0o640)
    assert line_of(console.done("doctor"), "notifications").startswith("?   notifications: others can read the key")


def test_a_damaged_key_of_the_notifications_is_one_line(console: Console) -> None:
    console.done("import", EXAMPLE)
    (console.folder / "vapid.pem").write_text("no key")
    assert f"{console.folder / 'vapid.pem'} is no private key" in Console(console.folder, WEB_PORT="0").refused("run")


def test_everything_that_verify_and_doctor_print_is_chinese_for_a_chinese_operator(console: Console) -> None:
    console.done("import", EXAMPLE)
    for command in ("verify", "doctor"):
        lines = Console(console.folder, LANGUAGE="zh_CN", PUBLIC_URL="").done(command).splitlines()
        seen = re.compile(r"(好  |注意|有错) [\u4e00-\u9fff]+：.*[\u4e00-\u9fff]")
        assert len(lines) >= 10 and [line for line in lines if not seen.match(line)] == []


def test_the_system_s_language_counts_where_none_is_set(tmp_path: Path) -> None:
    assert CHINESE.search(Console(tmp_path, LC_ALL="zh_CN.UTF-8").done("migrate"))
    assert "migrations applied" in Console(tmp_path, LC_ALL="zh_CN.UTF-8", LANGUAGE="en").done("migrate")
    assert "migrations applied" in Console(tmp_path, LC_ALL="de_DE.UTF-8").done("migrate")


def test_the_links_are_found_again(console: Console) -> None:
    assert console.refused("links").startswith("nothing was imported yet")
    console.done("import", EXAMPLE)
    assert "The address: https://chat.example\n" in console.done("links")
    console.done("invite", "--role", "staff", "--area", "王家沟")
    said = in_chinese(console).done("links")
    assert "还没用的邀请有 1 个" in said and re.search(r"工作人员 staff +王家沟村，到 \d\d-\d\d", said)
    assert "join=" not in said, "what is stored can't tell a link"
    assert console.done("links", "--new").count("join=") == 7


def test_how_a_sentence_is_understood_is_shown(console: Console) -> None:
    assert console.refused("say", "垃圾桶满了").startswith("nothing was imported yet")
    console.done("import", EXAMPLE)
    said = console.done("say", "王家沟桥头倒了一车建筑垃圾")
    assert "read place: “王家沟”" in said and "sure: report" in said
    weighed = in_chinese(console).done("say", "张三家交了三十一斤半", "--role", "cleaner")
    assert "认出 weight：「三十一斤半」" in weighed and "准了：weigh" in weighed
    assert "没听明白" in in_chinese(console).done("say", "咕叽咕叽啪")
    assert "mayor" in console.refused("say", "你好", "--role", "mayor")


# ── help ─────────────────────────────────────────────────────────────────────


def every_command() -> list[tuple[tuple[str, ...], Any]]:
    group: Any = get_command(app)
    found: list[tuple[tuple[str, ...], Any]] = [((), group)]
    for name, command in group.commands.items():
        found.append(((name,), command))
        found += [((name, below), leaf) for below, leaf in getattr(command, "commands", {}).items()]
    return found


@pytest.mark.parametrize(
    ("path", "command"), every_command(), ids=lambda one: "-".join(one) if isinstance(one, tuple) else ""
)
def test_help_is_there_in_both_languages(console: Console, path: tuple[str, ...], command: Any) -> None:
    for parameter in command.params:
        assert is_said(f"help.{'.'.join(path)}.{parameter.name}"), parameter.name
    for language, said in (("en", "Usage: "), ("zh_CN", "用法：")):
        shown = Console(console.folder, LANGUAGE=language, COLUMNS="200").done(*path, "--help")
        assert said in shown and (CHINESE.search(shown.replace("净乡", "")) is not None) == (language == "zh_CN")


# ── the start ────────────────────────────────────────────────────────────────


def on_a_terminal(folder: Path, until: str, **environment: str) -> str:
    """What `run` shows on a terminal, until it says that."""
    own, its = pty.openpty()
    env = {**os.environ, "DATA_DIR": str(folder), "WEB_PORT": "0", **environment}
    words = [sys.executable, "-m", "bot", "run", "--example", str(EXAMPLE)]
    process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=its, stderr=its)
    os.close(its)
    shown = b""
    try:
        while until.encode() not in shown:
            shown += os.read(own, 65536)
    finally:
        process.terminate()
        process.wait(30)
        os.close(own)
    return shown.decode()


def test_the_first_start_on_a_terminal_shows_steps_address_and_links_and_nothing_else(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path / "data", "Ctrl+C", LANGUAGE="zh_CN")
    assert '{"' not in shown and "app.started" not in shown
    where = [
        shown.index(one) for one in ("正在装进", "600 户", "净乡开着：http://127.0.0.1:", "只有这台电脑打得开", "join=")
    ]
    assert where == sorted(where)
    assert "保洁员 cleaner" in shown and "72 小时内有效" in shown


def test_another_python_than_that_of_the_folder_is_told_which(tmp_path: Path) -> None:
    """`python3 -m bot` without the libraries."""
    plain = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bot.__main__"]
    ended = subprocess.run(plain, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr and ".venv/bin/python -m bot" in ended.stderr


def test_a_text_is_found_by_its_id() -> None:
    assert say("mark.bad") == "BAD" and not is_said("mark.nothing")
