"""What people say in their own words, and what comes of it: every line of `tests/understanding/utterances.tsv`.

Beside each outcome stands what it is in the chat. «my_cases» and «urge» show one's reports; pressing on is reporting
once more, because staff have no list of what is pressed on yet.
"""

from __future__ import annotations

import re
from itertools import pairwise

import orjson
import pytest

from bot.talk.session import Session
from tests.stories.doings import HOUSEHOLD, belongs, cleaner_of, reports, weighs
from tests.stories.town import Someone, Town
from tests.understanding.example import HERE

SURELY_G = 200_000  # the example policy asks again above it


def told(role: str, *outcomes: str) -> list[tuple[str, dict[str, str]]]:
    """The words of a role with one of some outcomes, and the slots that are wanted of them."""
    found = []
    for line in (HERE / "utterances.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            who, words, rest = line.split("\t")
            outcome, *slots = rest.split(" ", 1)
            if who == role and outcome in outcomes:
                found.append((words, dict(re.findall(r"(\w+)=(.+?)(?= \w+=|$)", slots[0] if slots else ""))))
    assert found, (role, outcomes)
    return found


async def open_form(town: Town, someone: Someone) -> Session:
    """The conversation of somebody, with the form that is open."""
    rows = await town.rows(
        "SELECT body FROM sessions WHERE township_id = :t AND person_id = :person", person=await someone.person_id()
    )
    return Session.from_json(orjson.loads(rows[0]["body"]))


@pytest.mark.parametrize(("words", "slots"), told("villager", "report"))
async def test_a_complaint_opens_a_report_with_its_words(town: Town, words: str, slots: dict[str, str]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(words)
    form = (await open_form(town, aunt)).top
    assert form is not None and form.form == "report"
    assert form.answers["statement"] == words
    if "kind" in slots:
        assert form.answers.get("kind") in slots["kind"].split("|")
    if "place" in slots:
        assert slots["place"] == form.answers["place"]["label"]
    assert await town.rows("SELECT 1 FROM cases WHERE township_id = :t") == []


@pytest.mark.parametrize(("words", "_"), told("villager", "my_cases", "urge"))
async def test_who_asks_for_their_report_sees_it(town: Town, words: str, _: dict[str, str]) -> None:
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await aunt.says(words)
    assert any(number in heard.text for heard in aunt.news) or "催一催我报的事" in aunt.news[-1].labels
    assert len(await town.rows("SELECT 1 FROM cases WHERE township_id = :t")) == 1


async def test_what_is_still_there_is_reported_once_more_with_one_tap(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await aunt.says("上次说的桥头那堆垃圾还没人收")
    aunt.sees(number)
    await aunt.taps("反映这个问题")
    form = (await open_form(town, aunt)).top
    assert form is not None and form.answers["statement"] == "上次说的桥头那堆垃圾还没人收"


@pytest.mark.parametrize(("words", "_"), told("villager", "offer"))
async def test_a_question_that_may_be_a_complaint_is_asked_about(town: Town, words: str, _: dict[str, str]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(words)
    asked = aunt.sees("反映", words)
    assert "反映这个问题" in asked.labels
    await aunt.taps("反映这个问题")
    form = (await open_form(town, aunt)).top
    assert form is not None and form.form == "report" and form.answers["statement"] == words


@pytest.mark.parametrize(("words", "_"), told("villager", "elsewhere"))
async def test_what_is_not_ours_is_sent_to_who_handles_it(town: Town, words: str, _: dict[str, str]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(words)
    aunt.sees("不归我们这里办", "12345")
    assert (await open_form(town, aunt)).top is None


SMALL = {
    "垃圾已经拉走了 谢谢": ("谢谢您告诉一声",),
    "谢谢": ("不客气",),
    "在吗": (),  # a command's name as before: the menu
    "你是谁": ("程序",),
    "你是机器人吗": ("程序",),
    "？": ("我在",),
}


@pytest.mark.parametrize(("words", "_"), told("villager", "small"))
async def test_small_talk_gets_a_short_kind_answer(town: Town, words: str, _: dict[str, str]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(words)
    aunt.sees(*SMALL[words])
    assert (await open_form(town, aunt)).top is None


ANSWERED = {
    "points": ("积分",),
    "subsidy": ("补贴",),
    "rate": ("地膜", "县补", "《青禾塬镇全域无垃圾管理办法（示例）》"),
    "stations": ("王家沟回收点", "08:00-18:00"),
    "friday": ("下次集中整治",),
    "stop": ("提醒",),
    "help": ("不会打字也没关系",),
    "erase": ("删除",),
    "proxy": ("户主",),
}


@pytest.mark.parametrize("outcome", ANSWERED)
async def test_a_villager_is_answered(town: Town, outcome: str) -> None:
    for words, _ in told("villager", outcome):
        aunt = await town.person("王大娘")
        await belongs(town, aunt)
        await aunt.says(words)
        said = "\n".join(heard.text for heard in aunt.news)
        assert all(one in said for one in ANSWERED[outcome]), (words, said)


@pytest.mark.parametrize(("words", "slots"), told("cleaner", "weigh"))
async def test_a_weigh_in_told_in_a_sentence_is_reviewed(town: Town, words: str, slots: dict[str, str]) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(words)
    form = (await open_form(town, cleaner)).top
    assert form is not None and form.form == "weigh"
    assert slots["household"] in form.answers["household"]["label"]
    assert form.answers["weight"]["net_g"] == int(slots["g"])
    assert await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t") == []
    await cleaner.taps("记账")
    if int(slots["g"]) > SURELY_G:
        await cleaner.taps("对")  # so much is asked again
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 1


@pytest.mark.parametrize(("words", "slots"), told("cleaner", "fix"))
async def test_right_after_a_weigh_in_it_is_put_right(town: Town, words: str, slots: dict[str, str]) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says(words)
    cleaner.sees("F2026-00001", "张三", "撤回")
    await cleaner.taps("撤回这一单")
    cleaner.sees("F2026-00001")
    if "g" in slots:
        form = (await open_form(town, cleaner)).top
        assert form is not None and form.answers["weight"]["net_g"] == int(slots["g"])
        assert "张三" in form.answers["household"]["label"]
        await cleaner.taps("记账")
        cleaner.sees("F2026-00002")


async def test_a_kind_that_was_wrong_is_begun_anew_with_the_right_one(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says("刚才那个不对 是棚膜")
    await cleaner.taps("撤回这一单")
    cleaner.sees("棚膜", "15.6公斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00002", "棚膜")


async def test_of_a_clean_up_and_a_weigh_in_the_later_one_was_wrong(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    town.clock.advance(minutes=1)
    await cleaner.says("今天王家沟12人 3车 8方")
    await cleaner.taps("提交")
    await cleaner.says("错了")
    cleaner.sees("王家沟村的整治", "撤回")
    await cleaner.taps("撤回")
    await cleaner.says("错了")
    cleaner.sees("F2026-00001")


@pytest.mark.parametrize(("words", "_"), told("cleaner", "ticket", "tickets"))
async def test_a_cleaner_sees_what_was_weighed(town: Town, words: str, _: dict[str, str]) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says(words)
    cleaner.sees("15.6公斤")
    assert (await open_form(town, cleaner)).top is None


@pytest.mark.parametrize(("words", "_"), told("cleaner", "cleanup"))
async def test_a_clean_up_told_in_a_sentence_is_taken(town: Town, words: str, _: dict[str, str]) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(words)
    form = (await open_form(town, cleaner)).top
    assert form is not None and form.form == "cleanup"
    assert form.answers.get("people") or cleaner.sees("4辆")  # 台 and 辆 are never added: it is said and asked


async def test_what_was_weighed_on_a_day_that_is_over_is_that_day_s(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    town.clock.go_to("2026-11-24 10:00")
    await weighs(cleaner, "张三 10公斤")
    for words, sees in (
        ("11月18号收了多少", ("2026-11-18", "15.6公斤")),
        ("上周收了多少", ("2026-11-16", "11-22", "15.6公斤")),
        ("这个月收了几吨了", ("2026-11-01", "25.6公斤")),
        ("10月收了多少", ("2026-10-01", "10-31", "0 单")),
    ):
        await cleaner.says(words)
        cleaner.sees(*sees)


async def test_staff_ask_in_their_own_words(town: Town) -> None:
    staff = await town.person("刘主任", role="staff")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await staff.says("张三的积分")
    staff.sees("张三", "积分")
    for words, _ in told("staff", "cases"):
        await staff.says(words)
        staff.sees(number)
    for words, _ in told("staff", "rollcall"):
        await staff.says(words)
        staff.sees("整治" if "2026" not in words else "11月20日")
    await staff.says("昨天的日报")
    staff.sees("日报")
    await staff.says("给李师傅发个保洁员邀请")
    form = (await open_form(town, staff)).top
    assert form is not None and form.form == "invite"
    assert form.answers["role"] == {"id": "cleaner", "label": "保洁员"}


async def test_staff_correct_what_they_weighed(town: Town) -> None:
    staff = await town.person("刘主任", role="staff")
    await weighs(staff, f"{HOUSEHOLD} 15.6公斤")
    await staff.says("把刚才那张单子冲了")
    form = (await open_form(town, staff)).top
    assert form is not None and form.form == "correct_ticket" and form.answers["wrong"] == "void"


# -- half sure, and not at all


async def test_half_sure_asks_with_the_words_kept(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("骗人的吧没人管")
    asked = aunt.sees("骗人的吧没人管")
    assert 2 <= len(asked.buttons) <= 4
    await aunt.taps("都不是")
    aunt.sees("听错了")
    assert (await open_form(town, aunt)).top is None


async def test_something_else_ends_the_question(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("骗人的吧没人管")
    await aunt.says("我还有多少分")
    aunt.sees("积分")
    assert (await open_form(town, aunt)).top is None


async def test_never_the_same_answer_twice_in_a_row(town: Town) -> None:
    aunt = await town.person("王大娘")
    answers = []
    for words in ("咕叽咕叽啪", "咕叽咕叽啪", "咕叽咕叽啪啪", "谢谢", "谢谢"):
        await aunt.says(words)
        answers.append(aunt.news[-1].text)
    assert all(one != other for one, other in pairwise(answers))


async def test_who_may_not_is_told_who_may(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("哪个村没报周五整治")
    aunt.sees("工作人员")
    assert (await open_form(town, aunt)).top is None


# -- in the middle of a question


async def test_another_question_is_answered_and_the_open_one_asked_again(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    cleaner.sees("谁家的膜")
    await cleaner.says("地膜一斤多少钱")
    cleaner.sees("县补")
    cleaner.sees("谁家的膜")
    await cleaner.says("张三")
    cleaner.sees("什么膜")


async def test_another_job_is_done_and_the_open_question_asked_again(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says("称重")
    await cleaner.says("我今天一共收了多少斤膜")
    cleaner.sees("15.6公斤")
    cleaner.sees("谁家的膜")


async def test_what_a_question_takes_as_words_stays_words(town: Town) -> None:
    staff = await town.person("刘主任", role="staff")
    await weighs(staff, f"{HOUSEHOLD} 15.6公斤")
    await staff.says("更正称重 F2026-00001")
    await staff.taps("作废")
    await staff.says("膜一斤多少钱问错了")
    form = (await open_form(town, staff)).top
    assert form is None or form.answers.get("reason") == "膜一斤多少钱问错了"


async def test_a_description_of_what_is_reported_is_no_other_matter(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.says("一大堆塑料袋 臭得很")
    form = (await open_form(town, aunt)).top
    assert form is not None and "臭得很" in form.answers["statement"]


# -- several in one message


async def test_two_households_in_one_message_are_confirmed_one_by_one(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三三十斤 N0103 二十斤")
    cleaner.sees("张三", "15公斤", "N0103 二十斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "张三")
    cleaner.sees("张维新", "10公斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00002", "张维新")
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 2


async def test_of_three_households_none_is_dropped_without_a_word(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("收了张三30斤，N0103 20公斤，王正川 15公斤")
    for name, weight in (("张三", "15公斤"), ("张维新", "20公斤"), ("王正川", "15公斤")):
        cleaner.sees(name, weight)
        await cleaner.taps("记账")
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 3


async def test_gross_and_tare_of_one_household_are_one_weigh_in(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 毛重20公斤 李师傅称的皮重1公斤")
    form = (await open_form(town, cleaner)).top
    assert form is None or "rest" not in form.answers
