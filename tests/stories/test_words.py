"""Words are words: what is typed in the middle of a question is taken for what it is, and the question comes back."""

from __future__ import annotations

import pytest

from tests.stories.doings import SENTENCE, belongs, cleaner_of, number_and_code, reports, weighs
from tests.stories.town import Town

# -- numbers, at any time


@pytest.mark.parametrize("said", ["F2026-00001", "f1", "00001", "单号 F2026-00001", "单号：00001"])
async def test_a_ticket_s_number_in_the_middle_of_a_weigh_in_shows_it_and_asks_again(town: Town, said: str) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says("称重")
    await cleaner.says(said)
    cleaner.sees("称重单 F2026-00001", "折净 15.6公斤")
    assert "谁家的膜" in cleaner.last.text
    await cleaner.says("张三")
    cleaner.sees("什么膜")


@pytest.mark.parametrize("said", ["2026-0001", "0001", "编号 2026-0001", "编号：2026-0001", "案件2026-0001"])
async def test_a_case_s_number_shows_it_with_and_without_an_open_question(town: Town, said: str) -> None:
    villager = await town.person("王大娘")
    await reports(villager)
    await villager.says(said)
    villager.sees("2026-0001 乱倒垃圾")
    await villager.says(SENTENCE)
    villager.sees("照片")
    await villager.says(said)
    villager.sees("2026-0001 乱倒垃圾")
    assert "照片" in villager.last.text


async def test_a_figure_is_no_number_of_a_case(town: Town) -> None:
    """«1200» at the question for the weight asks for its unit, whatever case there is."""
    cleaner = await cleaner_of(town)
    await reports(await town.person("王大娘"))
    await cleaner.says("称重")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says("1200")
    cleaner.sees("斤还是公斤")


async def test_what_was_printed_can_be_sent_back(town: Town) -> None:
    """The line of the list, and the whole receipt: it claims nothing before the case is decided, and opens nothing."""
    villager = await town.person("王大娘")
    await villager.says(SENTENCE)
    await villager.taps("跳过")
    await villager.taps("改留名")
    await villager.taps("匿名")
    await villager.taps("提交")
    receipt = villager.sees("收到了")
    number, code = number_and_code(receipt)
    await villager.says(receipt.text.splitlines()[0])
    villager.sees(f"{number} 乱倒垃圾")
    labelled = f"领奖 {number} 领奖码 {code}", f"编号 {number} 领奖码 {code}", f"{number}，领奖码：{code}"
    for said in (receipt.text, *labelled):
        await villager.says(said)
        villager.sees(f"{number} 还在核实")


async def test_lines_of_the_list_of_tickets_can_be_sent_back(town: Town) -> None:
    """«10:23 张三 15.6公斤 F2026-00001» is the ticket, not another weigh-in of 张三."""
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await cleaner.says("今天收了多少")
    line = cleaner.sees("今天 1 单").text.splitlines()[-1]
    await cleaner.says(line)
    cleaner.sees("称重单 F2026-00001")
    cleaner.sees_not("请看对不对")


async def test_every_command_takes_the_number_that_people_see(town: Town) -> None:
    cleaner, staff = await cleaner_of(town), await town.person("李干事", role="staff")
    await weighs(cleaner, "张三 1200公斤")
    await cleaner.taps("对，记上")
    cleaner.sees("F2026-00001 先存着")
    await staff.says("/weight F2026-00001 ok")
    staff.sees("已认可 F2026-00001")
    farmer = await town.person("张三")
    await belongs(town, farmer)
    await farmer.says("称重不对 F2026-00001")
    await farmer.says("我交的是120公斤")
    farmer.sees("有人核对 F2026-00001")
    await staff.says("/objection 1 uphold")
    staff.sees("为什么维持")


# -- 取消, everywhere


async def test_cancel_is_understood_at_a_confirmation(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says("1200公斤")
    cleaner.sees("没看错吧")
    await cleaner.says("取消")
    cleaner.sees("先不办了")
    assert await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t") == []


@pytest.mark.parametrize("said", ["取消", "算了不报了", "算了，先不报了吧", "那就不报了", "退出"])
async def test_who_means_cancel_is_let_go_at_every_step_of_a_report(town: Town, said: str) -> None:
    villager = await town.person("王大娘")
    for way in ([], ["跳过"], ["跳过", "王家沟"], ["跳过", "王家沟", "改留名"]):
        await villager.says("我要举报")
        await villager.taps("乱倒垃圾")
        for label in way:
            await villager.taps(label)
        await villager.says(said)
        villager.sees("「举报」先不办了")
    assert await town.rows("SELECT 1 FROM cases WHERE township_id = :t") == []


async def test_cancel_under_the_last_doubt_writes_nothing(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await weighs(cleaner, "张三 15.6公斤")
    cleaner.sees("再记一次吗")
    await cleaner.says("算了")
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 1


# -- one question, one bubble, two exits


async def test_a_weigh_in_that_looks_like_the_last_one_is_asked_about_in_one_bubble(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    await weighs(cleaner, "张三 15.6公斤")
    assert [one.labels for one in cleaner.news] == [["对，记上", "不记"]]
    cleaner.sees("再记一次吗", "确定要记吗")
    await cleaner.taps("不记")
    cleaner.sees("没有记")


async def test_a_name_of_several_houses_is_asked_about_in_one_bubble(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("王建国 20公斤")
    assert len(cleaner.news) == 1
    asked = cleaner.sees("叫「王建国」的有 2 户", "谁家的膜")
    assert "上一步" not in asked.labels
    assert asked.labels[-1] == "取消"


async def test_what_is_wrong_with_a_line_and_the_question_are_one_bubble(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 一吨多")
    assert len(cleaner.news) == 1
    cleaner.sees("说得不准", "多重")


# -- commands with what stands behind them


@pytest.mark.parametrize("line", ["称重 张三 15公斤", "称重张三 15公斤", "称重：张三15公斤", "收膜 张三 15公斤"])
async def test_a_command_s_name_before_the_line_is_no_part_of_it(town: Town, line: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(line)
    cleaner.sees("张三", "15公斤", "记账")


async def test_a_command_s_name_is_followed_by_what_it_takes(town: Town) -> None:
    villager = await town.person("王大娘")
    await villager.says("改称呼 王大妈")
    villager.sees("叫您王大妈")
    await villager.says("提醒 off")
    villager.sees("不再提醒您了")
    await villager.says("提醒 开")
    villager.sees("照常提醒")
    await villager.says("绑定 17050 80123")
    villager.sees("这个码不对")
    staff = await town.person("李干事", role="staff")
    await staff.says("点名 2026-11-13")
    staff.sees("集中整治点名 2026-11-13")
    await staff.says("点名11月13日")
    staff.sees("集中整治点名 2026-11-13")
    await staff.says("积分 张三")
    staff.sees("张三")


async def test_a_sentence_that_begins_like_a_command_is_none(town: Town) -> None:
    """«积分 …» of a villager has nobody to look up, and «举报…» with a sentence behind it is the report."""
    villager = await town.person("王大娘")
    await villager.says(f"举报 {SENTENCE}")
    villager.sees("照片")
    await villager.says("取消")
    await villager.says("绑定了咋还看不到呢")
    villager.sees("一步一步问您")


# -- another matter in the middle of a question


async def test_another_matter_inside_a_weigh_in_is_done_and_the_question_comes_back(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    cleaner.sees("谁家的膜")
    await cleaner.says("今天收了多少")
    cleaner.sees("今天还没有称重")
    assert "谁家的膜" in cleaner.last.text
    await cleaner.says("今天王家沟12个人扫了街 拉了3车 8方")
    cleaner.sees("12 人", "3 车", "8 方", "提交")
    await cleaner.taps("提交")
    cleaner.sees("记下了：王家沟村")
    assert "谁家的膜" in cleaner.last.text
    await cleaner.says(SENTENCE)
    cleaner.sees("照片")
    await cleaner.says("取消")
    assert "谁家的膜" in cleaner.last.text


async def test_a_weigh_in_of_a_name_nobody_has_asks_only_whose(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("换膜 60公斤")
    cleaner.sees("没找到「换膜", "谁家的膜")


async def test_a_work_line_is_work_where_a_name_is_asked(town: Town) -> None:
    cleaner = await cleaner_of(town, "")
    await cleaner.says("改称呼")
    cleaner.sees("怎么称呼您")
    for said in ("记账", "我要举报", "提交举报", "15.6公斤", "12345"):
        await cleaner.says(said)
        assert "怎么称呼您" in cleaner.last.text or "取消" in cleaner.last.labels, said
        if "怎么称呼您" not in cleaner.last.text:
            await cleaner.says("取消")
    await cleaner.says("张三 15.6公斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001")
    assert "怎么称呼您" in cleaner.last.text
    await cleaner.says("李师傅")
    cleaner.sees("叫您李师傅")


# -- words to a question for something else


async def test_captions_are_read_like_texts_in_their_order(town: Town) -> None:
    villager = await town.person("王大娘")
    await villager.says("我要举报")
    await villager.taps("露天垃圾")
    await villager.sends_photo(caption="垃圾桶满了")
    await villager.sends_photo(caption="王家沟桥头")
    await villager.sends_photo(caption="臭得很")
    await villager.taps("发完了")
    review = villager.sees("请看对不对", "王家沟村 桥头", "3 张")
    at = [review.text.index(one) for one in ("垃圾桶满了", "臭得很")]
    assert at == sorted(at)


async def test_the_caption_of_an_album_s_second_photo_is_kept(town: Town) -> None:
    villager = await town.person("王大娘")
    await villager.says(SENTENCE)
    await villager.sends_photo(2, album=True)
    await villager.sends_photo(caption="是黑色的塑料袋")
    await villager.taps("发完了")
    villager.sees("请看对不对", "黑色的塑料袋")


async def test_words_to_the_question_for_a_photo_are_description_place_or_no_photo(town: Town) -> None:
    villager = await town.person("王大娘")
    await villager.says("李家湾小学有人倒垃圾")
    villager.sees("照片")
    await villager.says("是黑色的塑料袋")
    villager.sees("记下了", "照片")
    await villager.says("地点不对，是王家沟桥头")
    villager.sees("记下了", "照片")
    await villager.says("没照片")
    review = villager.sees("请看对不对", "王家沟村 桥头", "黑色的塑料袋")
    assert "地点不对" not in review.text
    await villager.says("还有一股臭味")
    villager.sees("请看对不对", "臭味")
    await villager.taps("提交")
    villager.sees("收到了")


async def test_words_to_the_question_for_the_kind(town: Town) -> None:
    villager = await town.person("王大娘")
    await villager.says("我要举报")
    villager.sees("看到什么问题")
    await villager.says("黑乎乎的一大片")
    asked = villager.sees("记下了", "看到什么问题")
    assert "数字" not in asked.text.split("\n\n")[0]
    await villager.says("河里漂的都是塑料袋")
    villager.sees("照片")
    await villager.says("没拍到")
    await villager.says("王家沟桥头")
    villager.sees("请看对不对", "河道垃圾", "黑乎乎的一大片")


async def test_a_number_and_its_label_together_are_that_answer(town: Town) -> None:
    villager = await town.person("王大娘")
    for said in ("【3】河道垃圾", "3、河道垃圾", "3. 河道垃圾", "（3）河道垃圾", "3"):
        await villager.says("我要举报")
        await villager.says(said)
        villager.sees("照片")
        await villager.says("取消")


# -- weights as people write them


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("张三 31。5斤", "15.75公斤"),
        ("张三 31·5斤", "15.75公斤"),
        ("N0123 一吨二", "1200公斤"),
        ("张三 十五公斤六", "15.6公斤"),
        ("张三 两吨三", "2300公斤"),
        ("张三15。6公斤", "15.6公斤"),
        ("张三 16公斤毛重 0.4公斤皮重", "15.6公斤"),
    ],
)
async def test_weights_as_people_write_them(town: Town, line: str, shown: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(line)
    cleaner.sees("张三", shown, "记账")


@pytest.mark.parametrize("line", ["张三", "称重 张三", "张三 31。。5斤", "张三 3x5"])
async def test_only_what_is_missing_is_asked(town: Town, line: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(line)
    cleaner.sees("多重")
    await cleaner.says("15.6公斤")
    cleaner.sees("张三", "15.6公斤", "记账")


@pytest.mark.parametrize(
    ("said", "net"), [("皮0.4公斤", "净重 15.6公斤"), ("八两", "净重 15.6公斤"), ("没有袋子", "净重 16公斤")]
)
async def test_a_gross_weight_asks_for_the_tare_and_keeps_the_gross(town: Town, said: str, net: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says("16公斤 毛重")
    cleaner.sees("毛重 16公斤", "皮重也说上")
    await cleaner.says(said)
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "毛重 16公斤", net)


async def test_a_tare_that_can_not_be_is_asked_again(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 毛16公斤")
    await cleaner.says("17公斤")
    await cleaner.taps("记账")
    cleaner.sees("皮重 17公斤 不能大于或等于毛重 16公斤")
    assert "皮重也说上" in cleaner.last.text
    await cleaner.says("1公斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "净重 15公斤")


async def test_a_report_as_somebody_else_is_not_shown(town: Town) -> None:
    """A short number of somebody else's case shows nothing of it."""
    villager, neighbour = await town.person("王大娘"), await town.person("李婶")
    await reports(villager)
    await neighbour.says("0001")
    neighbour.sees("没有找到案件")


async def test_a_weigher_s_photo_asks_what_it_is_of(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.sends_photo()
    assert cleaner.sees("称重的，还是举报的").labels[:2] == ["称重", "举报"]
    await cleaner.says("张三 15.6公斤")
    cleaner.sees("张三", "15.6公斤", "1 张", "记账")
    await cleaner.says("取消")
    await cleaner.sends_photo()
    await cleaner.taps("举报")
    assert "在哪里" in cleaner.last.text
    await cleaner.says("取消")
    await cleaner.sends_photo()
    await cleaner.says(SENTENCE)
    cleaner.sees("举报，请看对不对", "王家沟村 桥头", "1 张")
