"""People: consent, invitations, roles, joined contacts, households, erasure, reminders, the menu."""

from __future__ import annotations

from tests.stories.town import Someone, Town


async def test_the_first_words_are_kept_until_consent(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.says("谁负责王家沟")
    aunt.sees("记什么", "删除我的信息")
    assert aunt.last.labels[:2] == ["同意", "不同意"]
    aunt.sees_not("负责的人")
    await aunt.taps("同意")
    aunt.sees("记下了")
    aunt.sees("王家沟")
    rows = await town.rows("SELECT version, answer FROM consents WHERE township_id = :t")
    assert [tuple(row) for row in rows] == [(1, "agreed")]
