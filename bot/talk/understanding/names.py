"""People as they are named in a sentence: «张三家», «给王秀兰», «李师傅», «老王». Pure.

A name is a surname with one or two letters behind it, where a name can begin and end: at a border of the sentence,
before «家», «的», a figure or a verb of bringing. Whether there is such a person only a register knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.talk.letters import HAN
from bot.talk.understanding.slots import Slot

# The commonest surnames, without those that are everyday words as well (水, 白, 田, 毛, 路 …).
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何罗郑梁谢宋唐许韩冯邓曹彭曾肖董袁潘蒋蔡余杜叶魏苏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾"
    "韦付邹孟熊秦邱尹薛阎雷侯龙陶贺顾郝龚邵钱严覃武戴莫孔汤温康施牛樊葛邢齐安乔伍庞颜倪庄聂章鲁岳翟殷詹申耿关焦左柳甘祝"
    "尚毕霍尤裴柴卜瞿车景党巩漆蔺苟芦寇强鄂慕逯"
)
TITLES = (
    "师傅|书记|主任|镇长|村长|社长|组长|队长|站长|所长|干部|老师|大夫|医生"
    "|大爷|大叔|大妈|大娘|大嫂|大哥|大姐|爷爷|奶奶|叔|婶|嫂|姨|伯|姐|哥"
)
_NUMERALS = "一二三四五六七八九十两半"
_BEFORE = rf"(?<![{HAN}])|(?<=[给替帮收把叫是称记登查看让请到村社组录补膜的了])"
_NEVER_SECOND = "家里村地路膜子车口河沟湾庄堡上下边头些了的在有是不到处个次天谢"
_GOES_ON = "家的户今昨拿交送拉来卖背补不调辞换负称是查看问办报"
_AFTER = (
    rf"(?=$|[^一-鿿]|[{_GOES_ON}{_NUMERALS}]"
    "|积分|地膜|棚膜|滴灌|名下|毛重|净重|进来|权限|儿子|媳妇)"
)
_NAME = re.compile(
    rf"(?:{_BEFORE})[{SURNAMES}](?![{_NEVER_SECOND}])(?:[{HAN}](?![{_NUMERALS}{_GOES_ON}])[{HAN}]{_AFTER}|[{HAN}]{_AFTER})"
)
_OF_A_NAME = rf"(?:(?![收了给替帮把叫])[{HAN}])"
_DOTTED = re.compile(rf"{_OF_A_NAME}{{1,8}}(?:[·•‧・]{_OF_A_NAME}{{1,8}})+")
_TITLED = re.compile(
    rf"[{SURNAMES}白田毛水高林](?:[{HAN}]{{0,2}}?)(?:{TITLES})(?![{HAN}]?[路街])"
    rf"|(?<![{HAN}])[老小][{SURNAMES}](?![{HAN}])|[老小][{SURNAMES}](?=[家说的])"
)


def people(said: str) -> Iterator[Slot]:
    """The people that words name; the value is the name as it was said."""
    for pattern in (_DOTTED, _TITLED, _NAME):
        for one in pattern.finditer(said):
            yield Slot("person", one.start(), one.end(), one.group())
