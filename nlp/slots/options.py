"""What may be chosen in a poll: A 地库 B 北广场, 装/不装, 同意、反对、弃权, 火锅还是自助."""

from __future__ import annotations

import re
from collections.abc import Sequence

Span = tuple[int, int]

_GATE = re.compile(r"[a-h]|/|、|还是|或者|定|[:,]|\d[.、)]")
_MARKS = r"\s,、/。!?;:\n"
#: A list with letters or numbers: every mark and what follows it.
_LETTER = re.compile(
    rf"(?:^|(?<=[{_MARKS}])|(?<=[\u4e00-\u9fff]))([a-h])[.、:)\s]{{0,2}}(?=[^\s,、/。!?;:a-h])"
)
_DIGIT = re.compile(rf"(?:^|(?<=[{_MARKS}]))([1-9])[.、:)]\s?(?=[^\d\s])")
_SLASHES = re.compile(r"[^\s,。!?;:/]{1,10}(?:\s?/\s?[^\s,。!?;:/]{1,10})+")
_COMMAS = re.compile(r"[^\s,。!?;:、]{1,10}(?:、[^\s,。!?;:、]{1,10})+")
#: A list after a colon, a question mark or 选项.
_LISTED = re.compile(
    r"(?:[:?]|选项[是有为:]?|候选人?[是有为:]?|[,])\s?(?P<list>[^\s,。!?;:、]{1,6}(?:[,\s][^\s,。!?;:、]{1,6})+)"
)
_OR = re.compile(
    r"(?P<one>[^\s,。!?;:、]{1,12})\s?(?:,?\s?是?还是|,?或者?是?|,?定[系是])\s?(?!让|算|别|老|不如)(?P<two>[^\s,。!?;:、]{1,10})"
)
_MORE = re.compile(r",?还是(?P<more>[^\s,。!?;:、]{1,10}?)(?=还是|$|[\s,。!?;:、])")
#: Before the first of two: words of the question.
_ASKS = re.compile(
    r".*(?:要不要|是否|哪[个种家里天]?|什么|几点|[换装改选吃买用种建开刷涨停放铺搞办叫]成?|合适|定|[该应]|颜色|是|关于|主题|投个?票|头票|晚上|发起)(?=.)"
)
_TAIL = re.compile(
    r"(?:[两三四二2-5]个?(?:选项|家|种|个|选[一1])|[的吧呢呗吗嘛啊呀]|哪个好|好|行|可以|合适|的投票|截止.*|来?投票?.*|选一个?)+$"
)
_NOT_OPTIONS = re.compile(
    r".*(?:截止|投完|投到|前投|之前|为止|投票|发起|麻烦|大家|业主|选一|谢谢|回复|到期|请|发一下|只让|群里|.*前$)"
)
_QUESTION = re.compile(r".*(?:什么|哪|几点|要不要|是否|谁)")
_HEAD = re.compile(r"(?:选项[是有为:]?|候选人?[是有为:]?|[是有])")


def find(plain: str) -> list[tuple[str, Span]]:
    """The options in order, by the clearest way in which they are listed; none if fewer than two."""
    if not _GATE.search(plain):
        return []
    for way in (_lettered, _numbered, _slashed, _listed, _either, _spaced):
        spans = way(plain)
        if len(spans) > 1:
            return [(plain[start:end], (start, end)) for start, end in spans]
    return []


def _lettered(plain: str) -> list[Span]:
    return _marked(plain, list(_LETTER.finditer(plain)), "abcdefgh")


def _numbered(plain: str) -> list[Span]:
    return _marked(plain, list(_DIGIT.finditer(plain)), "123456789")


def _marked(plain: str, marks: Sequence[re.Match[str]], order: str) -> list[Span]:
    kept: list[re.Match[str]] = []
    for mark in marks:
        if len(kept) < len(order) and mark[1] == order[len(kept)]:
            kept.append(mark)
    if len(kept) < 2:
        return []
    spans = []
    for at, mark in enumerate(kept):
        stop = kept[at + 1].start() if at + 1 < len(kept) else len(plain)
        end = re.compile(r"[\s,、/。!?;:]").search(plain, mark.end(), stop)
        spans.append((mark.end(), end.start() if end else stop))
    return [span for span in spans if span[0] < span[1]]


def _slashed(plain: str) -> list[Span]:
    match = _SLASHES.search(plain)
    return _split(plain, match.span(), "/") if match else []


def _listed(plain: str) -> list[Span]:
    matches = list(_COMMAS.finditer(plain))
    return _split(plain, max(matches, key=lambda m: m[0].count("、")).span(), "、") if matches else []


def _spaced(plain: str) -> list[Span]:
    """Behind a colon or a question, short pieces between commas or blanks."""
    at = 0
    while match := _LISTED.search(plain, at):
        at = match.start() + 1
        if _QUESTION.match(match["list"]):
            continue
        spans: list[Span] = []
        for one in re.compile(r"[^,\s]+").finditer(plain, *match.span("list")):
            if _NOT_OPTIONS.match(one[0]):
                break
            if one[0] == "投":
                continue
            spans.append(one.span())
        if len(spans) > 1:
            return _tidy(plain, spans)
    return []


def _either(plain: str) -> list[Span]:
    match = _OR.search(plain)
    if not match:
        return []
    (start, end), two = match.span("one"), match.span("two")
    is_at = plain.rfind("是", start, end - 1)
    asks = _ASKS.match(plain, start, end)
    if is_at >= 0:
        start = is_at + 1
    elif asks:
        start = asks.end()
        if plain[start - 1] == plain[two[0]]:  # 买麻将机还是买棋桌
            two = (two[0] + 1, two[1])
    spans = [(start, end), two]
    while more := _MORE.match(plain, spans[-1][1]):
        spans.append(more.span("more"))
    return _tidy(plain, spans)


def _split(plain: str, span: Span, mark: str) -> list[Span]:
    spans: list[Span] = []
    start = span[0]
    while start < span[1]:
        end = plain.find(mark, start, span[1])
        end = span[1] if end < 0 else end
        spans.append((start, end))
        start = end + 1
    return _tidy(plain, spans)


def _tidy(plain: str, spans: Sequence[Span]) -> list[Span]:
    """Without blanks around, 选项 before the first and 两个选项 behind the last."""
    tidy: list[Span] = []
    for at, (begin, stop) in enumerate(spans):
        head = _HEAD.match(plain, begin, stop) if at == 0 else None
        start = head.end() if head else begin
        tail = _TAIL.search(plain, start, stop) if at == len(spans) - 1 else None
        text = plain[start : tail.start() if tail and tail.start() > start else stop]
        start += len(text) - len(text.lstrip(" "))
        if text.strip(" "):
            tidy.append((start, start + len(text.strip(" "))))
    return tidy


def write(options: Sequence[str]) -> list[str]:
    return list(options)


def read(value: Sequence[str]) -> list[str]:
    return [str(one) for one in value]
