"""`wechat menu` and `wechat qr` at the console, with WeChat on loopback in a thread of its own."""

from __future__ import annotations

import asyncio
import csv
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.console import wechat as wechat_console
from tests.cli.console import Console
from tests.example import EXAMPLE, SECOND
from tests.fakes.wechat import FakeWeChat

QINGHE, SHAJING = "629999101", "629999102"
NO_ACCOUNT = "no WeChat account is set (WECHAT_APP_ID): only an Official Account has a menu and codes"


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs beside the commands, which have their own."""
    beside = asyncio.new_event_loop()
    thread = threading.Thread(target=beside.run_forever)
    thread.start()
    yield beside
    beside.call_soon_threadsafe(beside.stop)
    thread.join()
    beside.close()


@pytest.fixture
def wechat(loop: asyncio.AbstractEventLoop) -> Iterator[FakeWeChat]:
    """WeChat, which has resented nothing at the end."""

    async def started() -> FakeWeChat:
        made = FakeWeChat()
        await made.start()
        return made

    fake = asyncio.run_coroutine_threadsafe(started(), loop).result()
    yield fake
    asyncio.run_coroutine_threadsafe(fake.stop(), loop).result()
    assert fake.violations == []


def console_of(folder: Path, wechat: FakeWeChat) -> Console:
    """A console in a folder of its own, with an account."""
    world = wechat.world
    return Console(
        folder,
        DATA_DIR=str(folder / "data"),
        WECHAT_APP_ID=world.app_id,
        WECHAT_APP_SECRET=world.secret,
        WECHAT_TOKEN=world.token,
        WECHAT_AES_KEY=world.aes_key,
        WECHAT_API_URL=wechat.url,
    )


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wechat: FakeWeChat) -> Console:
    """A console with the example township imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wechat_console, "PACE_S", 0)
    monkeypatch.setattr(wechat_console, "PAUSES_S", (0, 0))
    made = console_of(tmp_path, wechat)
    made.done("import", EXAMPLE)
    return made


def listed(console: Console) -> dict[str, tuple[str, str]]:
    """What the list of codes says: scene → name, address."""
    path = console.folder / "out" / f"codes-{console.environment['WECHAT_APP_ID']}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["scene"]: (row["name"], row["url"]) for row in csv.DictReader(file)}


def asked(wechat: FakeWeChat) -> list[str]:
    """The scenes that codes were asked for, in order."""
    return [call.body["action_info"]["scene"]["scene_str"] for call in wechat.called("qrcode/create")]


# ── the menu


def test_the_policy_s_menu_is_set(console: Console, wechat: FakeWeChat) -> None:
    printed = console.done("wechat", "menu")
    assert [entry["name"] for entry in wechat.world.menu] == ["拍照举报", "我的", "更多"]
    assert wechat.world.menu[0] == {"type": "pic_photo_or_album", "name": "拍照举报", "key": "camera"}
    assert wechat.world.menu[1]["sub_button"][0] == {"type": "click", "name": "我的举报", "key": "/mycases"}
    page = {"type": "view", "name": "打开网页", "url": "https://chat.example/wechat/page"}
    assert page in wechat.world.menu[2]["sub_button"]
    assert "拍照举报  the camera\n我的\n  我的举报  /mycases\n" in printed and "the menu is set" in printed


def test_show_sets_nothing(console: Console, wechat: FakeWeChat) -> None:
    printed = console.done("wechat", "menu", "--show")
    assert "我的举报  /mycases" in printed and "nothing was set" in printed
    assert wechat.world.menu == [] and wechat.calls == []


def test_a_policy_that_says_nothing_has_the_usual_menu(console: Console, wechat: FakeWeChat) -> None:
    policy = (EXAMPLE / "policy.toml").read_text("utf-8")
    (console.folder / "policy.toml").write_text(policy[: policy.index("[[wechat_menu]]")], "utf-8")
    console.done("import", console.folder / "policy.toml")
    console.done("wechat", "menu")
    assert [entry["name"] for entry in wechat.world.menu] == ["拍照举报", "我的", "更多"]


def test_a_menu_with_the_page_needs_an_address(console: Console, wechat: FakeWeChat) -> None:
    console.environment["PUBLIC_URL"] = ""
    assert console.refused("wechat", "menu") == (
        "«打开网页» opens the web page: set PUBLIC_URL, or take it out of the policy's menu"
    )
    assert wechat.world.menu == []


@pytest.mark.parametrize(
    ("errcode", "says"),
    [
        (48001, "verified subscription account"),
        (40164, "IP白名单"),
        (45009, "tomorrow"),
        (50002, "its console says why"),
        (40016, "errcode 40016"),
    ],
)
def test_what_wechat_refuses_is_said_in_one_line(console: Console, wechat: FakeWeChat, errcode: int, says: str) -> None:
    wechat.trouble("menu/create", errcode=errcode)
    said = console.refused("wechat", "menu")
    assert said.startswith("WeChat: ") and says in said
    assert wechat.world.menu == []


def test_a_wrong_secret_is_named_and_not_shown(console: Console, wechat: FakeWeChat) -> None:
    console.environment["WECHAT_APP_SECRET"] = "f" * 32
    said = console.refused("wechat", "menu")
    assert said == "WeChat: WECHAT_APP_SECRET is wrong (40125)"


def test_wechat_that_is_away_is_asked_again(console: Console, wechat: FakeWeChat) -> None:
    wechat.trouble("menu/create", status=502, times=2)
    console.done("wechat", "menu")
    wechat.trouble("menu/create", status=502, times=9)
    assert console.refused("wechat", "menu") == "WeChat: http 502: run the same command later"


def test_the_token_is_kept_for_the_next_command_and_the_bot(console: Console, wechat: FakeWeChat) -> None:
    console.done("wechat", "menu")
    console.done("wechat", "menu")
    assert len(wechat.called("stable_token")) == 1


def test_the_account_is_one_township_s(console: Console, wechat: FakeWeChat) -> None:
    console.done("import", SECOND, "--new")
    console.environment["WECHAT_TOWNSHIP"] = SHAJING
    console.done("wechat", "menu")
    assert [item["name"] for item in wechat.world.menu[2]["sub_button"]] == [
        "看消息",
        "不拍照也能举报",
        "打开网页",
        "全部功能",
    ]
    console.environment["WECHAT_TOWNSHIP"] = "620000000"
    said = console.refused("wechat", "menu")
    assert said.startswith("WECHAT_TOWNSHIP: no township has the code 620000000")


@pytest.mark.parametrize("words", [("menu",), ("qr", "--stations", "--out", "out")])
def test_without_an_account_there_is_nothing_to_do(console: Console, words: tuple[str, ...]) -> None:
    console.environment["WECHAT_APP_ID"] = ""
    assert console.refused("wechat", *words) == NO_ACCOUNT


# ── codes


def test_each_station_has_its_code(console: Console, wechat: FakeWeChat) -> None:
    printed = console.done("wechat", "qr", "--stations", "--out", console.folder / "out")
    scenes = asked(wechat)
    assert "station-S01" in scenes and len(scenes) == len(set(scenes))
    assert f"{len(scenes)} codes, {len(scenes)} of them new" in printed
    codes = listed(console)
    assert list(codes) == scenes
    assert codes["station-S02"][0] == "王家沟村 王家沟回收点"
    assert {wechat.world.scenes[url.rpartition("/")[2]] for _, url in codes.values()} == set(scenes)
    pictures = sorted(path.name for path in (console.folder / "out").glob("*.png"))
    assert len(pictures) == len(scenes) and "王家沟村_王家沟回收点_station-S02.png" in pictures
    assert (console.folder / "out" / pictures[0]).read_bytes().startswith(b"\x89PNG")


def test_the_sheet_has_eight_codes_a_page_and_needs_nothing_else(console: Console) -> None:
    console.done("wechat", "qr", "--stations", "--signs", "--village", "王家沟", "--out", console.folder / "out")
    html = (console.folder / "out" / "index.html").read_text("utf-8")
    pages = html.split("<section>")[1:]
    counts = [page.count("<article>") for page in pages]
    assert counts[0] == 1 and all(count == 8 for count in counts[1:-1]) and 0 < counts[-1] <= 8
    assert "青禾塬镇 · 回收站点" in pages[0] and "青禾塬镇 · 举报牌" in pages[1]
    assert "看见乱倒垃圾，微信扫一扫就能举报" in html and "<h2>桥头</h2>" in html
    assert "http" not in re.sub(r'src="data:[^"]*"', "", html)
    assert "柳树湾村" not in html


def test_a_door_shows_the_card_and_the_village_only(console: Console, wechat: FakeWeChat) -> None:
    console.done("wechat", "qr", "--doors", "--village", "王家沟村", "--out", console.folder / "out")
    folder = console.folder / "out"
    written = (folder / "index.html").read_text("utf-8") + str(listed(console)) + str(sorted(folder.iterdir()))
    assert "卡号 N0123" in written and "王家沟村 门牌" in written
    assert "door-N0123" in asked(wechat)
    with (EXAMPLE / "households.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["村"] == "王家沟村"]
    assert len(rows) > 5
    for row in rows:
        assert row["户主"] not in written and (not row["电话"] or row["电话"] not in written)


def test_what_the_list_has_is_not_asked_for_again(console: Console, wechat: FakeWeChat) -> None:
    out = console.folder / "out"
    console.done("wechat", "qr", "--stations", "--out", out)
    before = listed(console)
    assert "0 of them new" in console.done("wechat", "qr", "--stations", "--out", out)
    console.done("wechat", "qr", "--stations", "--signs", "--village", "王家沟", "--out", out)
    assert len(asked(wechat)) == len(set(asked(wechat))) == len(listed(console))
    assert before.items() <= listed(console).items()


def test_it_goes_on_where_it_was_stopped(console: Console, wechat: FakeWeChat) -> None:
    out = console.folder / "out"
    console.done("wechat", "qr", "--stations", "--out", out)
    total = len(listed(console))
    (out / f"codes-{wechat.world.app_id}.csv").unlink()
    wechat.calls.clear()
    wechat.trouble("qrcode/create", errcode=-1, times=2)  # a moment's trouble is overcome
    console.done("wechat", "qr", "--stations", "--village", "王家沟", "--out", out)
    wechat.trouble("qrcode/create", errcode=45009)
    said = console.refused("wechat", "qr", "--stations", "--out", out)
    assert said == (
        "WeChat: today's quota of calls is used up (45009): run the same command tomorrow"
        f" (0 of {total - 1} codes are made, they are kept)"
    )
    assert f"{total} codes, {total - 1} of them new" in console.done("wechat", "qr", "--stations", "--out", out)


def test_a_line_cut_short_by_a_crash_is_asked_for_once_more(console: Console, wechat: FakeWeChat) -> None:
    out = console.folder / "out"
    console.done("wechat", "qr", "--stations", "--out", out)
    path = out / f"codes-{wechat.world.app_id}.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"http")])
    last = list(listed(console))[-1]
    wechat.calls.clear()
    console.done("wechat", "qr", "--stations", "--out", out)
    assert asked(wechat) == [last]
    assert all(url.startswith("http") for _, url in listed(console).values())


def test_another_account_has_codes_of_its_own(console: Console, wechat: FakeWeChat) -> None:
    out = console.folder / "out"
    console.done("wechat", "qr", "--stations", "--out", out)
    wechat.world.app_id = console.environment["WECHAT_APP_ID"] = "wxfedcba9876543210"
    wechat.world.tokens.clear()  # the other account's still holds there
    wechat.calls.clear()
    console.done("wechat", "qr", "--stations", "--out", out)
    assert len(asked(wechat)) == len(listed(console))
    assert len(wechat.called("stable_token")) == 1


def test_a_code_stays_when_everything_is_imported_anew(console: Console, wechat: FakeWeChat) -> None:
    """What is on a sign of metal leads to the same place in a new database."""
    kinds = ("--stations", "--signs", "--doors", "--village", "王家沟")
    console.done("wechat", "qr", *kinds, "--out", console.folder / "out")
    before = set(asked(wechat))
    console.environment["DATA_DIR"] = str(console.folder / "again")
    console.done("import", EXAMPLE)
    assert "0 of them new" in console.done("wechat", "qr", *kinds, "--out", console.folder / "out")
    assert set(asked(wechat)) == before and len(before) > 10


def test_more_codes_than_an_account_has(console: Console, monkeypatch: pytest.MonkeyPatch, wechat: FakeWeChat) -> None:
    monkeypatch.setattr(wechat_console, "MOST_CODES", 30)
    monkeypatch.setattr(wechat_console, "MANY_CODES", 1)
    out = console.folder / "out"
    assert "codes that an account may have" in console.done("wechat", "qr", "--stations", "--out", out)
    count = len(asked(wechat))
    said = console.refused("wechat", "qr", "--doors", "--out", out)
    assert said.startswith("an account has 30 permanent codes, with these it would be")
    assert len(asked(wechat)) == count


def test_what_is_said_wrongly(console: Console, wechat: FakeWeChat) -> None:
    out = console.folder / "out"
    assert console.refused("wechat", "qr", "--out", out).startswith("say of what: --stations, --signs, --doors")
    said = console.refused("wechat", "qr", "--signs", "--village", "天上", "--out", out)
    assert said == "no village is called 天上"
    wechat.trouble("qrcode/create", errcode=48001)
    said = console.refused("wechat", "qr", "--stations", "--out", out)
    assert "verified service account" in said and "0 of" in said


def test_nothing_is_imported_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wechat: FakeWeChat) -> None:
    monkeypatch.chdir(tmp_path)
    assert console_of(tmp_path, wechat).refused("wechat", "menu").startswith("nothing was imported yet")


def test_no_secret_is_printed(console: Console, wechat: FakeWeChat) -> None:
    results: list[Any] = [console.says("wechat", "menu"), console.says("wechat", "qr", "--stations", "--out", "out")]
    token = next(iter(wechat.world.tokens))
    assert all(wechat.world.secret not in one.output and token not in one.output for one in results)
