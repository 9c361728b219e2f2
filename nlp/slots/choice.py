"""What somebody votes for: an option's text or letter, or its number as digits: 选B, 投第二个, 票给老周."""

from __future__ import annotations

import re

from nlp.slots.numbers import number

Span = tuple[int, int]

_GATE = re.compile(r"[a-h投选票同反赞支弃第贊方要改][^\d]?|[0-9]|项|号")
_N = r"(?:\d{1,2}+|[一二两三四五六七八九十]{1,2}+)"
_END = r"(?=$|[\s,。!?;吧呗啊呀的了项票#]|方案|选项|方)"
_NOT_TEXT = r"(?:票|我|你|了|过|什么|哪|谁|一票|投票|给|个|下|完|一下|得|错|手滑|的|项|择|那个|第|都|投|改)"
_CHOICE = re.compile(
    rf"""
      (?:投|选择?|改成|改投|应该是|还是|要|就|:)?\s?(?<![a-z0-9])(?P<letter>[a-h])(?=$|[\s,。!?;吧呗啊呀了项票+]|方案|选项|同意)
    | (?:投|选)?第(?P<nth>{_N})(?:个|项|条|种)?(?!\d|号|楼|次|栋)
    | (?:投|选|改成|改投|投给|选择)\s?(?P<number>{_N})(?!票)号?{_END}
    | (?P<numbered>{_N})号(?=选项|方案)
    | (?P<plan>方案[一二三四五六七八九十a-h\d])
    | (?P<heaven>[甲乙丙丁])(?=方案|$|[\s,。])
    | (?P<stance>不(?:同意|赞成|支持|要)|同意|赞成|赞同|反对|支持|弃权|中立)
    | (?:票都?(?:投?给|是给|归)|投票?给|投|选择?|改投|就?给|我要|我选)
      \s?(?!{_NOT_TEXT})(?P<text>[\u4e00-\u9fffa-z0-9]{{1,8}}?)(?=$
      |[\s,。!?;吧呗了]|那一?[款个项种]|这一?[款个项种]|的选项|选项|当|开会|一票|投一)
    """,
    re.VERBOSE,
)


def find(plain: str) -> list[tuple[str, Span]]:
    """Choices, the last said of the clearest kind first (手滑点了A，应该是D)."""
    if not _GATE.search(plain):
        return []
    found: list[tuple[bool, int, str, Span]] = []
    for match in _CHOICE.finditer(plain):
        kind = str(match.lastgroup)
        text, span = match[kind], match.span(kind)
        value: str | None = text
        if kind in {"nth", "number", "numbered"}:
            value = str(number(text)) if number(text) else None
        elif kind == "letter":
            value = text.upper()
        if value:
            found.append((not _taken_back(plain, span), span[0], value, span))
    found.sort(key=lambda one: (not one[0], one[1]))
    return [(value, span) for *_, value, span in found]


def _taken_back(plain: str, span: Span) -> bool:
    """A choice that is corrected: 点了A, 不是B, 从A改成."""
    return bool(
        re.search(
            r"(?:点了|点成|投了|投成|选了|不是|不选|不投|从|原来)\s?$", plain[max(0, span[0] - 4) : span[0]]
        )
    )


def write(choice: str) -> str:
    return choice


def read(value: str) -> str:
    return value
