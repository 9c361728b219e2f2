"""Whether a time is told or asked for: 早上坏的 was this morning, 早上来 is the next one."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from nlp.when.said import Span

#: Something was lost or found, or has been going on: wherever in the text.
_HAPPENED: Final = re.compile(
    r"丢了|丢的|掉了|掉的|捡到|捡着|捡了|拾到|拾着|拾了|忘在|忘了|落在|落了|不见了|被偷|偷了|遗失|失窃|失踪|放门岗|开走了|又在(?:敲|吵|装|砸|唱|打)|还骂|骂人|摘下来|吵醒"
)
#: In the same breath.
_HERE: Final = re.compile(r"刚才|刚刚|发现|差点|吵得|吵到|闹得|闹到|上次|上回")
#: Behind the time, in the same breath: it is over.
_OVER: Final = re.compile(
    r".{0,12}?(?:(?<!不[来去用要])了(?!吧|吗|没|再|就|解)|(?<![路通超不经])过(?!来|去|年|生日|道|户|节|时|敏|滤)|的时候|打完|还好好|没拿|报的|报修的|说的|提的|约的|修的|坏的|漏的|买的|抢的|弄的|起就)"
)
#: A wish or a plan in the same breath speaks against it.
_WANTED: Final = re.compile(
    r"要|能|可以|请|麻烦|想|会(?!所|议|馆)|(?<![下上起回过出就])来(?!了|过|的)|吗|(?<!什)么|是不是|吧|改|约(?!的)|行不|得不|有空|有没有|上门|在家|以后|之后"
    r"|记得|提醒|别|截止|报名|打算|准备|集合|开始|取消|延|推|挪|不(?:来|去|用|擦|做|修|订|办|搬|开)|到(?!了)|[?]"
)
#: … also in front of the time, fewer words.
_WANTED_BEFORE: Final = re.compile(r"改|约|订|定|请|麻烦|取消|推|挪|延|换成|调")
#: So many characters beside the time make a story.
_TALK: Final = 10
_BREATH: Final = re.compile(r"[,。!?;\s]")


class Telling:
    """A text that may tell what happened; what holds of the whole of it is looked for once."""

    def __init__(self, plain: str) -> None:
        self._plain = plain

    @cached_property
    def _happened(self) -> bool:
        return _HAPPENED.search(self._plain) is not None

    @cached_property
    def _story(self) -> bool:
        """Nothing is wished for anywhere."""
        return _WANTED.search(self._plain) is None

    def told(self, span: Span, dated: bool = True) -> bool:
        """Whether the words around a time say that it is gone."""
        plain, (start, end) = self._plain, span
        head = start - len(_BREATH.split(plain[max(0, start - 40) : start])[-1])
        tail = _BREATH.search(plain, end, end + 60)
        stop = tail.start() if tail else end + 60
        behind = plain[end:stop]
        if _WANTED.search(behind) or _WANTED_BEFORE.search(plain, head, start):
            return False
        if _OVER.match(behind) or _HERE.search(plain, head, stop):
            return True
        if not dated and len(plain) - (end - start) > _TALK and self._story:
            return True
        return self._happened
