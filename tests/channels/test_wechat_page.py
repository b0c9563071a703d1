"""The page that WeChat's menu opens: signed in as whoever holds the phone, and only as them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from bot.web import wechat_page
from bot.web.wechat_page import judge
from storage.database import Tx
from storage.people import people
from storage.product import areas
from tests.channels.website import Page, Site, serving
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_pages import is_signed
from tests.fakes.wechat_people import User

AUNT, UNCLE, VISITOR = 501, 502, 503
ENTER = "/wechat/page"
COOKIES = ("jingxiang", "jingxiang_town")
SNAPSHOT, RETRY, OTHER = "请点右下角“使用完整服务”", "重试", "那份记录还没有和您的微信连在一起"


@pytest.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat() as fake:
        yield fake
        assert fake.violations == []


@pytest.fixture
async def site(tmp_path: Path, wechat: FakeWeChat) -> AsyncIterator[Site]:
    async with serving(tmp_path, wechat=wechat) as served:
        yield served


async def person(site: Site, person_id: int, *addresses: str, **more: Any) -> None:
    """Somebody who has written from these addresses."""

    async def work(tx: Tx) -> None:
        await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=1)
        for address in addresses:
            channel = address.partition(":")[0]
            await people.add_contact(tx, channel=channel, address=address, person_id=person_id, now_ms=1, **more)

    await site.database.transaction(work)


async def follower(site: Site, wechat: FakeWeChat, person_id: int = AUNT) -> User:
    """Somebody who has written in WeChat, and holds the phone."""
    user = wechat.user("王大娘")
    await person(site, person_id, f"wechat:{user.openid}")
    user.holds_phone()
    return user


async def contact(site: Site, page: Page) -> Any:
    """What is known of a page."""
    return await site.database.read(lambda tx: people.contact(tx, page.address))


def cookies_of(page: Page) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in page.http.cookie_jar}


class Answer:
    """An answer that is not followed."""

    def __init__(self, response: aiohttp.ClientResponse, body: str) -> None:
        self.status = response.status
        self.body = body
        self.headers = response.headers
        self.leads_to = response.headers.get("Location", "")
        self.set: dict[str, Any] = {}
        for line in response.headers.getall("Set-Cookie", []):
            self.set.update(SimpleCookie(line))

    @property
    def is_chat(self) -> bool:
        """Whether it leads into the chat."""
        return self.status == 302 and self.leads_to == "/#t=1"


async def get(page: Page, path: str, **headers: str) -> Answer:
    """One request; the path as it is."""
    url = URL(path if path.startswith("http") else f"{page.url}{path}", encoded=True)
    async with page.http.get(url, headers=headers, allow_redirects=False) as response:
        return Answer(response, await response.text())


async def enters(page: Page, path: str = ENTER, *, hides_cookies: bool = False) -> Answer:
    """Press the menu's button, go to WeChat and come back. `hides_cookies`: what is SameSite=Strict is not sent when
    WeChat sends the phone back.
    """
    answer = await get(page, path)
    for _ in range(8):
        if answer.status != 302 or "connect/oauth2" not in answer.leads_to:
            return answer
        back = (await get(page, answer.leads_to)).leads_to
        hidden = {name: value for name, value in cookies_of(page).items() if name in COOKIES and hides_cookies}
        page.http.cookie_jar.clear(lambda cookie, hidden=hidden: cookie.key in hidden)
        answer = await get(page, back)
        unset = {name: value for name, value in hidden.items() if name not in cookies_of(page)}
        page.http.cookie_jar.update_cookies(unset, URL(page.url))
    raise AssertionError("it goes round and round")


async def comes_back(page: Page) -> str:
    """The address to which WeChat sends the phone, not gone to yet."""
    return (await get(page, (await get(page, ENTER)).leads_to)).leads_to


# -- who it is


async def test_the_menu_opens_the_page_as_the_same_person(site: Site, wechat: FakeWeChat) -> None:
    user = await follower(site, wechat)
    page = await site.page(session=False)
    answer = await enters(page)
    assert answer.is_chat
    row = await contact(site, page)
    assert (row["person_id"], row["channel"], row["opened_from"]) == (AUNT, "web", f"wechat:{user.openid}")
    assert (await page.open())["code"] == "1"
    async with page.events() as events:
        await page.says("你好")
        assert await events.bot_says() == "text:你好:0.0,0.0"
    assert {row["person_id"] for row in await site.rows("SELECT person_id FROM outbox WHERE township_id = :t")} == {
        AUNT
    }
    assert len(await site.rows("SELECT id FROM people WHERE township_id = :t")) == 1


async def test_the_cookies_are_like_those_of_the_page(site: Site, wechat: FakeWeChat) -> None:
    await follower(site, wechat)
    page = await site.page(session=False)
    first = await get(page, ENTER)
    entry = first.set["jingxiang_entry"]
    assert (entry["httponly"], entry["samesite"], entry["path"]) == (True, "lax", ENTER)
    assert 0 < int(entry["max-age"]) <= 600
    last = await enters(page)
    for name in COOKIES:
        cookie = last.set[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
    assert last.set["jingxiang_entry"]["max-age"] == "0"
    for answer in (first, last):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_over_https_they_are_for_https(tmp_path: Path, wechat: FakeWeChat) -> None:
    async with serving(tmp_path, wechat=wechat, public_url="https://jx.example.cn") as site:
        page = await site.page(session=False)
        answer = await get(page, ENTER)
        assert answer.set["jingxiang_entry"]["secure"]
        query = parse_qs(urlsplit(answer.leads_to).query)
        assert query["redirect_uri"] == ["https://jx.example.cn/wechat/page"]


@pytest.mark.parametrize("host", ["https://api.weixin.qq.com", "https://sh.api.weixin.qq.com"])
async def test_people_are_asked_for_at_wechat_itself(tmp_path: Path, wechat: FakeWeChat, host: str) -> None:
    async with serving(tmp_path, wechat=wechat, wechat_api_url=host) as site:
        answer = await get(await site.page(session=False), ENTER)
    assert answer.leads_to.startswith("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef&")
    assert answer.leads_to.endswith("#wechat_redirect")


@pytest.mark.parametrize("hides_cookies", [False, True])
async def test_pressed_again_it_stays_the_same_page(site: Site, wechat: FakeWeChat, hides_cookies: bool) -> None:
    await follower(site, wechat)
    page = await site.page(session=False)
    await enters(page, hides_cookies=hides_cookies)
    token = page.token
    answer = await enters(page, hides_cookies=hides_cookies)
    assert answer.is_chat and "jingxiang" not in answer.set
    assert page.token == token
    assert len(await site.rows("SELECT address FROM contacts WHERE township_id = :t AND channel = 'web'")) == 1


async def test_a_page_that_was_joined_with_the_person_before_stays(site: Site, wechat: FakeWeChat) -> None:
    user = wechat.user("王大娘")
    page = await site.page()
    await person(site, AUNT, f"wechat:{user.openid}", page.address)
    user.holds_phone()
    token = page.token
    assert (await enters(page)).is_chat and page.token == token
    assert (await contact(site, page))["opened_from"] == "", "news goes on to where they wrote last"


async def test_a_follower_who_never_wrote_is_a_visitor(site: Site, wechat: FakeWeChat) -> None:
    wechat.user("李大爷").holds_phone()
    page = await site.page(session=False)
    answer = await enters(page)
    assert answer.is_chat and "jingxiang" not in answer.set
    assert await site.rows("SELECT id FROM people WHERE township_id = :t") == []
    await page.open()
    await person(site, VISITOR, page.address)
    token = page.token
    assert (await enters(page)).is_chat and page.token == token, "the page they began stays theirs"


async def test_somebody_who_was_erased_is_a_visitor(site: Site, wechat: FakeWeChat) -> None:
    await follower(site, wechat)

    async def erase(tx: Tx) -> None:
        await people.set_person(tx, AUNT, state="erased")

    await site.database.transaction(erase)
    page = await site.page(session=False)
    assert (await enters(page)).is_chat
    assert await site.rows("SELECT address FROM contacts WHERE township_id = :t AND channel = 'web'") == []


async def test_another_one_s_wechat_on_the_same_phone_leaves_nothing_of_the_first(
    site: Site, wechat: FakeWeChat
) -> None:
    await follower(site, wechat)
    page = await site.page(session=False)
    await enters(page)
    token = page.token
    await follower(site, wechat, UNCLE)
    answer = await enters(page)
    assert answer.is_chat and page.token != token
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert (await contact(site, page))["person_id"] == UNCLE
    wechat.user("不认识的人").holds_phone()
    token = page.token
    answer = await enters(page)
    assert answer.is_chat and page.token != token and await contact(site, page) is None
    assert answer.headers["Clear-Site-Data"] == '"storage"'


async def test_a_visitor_s_own_page_is_not_taken_away_unasked(site: Site, wechat: FakeWeChat) -> None:
    user = await follower(site, wechat)
    page = await site.page()
    await person(site, VISITOR, page.address)
    token = page.token
    answer = await enters(page)
    assert answer.status == 200 and OTHER in answer.body
    assert page.token == token and (await contact(site, page))["person_id"] == VISITOR
    [sure, stay] = re.findall(r'href="(/(?!static)[^"]*)"', answer.body)
    assert stay == "/"
    answer = await enters(page, sure)
    assert answer.is_chat and page.token != token
    row = await contact(site, page)
    assert (row["person_id"], row["opened_from"]) == (AUNT, f"wechat:{user.openid}")


@pytest.mark.parametrize(
    ("person_id", "here", "sure", "verdict"),
    [
        (None, None, False, "keep"),
        (None, {"person_id": 2, "opened_from": ""}, True, "keep"),
        (None, {"person_id": 2, "opened_from": "wechat:o"}, False, "leave"),
        (1, None, False, "sign"),
        (1, {"person_id": 1, "opened_from": ""}, True, "keep"),
        (1, {"person_id": 1, "opened_from": "wechat:o"}, False, "keep"),
        (1, {"person_id": 2, "opened_from": "wechat:o"}, False, "swap"),
        (1, {"person_id": 2, "opened_from": ""}, False, "ask"),
        (1, {"person_id": 2, "opened_from": ""}, True, "swap"),
    ],
)
def test_what_becomes_of_the_page(person_id: int | None, here: Any, sure: bool, verdict: str) -> None:
    assert judge(person_id, here, sure=sure) == verdict


async def test_with_several_townships_it_is_the_account_s(site: Site, wechat: FakeWeChat) -> None:
    await site.database.transaction(
        lambda tx: areas.set_township(tx, code="2", name="外乡", county="", province="", now_ms=1), township_id=2
    )
    await follower(site, wechat)
    page = await site.page(session=False)
    page.http.cookie_jar.update_cookies({"jingxiang_town": "2"}, URL(page.url))
    assert (await enters(page)).is_chat
    assert (await page.open())["code"] == "1"


# -- what must not happen


async def test_a_link_with_another_one_s_code_signs_nobody_in_as_them(site: Site, wechat: FakeWeChat) -> None:
    thief = await follower(site, wechat, UNCLE)
    trap = await comes_back(await site.page(session=False))
    victim = await follower(site, wechat, AUNT)
    page = await site.page(session=False)
    assert (await enters(page, trap)).is_chat
    assert (await contact(site, page))["person_id"] == AUNT
    page = await site.page(session=False)
    await get(page, ENTER)  # on the way to WeChat when the link comes
    assert (await enters(page, trap)).is_chat
    assert (await contact(site, page))["opened_from"] == f"wechat:{victim.openid}" != f"wechat:{thief.openid}"


async def test_a_planted_cookie_does_not_become_the_person_s(site: Site, wechat: FakeWeChat) -> None:
    await follower(site, wechat)
    thief, page = await site.page(), await site.page(session=False)
    page.http.cookie_jar.update_cookies({"jingxiang": thief.token}, URL(page.url))
    assert (await enters(page)).is_chat and page.token != thief.token
    assert await contact(site, thief) is None


async def test_who_only_looks_at_a_snapshot_is_told_how_to_go_on(site: Site, wechat: FakeWeChat) -> None:
    user = await follower(site, wechat)
    user.holds_phone(snapshot=True)
    page = await site.page(session=False)
    answer = await enters(page)
    assert SNAPSHOT in answer.body and not set(COOKIES) & set(answer.set)
    assert len(await site.rows("SELECT address FROM contacts WHERE township_id = :t")) == 1


async def test_loaded_again_it_asks_wechat_again(site: Site, wechat: FakeWeChat) -> None:
    await follower(site, wechat)
    page = await site.page(session=False)
    back = await comes_back(page)
    assert (await get(page, back)).is_chat
    token = page.token
    assert (await enters(page, back)).is_chat, "the back button"
    assert page.token == token


async def test_two_requests_with_one_code_end_in_the_chat(site: Site, wechat: FakeWeChat) -> None:
    """Some phones ask for the same address twice."""
    await follower(site, wechat)
    page = await site.page(session=False)
    back = await comes_back(page)
    entry = cookies_of(page)["jingxiang_entry"]
    assert (await get(page, back)).is_chat
    page.http.cookie_jar.update_cookies({"jingxiang_entry": entry}, URL(f"{page.url}{ENTER}"))
    assert (await enters(page, back)).is_chat


async def test_a_browser_without_cookies_does_not_go_round(site: Site, wechat: FakeWeChat) -> None:
    await follower(site, wechat)
    page = await site.page(session=False)
    await page.http.close()
    page.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    answer = await enters(page)
    assert answer.status == 400 and RETRY in answer.body and f'href="{ENTER}"' in answer.body
    assert len(wechat.called("oauth2/authorize")) == 2 and wechat.called("sns/oauth2") == []


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        ({"status": 502}, 503, RETRY),
        ({"errcode": -1}, 503, RETRY),
        ({"body": b"<html>"}, 503, RETRY),
        ({"errcode": 40125}, 503, RETRY),
        ({"errcode": 48001}, 403, "不能用微信登录"),
        ({"errcode": 12345}, 403, "不能用微信登录"),
        ({"errcode": 40029, "times": 2}, 400, "没有登录上"),
    ],
)
async def test_when_wechat_does_not_say_the_chat_is_open_all_the_same(
    site: Site, wechat: FakeWeChat, trouble: Any, status: int, words: str
) -> None:
    await follower(site, wechat)
    wechat.trouble("/sns/oauth2", **trouble)
    page = await site.page(session=False)
    answer = await enters(page)
    assert answer.status == status and words in answer.body and 'href="/"' in answer.body
    assert (await enters(page)).is_chat, "and the next time it works"


async def test_wechat_takes_too_long(site: Site, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    await follower(site, wechat)
    monkeypatch.setattr(wechat_page, "ANSWER_S", 0.05)
    wechat.trouble("/sns/oauth2", delay_s=2)
    answer = await enters(await site.page(session=False))
    assert answer.status == 503 and RETRY in answer.body


async def test_too_many_at_once_are_told_to_wait(
    tmp_path: Path, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechat_page, "ENTERS_PER_MINUTE", 2)
    async with serving(tmp_path, wechat=wechat) as site:
        await follower(site, wechat)
        answers = [await enters(await site.page(session=False)) for _ in range(3)]
    assert [answer.status for answer in answers] == [302, 302, 429]
    assert "请等一分钟" in answers[2].body


async def test_a_defect_is_a_kind_page_too(site: Site, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    await follower(site, wechat)

    async def failing(*_: Any, **__: Any) -> Any:
        raise OSError("disk")

    page = await site.page(session=False)
    with monkeypatch.context() as broken:
        broken.setattr(site.database, "transaction", failing)
        answer = await enters(page)
    assert answer.status == 500 and RETRY in answer.body and "disk" not in answer.body
    assert (await enters(page)).is_chat


async def test_it_speaks_the_phone_s_language(site: Site) -> None:
    page = await site.page(session=False)
    answer = await get(page, f"{ENTER}?code=x&state=r", **{"Accept-Language": "en-GB"})
    assert answer.status == 400 and "Try again" in answer.body and 'lang="en"' in answer.body


async def test_neither_code_nor_person_nor_secret_is_logged(
    site: Site, wechat: FakeWeChat, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    user = await follower(site, wechat)
    for trouble in ({"errcode": 48001}, {"errcode": 40163}, {"status": 500}):
        wechat.trouble("/sns/oauth2", **trouble)
        await enters(await site.page(session=False))
    await enters(await site.page(session=False))
    printed = "".join(capsys.readouterr()) + caplog.text
    codes = [call.query["code"] for call in wechat.called("/sns/oauth2")]
    assert "wechat.page_refused" in printed and len(codes) == 5
    assert not [word for word in (*codes, user.openid, wechat.world.secret) if word in printed]


ODD = st.text(max_size=30) | st.sampled_from(["r", "0" * 32, "0" * 32 + "r", "\x00", "http://evil.example", "../.."])
QUERIES = st.lists(st.tuples(st.sampled_from(["code", "state", "sure", "t", "x"]) | ODD, ODD), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=QUERIES.map(lambda pairs: "&".join(f"{quote(a)}={quote(b)}" for a, b in pairs)), raw=st.binary(max_size=20)
)
async def test_whatever_is_asked_leads_to_wechat_or_to_a_page(site: Site, query: str, raw: bytes) -> None:
    for said in (query, quote(raw, safe="=&%?/;+"), f"{query}&{quote(raw)}"):
        page = await site.page(session=False)
        for _ in range(2):  # without the cookie, then with one
            answer = await get(page, f"{ENTER}?{said}")
            assert answer.status in (302, 400), answer.body
            if answer.status == 302:
                assert answer.leads_to.startswith(site.settings.wechat_api_url + "/connect/oauth2/authorize?")
        await page.http.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entry=st.from_regex(r"[0-9a-f]{32}r?\.([0-9a-f]{64})?\.[01]", fullmatch=True)
    | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='";,\\'), max_size=120),
    code=st.text(max_size=20),
)
async def test_whatever_cookie_comes_with_it_signs_nobody_in(site: Site, entry: str, code: str) -> None:
    page = await site.page(session=False)
    state = entry.partition(".")[0]
    answer = await get(page, f"{ENTER}?code={quote(code)}&state={quote(state)}", Cookie=f"jingxiang_entry={entry}")
    assert answer.status in (302, 400) and not set(COOKIES) & set(answer.set)
    await page.http.close()


# -- WeChat's interfaces for the page


async def test_the_page_is_signed_for_wechat_s_interfaces(site: Site, wechat: FakeWeChat) -> None:
    page = await site.page()
    for path in ("/", "/?t=1&from=singlemessage", "/#t=1", "/?x=" + quote("桥头")):
        url = f"{page.url}{path}"
        status, body, headers = await page.get(f"/api/wechat/js?url={quote(url, safe='')}")
        assert status == 200 and headers["Cache-Control"] == "no-store"
        config = json.loads(body)
        assert config.pop("sdk") == "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
        assert is_signed(wechat.world, config, url)
        assert not is_signed(wechat.world, config, f"{page.url}/other")
    assert len(wechat.called("getticket")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "http://127.0.0.1/",
        "{0}.evil.example/",
        "{0}@evil.example/",
        "{0}x/",
        "https://evil.example/{0}/",
        "{0}/" + "x" * 3_000,
    ],
)
async def test_other_pages_are_not_signed(site: Site, url: str) -> None:
    page = await site.page()
    status, *_ = await page.get(f"/api/wechat/js?url={quote(url.format(page.url), safe='')}")
    assert status == 422


async def test_signing_is_for_pages_with_a_session_and_while_wechat_answers(site: Site, wechat: FakeWeChat) -> None:
    page = await site.page(session=False)
    assert (await page.get(f"/api/wechat/js?url={page.url}/"))[0] == 401
    await page.open()
    wechat.trouble("getticket", status=502)
    assert (await page.get(f"/api/wechat/js?url={page.url}/"))[0] == 503
    assert (await page.get(f"/api/wechat/js?url={page.url}/"))[0] == 200


async def test_who_asks_too_often_waits(site: Site) -> None:
    page = await site.page()
    found = [(await page.get(f"/api/wechat/js?url={page.url}/"))[0] for _ in range(40)]
    assert found[0] == 200 and found[-1] == 429


async def test_wechat_s_script_may_run_where_there_is_wechat_and_nothing_else(site: Site, tmp_path: Path) -> None:
    async with serving(tmp_path / "plain") as without:
        _, _, headers = await (await without.page()).get("/")
        assert "wx.qq.com" not in headers["Content-Security-Policy"]
        assert "wechat" not in await (await without.page()).open()
    page = await site.page()
    assert (await page.open())["wechat"] is True
    _, _, headers = await page.get("/")
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == "'self' https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
    assert policy["frame-src"] == "weixin:"
    assert policy["connect-src"] == "'self'" and policy["img-src"] == "'self' blob: data:"
    assert "unsafe" not in headers["Content-Security-Policy"]


# -- the file that proves the domain


async def test_the_file_that_wechat_looks_for_is_served_when_it_is_there(site: Site) -> None:
    page = await site.page(session=False)
    folder = site.folder / "verify"
    folder.mkdir()
    (site.folder / "secret.txt").write_text("geheim")
    (folder / "notes.txt").write_text("geheim")
    (folder / "MP_verify_Large1.txt").write_text("x" * 2_000)
    (folder / "MP_verify_Folder1.txt").mkdir()
    assert (await page.get("/MP_verify_aB3dE6gH9jK2.txt"))[0] == 404
    (folder / "MP_verify_aB3dE6gH9jK2.txt").write_text("aB3dE6gH9jK2")
    status, body, headers = await page.get("/MP_verify_aB3dE6gH9jK2.txt")
    assert (status, body) == (200, b"aB3dE6gH9jK2") and headers["Content-Type"].startswith("text/plain")
    for path in (
        "/MP_verify_Large1.txt",
        "/MP_verify_Folder1.txt",
        "/MP_verify_.txt",
        "/MP_verify_../notes.txt",
        "/MP_verify_x%2f..%2fnotes.txt",
        "/MP_verify_..%2f..%2fsecret.txt",
        "/MP_verify_%2e%2e%5c%2e%2e%5csecret.txt",
        "/MP_verify_a%00b.txt",
        "/MP_verify_" + "a" * 5_000 + ".txt",
        "/verify/notes.txt",
        "/notes.txt",
    ):
        answer = await get(page, path)
        assert answer.status == 404 and "geheim" not in answer.body, path
