"""Understanding one line, beside cutting the same line into words with jieba, and beside twice the rules."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

from bot.config import Settings
from bot.domain import communities
from bot.responses import Wording
from nlp import rules
from nlp.patterns import Element, Whole
from nlp.ranker import Ranker
from nlp.rules import Evidence, RuleBook
from nlp.tagger import Tagger
from nlp.understanding import Understanding

NOW = datetime(2025, 3, 7, 20, 15)  # noqa: DTZ001 - the understanding lives in local time
ROUNDS = 40
#: Made of it, a word stands in no text.
_UNSAID = "囍"
#: What residents ask for, about 20 characters each.
ASKED = (
    "厨房水管漏水了，麻烦派人来看看，谢谢啦",
    "3栋2单元501卫生间下水道堵了，尽快来通一下",
    "楼道的灯不亮了，晚上黑漆漆的老人不好走",
    "2号楼电梯又坏了，停在五楼半天没有动静",
    "明天上午九点以后来修，我家里那时候有人",
    "我上周报修的热水器到现在还没有人来看过",
    "单元门禁刷卡没有反应，请师傅今晚过来一趟",
    "那个工单撤了吧，我自己已经弄好了，谢谢",
)
#: What they talk about among themselves.
CHATTER = (
    "今天天气真不错，晚上一起去公园散步吧",
    "有没有人知道附近哪家火锅店比较好吃呀",
    "孩子期末考试考得不错，打算暑假去海边玩",
    "刚看完那部电视剧，结局真是没有想到啊",
    "谁家的小猫跑出来了，在花坛那边晒太阳呢",
    "周末高速堵得厉害，我们开了五个小时才到",
    "祝大家中秋快乐，月饼收到了好多吃不完",
    "股票又跌了，早知道上个月就全部卖掉了",
)


@dataclass(frozen=True)
class Found:
    """Microseconds a line: the middle and the 95th of a hundred; jieba's middle for the same lines; ours with
    twice as many words and rules."""

    lines: str
    middle: float
    tail: float
    jieba: float
    doubled: float


def _cutter() -> Callable[[str], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    cut: Callable[[str], object] = jieba.lcut
    return cut


def _times(work: Callable[[str], object], lines: Sequence[str]) -> list[float]:
    out = []
    for line in lines:
        began = time.perf_counter()
        work(line)
        out.append((time.perf_counter() - began) * 1e6)
    return out


def doubled(book: RuleBook) -> RuleBook:
    """The same rules and words, and as many again of words that nobody says."""
    classes = {name: (*words, *(word + _UNSAID for word in words)) for name, words in book.classes.items()}
    more = [replace(rule, evidence=(*rule.evidence, *map(_other, rule.evidence))) for rule in book.rules]
    return replace(book, rules=more, classes=classes)


def _other(evidence: Evidence) -> Evidence:
    pattern = evidence.pattern
    if isinstance(pattern, Whole):
        return replace(evidence, pattern=replace(pattern, parts=tuple(map(_unsaid, pattern.parts))))
    chains = tuple(tuple(map(_unsaid, chain)) for chain in pattern.chains)
    return replace(evidence, pattern=replace(pattern, chains=chains))


def _unsaid(element: Element) -> Element:
    return replace(element, names=tuple(n if n[0] in "<{" else n + _UNSAID for n in element.names))


def measure() -> list[Found]:
    """Both on the same lines, turn by turn, as the sample community understands them."""
    cut = _cutter()
    first = communities.read_folder(Settings().community_dirs(), Wording.load())[0]
    mind = Understanding.load(first.vocabulary())
    twice = Understanding(doubled(rules.load()), first.vocabulary(), Ranker.load(), Tagger.load())

    def understand(line: str) -> object:
        return mind.understand(line, now=NOW)

    def with_more(line: str) -> object:
        return twice.understand(line, now=NOW)

    out = []
    for name, lines in (("requests", ASKED), ("chatter", CHATTER)):
        ours: list[float] = []
        more: list[float] = []
        theirs: list[float] = []
        for number in range(ROUNDS + 3):
            one, two, other = _times(understand, lines), _times(with_more, lines), _times(cut, lines)
            if number >= 3:
                ours += one
                more += two
                theirs += other
        tail = sorted(ours)[int(len(ours) * 0.95)]
        out.append(Found(name, median(ours), tail, median(theirs), median(more)))
    return out
