"""XML as WeChat writes it: small, flat, without entities; and ours in answer, safe whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from bot.channels.wechat_envelope import Refused

DEPTH, FIELDS = 8, 500
#: What XML 1.0 cannot hold at all (https://www.w3.org/TR/xml/#charsets).
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(text: str) -> dict[str, Any]:
    """The fields below the root: texts, dicts where a field has fields, lists where it comes again.

    Raises Refused(400): no XML, too deep, too many fields, or a document type (entities are how XML grows).
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    stack: list[dict[str, Any]] = [{}]
    names: list[str] = []
    words: list[list[str]] = [[]]
    count = 0

    def begin(name: str, _: Mapping[str, str]) -> None:
        nonlocal count
        count += 1
        if len(names) >= DEPTH or count > FIELDS:
            raise Refused(400, "too deep")
        names.append(name)
        stack.append({})
        words.append([])

    def end(name: str) -> None:
        names.pop()
        inside, said = stack.pop(), "".join(words.pop())
        value: Any = inside or said
        outer = stack[-1]
        if name in outer:
            before = outer[name]
            outer[name] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            outer[name] = value

    def hear(said: str) -> None:
        words[-1].append(said)

    def refuse(*_: Any) -> None:
        raise Refused(400, "a document type")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = hear
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except (expat.ExpatError, UnicodeError):
        raise Refused(400, "not XML") from None
    root = next(iter(stack[0].values()), None)
    if not isinstance(root, dict):
        raise Refused(400, "no fields")
    return root


def write(fields: Mapping[str, object]) -> str:
    """`<xml>` with the fields in order: numbers bare, dicts as elements, everything else in CDATA."""
    return f"<xml>{_inside(fields)}</xml>"


def _inside(fields: Mapping[str, object]) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _inside(value)
    if isinstance(value, int):
        return str(value)
    said = _ILLEGAL.sub("", str(value)).replace("]]>", "]]]]><![CDATA[>")
    return f"<![CDATA[{said}]]>"
