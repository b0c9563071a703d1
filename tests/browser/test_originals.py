"""Photos go out smaller; their originals follow when nothing else is to be sent and the line costs nobody anything."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress

import pytest
from PIL import Image
from playwright.async_api import Error, Route, expect

from tests.browser.chat import PATIENCE_MS, Chat, file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.browser.scene import dump_at_the_bridge
from tests.browser.test_reduced import stamped

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SIDES = (3000, 2250)
# A phone that tells its kind of line, which the test changes.
LINE = """() => {
  const line = Object.assign(new EventTarget(), { type: localStorage.line || "cellular", saveData: false });
  Object.defineProperty(navigator, "connection", { value: line });
}"""
CALM_S = 8
OF_CASE = (
    "SELECT o.id, o.size_bytes, o.width_px, o.lat, o.taken_ms FROM cases k"
    " JOIN case_media c ON c.township_id = k.township_id AND c.case_id = k.id"
    " JOIN media o ON o.township_id = c.township_id AND o.original_of = c.media_id WHERE k.number = :number"
)


def large(seed: int) -> bytes:
    """Some megabytes with something to see, as a phone's camera writes them."""
    scene = Image.open(io.BytesIO(dump_at_the_bridge(seed))).resize(SIDES)
    grain = Image.effect_noise(SIDES, 40).convert("RGB")
    return stamped(Image.blend(scene, grain, 0.2))


async def switches(aunt: Chat, line: str) -> None:
    """The phone goes to another line."""
    await aunt.ask(
        "line => { localStorage.line = line; navigator.connection.type = line;"
        " navigator.connection.dispatchEvent(new Event('change')); }",
        line,
    )


async def on_the_road(phone: PhoneMaker) -> Chat:
    """Somebody whose phone has no wifi just now."""
    aunt = await phone()
    await aunt.context.add_init_script(f"({LINE})()")
    await aunt.opens()
    await aunt.begins()
    return aunt


async def reports(aunt: Chat, content: bytes, place: str) -> str:
    await aunt.sends_files(file_of(content))
    await aunt.sees("像是在")
    await aunt.taps("不是")
    await aunt.sees("在哪里")
    await aunt.says(place)
    await aunt.taps("提交举报")
    await aunt.sees("编号 20")
    return await aunt.case_number()


async def arrived(program: Program, number: str) -> dict[str, object]:
    """The original of a case's photo, once it is here."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not (rows := program.rows(OF_CASE, number=number)):
            await asyncio.sleep(0.2)
    [row] = rows
    return row


async def test_it_waits_for_wifi_outlives_the_page_and_staff_look_at_it(phone: PhoneMaker, program: Program) -> None:
    staff = await phone(join=program.invite("staff", "赵家山"))
    aunt = await on_the_road(phone)
    content = large(1)
    number = await reports(aunt, content, "赵家山桥头")
    await asyncio.sleep(CALM_S)
    assert program.rows(OF_CASE, number=number) == [], "megabytes cost money on the road"

    await aunt.page.reload()
    await aunt.sees("收到了")
    await switches(aunt, "wifi")
    row = await arrived(program, number)
    assert (row["size_bytes"], row["width_px"]) == (len(content), SIDES[0])
    assert (row["lat"], row["taken_ms"]) == (None, None), "the smaller one says that already"

    await staff.sees(number)
    await staff.page.locator(".message.bot .thumb").last.click()
    await staff.page.get_by_role("button", name="看原图").click()
    picture = staff.page.locator("#viewer-stage img")
    await expect(picture).to_have_js_property("naturalWidth", SIDES[0], timeout=PATIENCE_MS)
    await expect(staff.page.locator("#viewer-full")).to_be_hidden()
    address = await picture.get_attribute("src")
    shown = await staff.page.request.get(f"{program.url}{address}")
    assert b"Exif" not in await shown.body()
    stranger = await phone(agreed=True)
    assert (await stranger.page.request.get(f"{program.url}{address}")).status == 404


async def test_a_message_does_not_wait_for_it(phone: PhoneMaker, program: Program) -> None:
    aunt = await on_the_road(phone)
    number = await reports(aunt, large(2), "马家岔桥头")
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def slow(route: Route) -> None:
        if route.request.method == "POST":
            begun.set()
            await let_go.wait()
        with suppress(Error):  # the page has given it up
            await route.continue_()

    await aunt.page.route("**/api/media?of=*", slow)
    await switches(aunt, "wifi")
    await asyncio.wait_for(begun.wait(), PATIENCE_MS / 1000)
    async with aunt.page.expect_event("requestfailed", lambda request: "of=" in request.url):
        await aunt.says("我的举报")
    await aunt.sees("您最近的")
    let_go.set()
    await arrived(program, number)


@pytest.mark.parametrize("kind", ["phone", "computer"])
async def test_who_does_not_tell_is_spared_on_a_phone_only(phone: PhoneMaker, program: Program, kind: str) -> None:
    aunt = await phone(agreed=True, is_mobile=kind == "phone", has_touch=kind == "phone")
    number = await reports(aunt, large(3 if kind == "phone" else 4), "红土坡桥头")
    if kind == "computer":
        await arrived(program, number)
        return
    await asyncio.sleep(CALM_S)
    assert program.rows(OF_CASE, number=number) == []


async def test_whoever_saves_data_is_spared_on_wifi_too(phone: PhoneMaker, program: Program) -> None:
    aunt = await on_the_road(phone)
    await aunt.ask("navigator.connection.saveData = true")
    number = await reports(aunt, large(5), "马家岔小学")
    await switches(aunt, "wifi")
    await asyncio.sleep(CALM_S)
    assert program.rows(OF_CASE, number=number) == []
