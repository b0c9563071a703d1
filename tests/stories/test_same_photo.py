"""The same picture in two reports: whoever decides is told, whoever sent it and however it was packed."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.stories.doings import number_of
from tests.stories.someone import Someone
from tests.stories.town import Town
from tests.talk.test_pictures_mended import scene, stored

only_with_web = pytest.mark.parametrize("town", ["web"], indirect=True)


async def files(someone: Someone, content: bytes, words: str) -> str:
    """Report with that photo; the case's number."""
    await someone.sends_photo(content=content)
    await someone.says(words)
    await someone.taps("提交")
    number = number_of(someone.sees("收到了"))
    await someone.town.tick()
    return number


async def test_staff_see_the_same_photo_in_another_report(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    first = await files(await town.person("王大娘"), stored(scene(1)), "王家沟桥头有人倒垃圾")
    await staff.says(f"/case {first}")
    staff.sees_not("照片与")
    aunt = await town.person("李大爷")
    second = await files(aunt, stored(scene(1)), "柳树湾小学门口有人倒垃圾")
    await staff.says(f"/case {second}")
    staff.sees(f"照片与 {first} 相同")
    await staff.says(f"/case {first}")
    staff.sees(f"照片与 {second} 相同")
    await aunt.says(f"/case {second}")
    aunt.sees_not("照片与")


async def test_the_same_picture_packed_anew_is_told_too(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    first = await files(aunt, stored(scene(2, (800, 600)), quality=90), "王家沟桥头有人倒垃圾")
    again = stored(scene(2, (800, 600)).resize((480, 360), Image.Resampling.BILINEAR), quality=55)
    second = await files(aunt, again, "柳树湾小学门口有人倒垃圾")
    await staff.says(f"/case {second}")
    staff.sees(f"照片与 {first} 很像是同一张")
    staff.sees_not("相同")


async def test_another_picture_is_another(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    await files(aunt, stored(scene(2)), "王家沟桥头有人倒垃圾")
    other = await files(aunt, stored(scene(3)), "王家沟桥头又有人倒垃圾")
    await staff.says(f"/case {other}")
    staff.sees("重复")
    staff.sees_not("照片与")


@only_with_web
async def test_the_notice_of_a_report_says_it_already(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    first = await files(aunt, stored(scene(4)), "王家沟桥头有人倒垃圾")
    await files(await town.person("李大爷"), stored(scene(4)), "王家沟桥头有人倒垃圾")
    assert any(f"照片与 {first} 相同" in heard.text for heard in keeper.heard)


async def test_what_a_picture_looked_like_three_months_ago_is_not_looked_for(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    await files(aunt, stored(scene(5, (800, 600)), quality=90), "王家沟桥头有人倒垃圾")
    town.clock.advance(days=91)
    second = await files(aunt, stored(scene(5, (800, 600)), quality=60), "柳树湾小学门口有人倒垃圾")
    await staff.says(f"/case {second}")
    staff.sees_not("很像")
