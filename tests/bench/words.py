"""Understanding one line, beside cutting the same line into words with jieba."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bot.config import Settings
from bot.domain import communities
from bot.responses import Wording
from nlp.understanding import Understanding

NOW = datetime(2025, 3, 7, 20, 15)  # noqa: DTZ001 - the understanding lives in local time
ROUNDS = 40
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
    """Microseconds a line: the middle and the 95th of a hundred; and jieba's middle for the same lines."""

    lines: str
    middle: float
    tail: float
    jieba: float


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


def measure() -> list[Found]:
    """Both on the same lines, turn by turn, as the sample community understands them."""
    cut = _cutter()
    first = communities.read_folder(Settings().community_dirs(), Wording.load())[0]
    mind = Understanding.load(first.vocabulary())

    def understand(line: str) -> object:
        return mind.understand(line, now=NOW)

    out = []
    for name, lines in (("requests", ASKED), ("chatter", CHATTER)):
        ours: list[float] = []
        theirs: list[float] = []
        for number in range(ROUNDS + 3):
            one, other = _times(understand, lines), _times(cut, lines)
            if number >= 3:
                ours += one
                theirs += other
        out.append(Found(name, median(ours), sorted(ours)[int(len(ours) * 0.95)], median(theirs)))
    return out
