"""Numbers, weights and one-line jobs, as people say them."""

from __future__ import annotations

from decimal import Decimal

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.quantity import (
    GRAMS,
    QuantityError,
    format_kg,
    format_volume,
    format_yuan,
    parse_bags,
    parse_number,
    parse_people,
    parse_percent_bp,
    parse_vehicles,
    parse_volume_l,
    parse_weight_g,
)
from handlers.duties.words import Cleanup, parse_cleanup_line
from handlers.film.weighing.words import WeighReading, parse_weigh_line

WEIGHTS = {
    "15.6公斤": 15_600,
    "三十一斤半": 15_750,
    "31斤半": 15_750,
    "二十三斤半": 11_750,
    "2.3万斤": 11_500_000,
    "1万2千斤": 6_000_000,
    "一万二斤": 6_000_000,
    "1吨": 1_000_000,
    "两吨半": 2_500_000,
    "半吨": 500_000,
    "两千五百斤": 1_250_000,
    "两千五斤": 1_250_000,
    "一百二斤": 60_000,
    "一百零二斤": 51_000,
    "壹佰贰拾斤": 60_000,
    "15,6kg": 15_600,
    "1,200公斤": 1_200_000,
    "１５．６公斤": 15_600,
    "15㎏": 15_000,
    "15.6 公斤。": 15_600,
    "0.5t": 500_000,
    "半斤": 250,
    "二两": 100,
    "两两": 100,
    "3斤2两": 1_600,
    "三斤 二两": 1_600,
    "三斤二": 1_600,
    "三斤二两半": 1_630,
    "十五点六公斤": 15_600,
    "廿五斤": 12_500,
    "两千克": 2_000,
    "五千克": 5_000,
    "两万五千克": 25_000,
    "一万两千克": 12_000,
    "0公斤": 0,
    "15.678公斤": 15_680,
    "15.675公斤": 15_680,
    "15.674公斤": 15_670,
}


@pytest.mark.parametrize(("said", "grams"), WEIGHTS.items())
def test_a_weight_is_read_exactly(said: str, grams: int) -> None:
    assert parse_weight_g(said).grams == grams


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "not_a_number"),
        ("公斤", "not_a_number"),
        ("斤半", "not_a_number"),
        ("😀", "not_a_number"),
        ("1" * 500, "not_a_number"),
        ("15 6公斤", "not_a_number"),
        ("٣斤", "not_a_number"),
        ("15.公斤", "not_a_number"),
        (".5公斤", "not_a_number"),
        ("一千万亿万斤", "not_a_number"),
        ("15.6", "unit_missing"),
        ("一百二", "unit_missing"),
        ("15.6米", "unit_unknown"),
        ("-5公斤", "negative"),
        ("负五斤", "negative"),
        ("15.6789公斤", "too_precise"),
        ("4克", "too_precise"),
        ("二十多斤", "vague"),
        ("20多斤", "vague"),
        ("百余斤", "vague"),
        ("十几斤", "vague"),
        ("几斤", "vague"),
        ("十来斤", "vague"),
        ("三五斤", "vague"),
        ("七八斤", "vague"),
        ("十七八斤", "vague"),
        ("二三十斤", "vague"),
        ("10-12公斤", "vague"),
        ("10~12公斤", "vague"),
        ("十到十二斤", "vague"),
        ("大概5斤", "vague"),
        ("5斤左右", "vague"),
        ("9999999吨", "too_large"),
        ("99999999999999999999公斤", "too_large"),
    ],
)
def test_what_is_no_exact_weight_is_refused_with_its_reason(said: str, code: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_weight_g(said)
    assert caught.value.code == code


def test_a_bare_number_takes_only_the_unit_the_caller_gives() -> None:
    assert parse_weight_g("15.6", default_unit="公斤").grams == 15_600
    assert parse_weight_g("15.6", default_unit="斤").grams == 7_800
    assert parse_weight_g("半", default_unit="斤").grams == 250
    assert parse_weight_g("15.6斤", default_unit="公斤").grams == 7_800


def test_the_unit_said_is_kept() -> None:
    assert parse_weight_g("31斤半").unit == "斤"
    assert parse_weight_g("五千克").unit == "千克"
    assert parse_weight_g("2KG").unit == "kg"


@given(st.integers(1, 99_999_999))
def test_chinese_numerals_agree_with_an_independent_reader(value: int) -> None:
    assert parse_number(cn2an.an2cn(value)) == value
    assert parse_number(cn2an.an2cn(value, "up")) == value


@given(st.integers(1, 9_999_999), st.integers(0, 999))
def test_spoken_decimals_agree_with_an_independent_reader(whole: int, thousandths: int) -> None:
    number = Decimal(whole) + Decimal(thousandths) / 1000
    assert parse_number(cn2an.an2cn(str(number))) == number


@given(st.integers(1, 10**8), st.sampled_from(["公斤", "千克", "kg"]))
def test_a_printed_weight_reads_back_as_itself(steps: int, unit: str) -> None:
    grams = steps * 10 % 10**9 + 10
    if grams <= 10**9:
        assert parse_weight_g(f"{format_kg(grams)}{unit}").grams == grams


@given(st.text(max_size=30))
def test_any_text_is_a_weight_or_a_coded_refusal(said: str) -> None:
    try:
        assert 0 <= parse_weight_g(said, default_unit="公斤").grams <= 10**9
    except QuantityError as problem:
        assert problem.code and len(problem.said) <= 40


@given(st.text(alphabet="0123456789.,零一二两三十百千万亿半点斤公吨克kgt多 -张王毛皮净重家%杂质", max_size=25))
def test_any_words_of_the_trade_are_read_or_refused(said: str) -> None:
    for read in (parse_weigh_line, parse_cleanup_line, parse_number, parse_volume_l, parse_percent_bp):
        try:
            read(said)
        except QuantityError as problem:
            assert problem.code


def test_counts_volumes_and_percentages() -> None:
    assert parse_people("十二个人").value == 12
    assert (parse_people("35人次").value, parse_people("35人次").unit) == (35, "人次")
    assert parse_vehicles("两辆车").value == 2
    assert parse_vehicles("3", default_unit="车").value == 3
    assert parse_bags("7袋").value == 7
    assert parse_volume_l("8.5m³").litres == 8_500
    assert parse_volume_l("两立方半").litres == 2_500
    assert [parse_percent_bp(said) for said in ("5%", "百分之五", "5个点", "2.5%", "0")] == [500, 500, 500, 250, 0]


@pytest.mark.parametrize(
    ("said", "code"),
    [("1.5人", "too_precise"), ("几十人", "vague"), ("5000001人", "too_large"), ("3吨", "unit_unknown")],
)
def test_odd_counts_are_refused(said: str, code: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_people(said)
    assert caught.value.code == code


def test_more_than_all_of_it_is_no_percentage() -> None:
    with pytest.raises(QuantityError) as caught:
        parse_percent_bp("120%")
    assert caught.value.code == "too_large"


def test_numbers_print_without_needless_zeros_and_money_with_two_places() -> None:
    assert [format_kg(grams) for grams in (15_750, 15_600, 12_000, 10, 0)] == ["15.75", "15.6", "12", "0.01", "0"]
    assert [format_yuan(fen) for fen in (394, 5, 100_000, -50)] == ["3.94", "0.05", "1000.00", "-0.50"]
    assert format_volume(8_500) == "8.5"


def net(name: str, grams: int, **more: object) -> WeighReading:
    return WeighReading(name, net_g=grams, **{"unit": "公斤", **more})  # type: ignore[arg-type]


LINES = {
    "张三 15.6公斤": [net("张三", 15_600)],
    "张三15.6公斤": [net("张三", 15_600)],
    "张三：15.6公斤": [net("张三", 15_600)],
    "15.6公斤 张三": [net("张三", 15_600)],
    "张三 三十一斤半": [net("张三", 15_750, unit="斤")],
    "王三 五斤": [net("王三", 2_500, unit="斤")],
    "王三五斤": [net("王三", 2_500, unit="斤")],
    "N0123 12公斤": [net("N0123", 12_000)],
    "赵七斤 12公斤": [net("赵七斤", 12_000)],
    "陆伍 3公斤": [net("陆伍", 3_000)],
    "多吉 5公斤": [net("多吉", 5_000)],
    "毛三 12公斤": [net("毛三", 12_000)],
    "张三 棚膜 12公斤": [net("张三", 12_000, kind="greenhouse")],
    "李家社 张三 12公斤": [net("李家社 张三", 12_000)],
    "张三，15.6公斤，杂质5%": [net("张三", 15_600, impurity_bp=500)],
    "张三 15.6公斤 扣5": [net("张三", 15_600, impurity_bp=500)],
    "张三家 12公斤": [net("张三家", 12_000), net("张三", 12_000)],
    "张三 毛16公斤": [WeighReading("张三", gross_g=16_000, unit="公斤")],
    "张三家 毛16 皮0.4 公斤 杂质5%": [
        WeighReading(name, 16_000, 400, 15_600, 500, "公斤") for name in ("张三家", "张三")
    ],
    "毛三 毛16 皮0.4公斤": [WeighReading("毛三", 16_000, 400, 15_600, None, "公斤")],
    "张三毛16皮0.4公斤": [WeighReading("张三", 16_000, 400, 15_600, None, "公斤")],
    "张三 16公斤 皮0.4": [WeighReading("张三", 16_000, 400, 15_600, None, "公斤")],
    "张三 毛重：16公斤 净重：15.6公斤": [WeighReading("张三", 16_000, 400, 15_600, None, "公斤")],
}


@pytest.mark.parametrize(("said", "readings"), LINES.items())
def test_a_weigh_in_line_is_read(said: str, readings: list[WeighReading]) -> None:
    assert list(parse_weigh_line(said, kinds={"棚膜": "greenhouse"})) == readings


def test_a_name_that_may_end_in_a_numeral_gives_every_reading_longest_name_first() -> None:
    found = {reading.name_text: reading.net_g for reading in parse_weigh_line("张三三十一斤半")}
    assert found["张三"] == 15_750
    assert found["张三三"] == 5_750
    assert list(found) == sorted(found, key=len, reverse=True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("王家沟桥头有人倒垃圾", "not_a_number"),
        ("张三家门口有两三堆垃圾", "not_a_number"),
        ("N0123", "not_a_number"),
        ("15.6公斤", "name_missing"),
        ("张三 15.6", "unit_missing"),
        ("张三 二十多斤", "vague"),
        ("张三 15.6公斤左右", "vague"),
        ("张三 -5公斤", "negative"),
        ("张三 0.0001公斤", "too_precise"),
        ("张三 999999999公斤", "too_large"),
        ("张三 毛0.4公斤 皮16公斤", "tare_exceeds_gross"),
        ("张三 毛16公斤 皮1公斤 净10公斤", "mismatch"),
        ("张三 十斤 五斤", "repeated"),
        ("张三 15.6公斤 杂质0.5公斤", "unit_unknown"),
    ],
)
def test_a_weigh_in_line_is_refused_with_its_reason(said: str, code: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_weigh_line(said)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("said", "effort"),
    [
        ("12人 3车 8方", (12, 3, 8_000)),
        ("12人3车8方", (12, 3, 8_000)),
        ("人12 车3 方8", (12, 3, 8_000)),
        ("十二个人，两辆车，八方半", (12, 2, 8_500)),
        ("出动群众35人次，清运垃圾8.5方", (35, None, 8_500)),
        ("三台村 12人", (12, None, None)),
        ("清理一个垃圾堆 12人", (12, None, None)),
        ("铲车3台班 清垃圾12方", (None, None, 12_000)),
        ("0人", (0, None, None)),
    ],
)
def test_a_cleanup_line_is_read_and_what_is_not_said_stays_unknown(said: str, effort: tuple[int | None, ...]) -> None:
    found = parse_cleanup_line(said)
    assert (found.people, found.vehicles, found.volume_l) == effort


@pytest.mark.parametrize(
    ("said", "code"),
    [("没有", "not_a_number"), ("20多人", "vague"), ("几十人", "vague"), ("-3人", "negative"), ("3车 5台", "repeated")],
)
def test_a_cleanup_line_is_refused_with_its_reason(said: str, code: str) -> None:
    with pytest.raises(QuantityError) as caught:
        parse_cleanup_line(said)
    assert caught.value.code == code


def test_units_of_effort_are_kept_as_said() -> None:
    assert parse_cleanup_line("35人次 3台次") == Cleanup(35, 3, None, "人次", "台次")


def test_every_unit_of_weight_reads_alone() -> None:
    for unit, grams in GRAMS.items():
        assert parse_weight_g(f"100{unit}").grams == 100 * grams
