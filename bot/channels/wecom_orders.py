"""居民上报: an order as WeCom lists it (docs 97157, 97158) becomes a message in the words of no platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.base import Incoming
from bot.channels.text import clean
from bot.messages import Order

LONGEST = 1000  # characters of a description; the platform takes 500
PICTURES = 9
URGENT = 3  # urge_type: 1 一般, 2 重要, 3 紧急
OVER = frozenset({5, 6})  # process_type: 5 办结, 6 拒绝
_PREFIX = re.compile(r"^(?:\+|00)?86(?=1\d{10}$)")


@dataclass(frozen=True, slots=True)
class Listed:
    """An order, its message still without pictures. `made` is Unix time, 0 where it isn't said."""

    incoming: Incoming
    made: int
    pictures: tuple[str, ...]
    over: bool

    @property
    def id(self) -> str:
        return self.incoming.id


def read(found: object, channel: str) -> Listed | None:
    """An order of the list; None for what has no number, and so can't be told from another."""
    if not isinstance(found, dict) or not (number := _word(found, "order_id", 120)):
        return None
    phone = _phone(_word(found, "reporter_mobile", 20))
    matter = _word(found, "case_name", 40)
    place = _place(found.get("location"))
    text = _word(found, "desc", LONGEST) or matter or "（没有文字）"
    sender = _word(found, "unionid", 100) or (f"tel:{phone}" if phone else f"order:{number}")
    order = Order(
        phone=phone,
        place=place,
        matter=matter,
        note=_note(found, matter),
        urgent=found.get("urge_type") == URGENT,
    )
    incoming = Incoming(
        channel,
        number,
        number,
        sender,
        f"{text}\n地点：{place}" if place else text,
        sender_name=_word(found, "reporter_name", 64),
        order=order,
    )
    made = found.get("create_time")
    return Listed(
        incoming,
        made if isinstance(made, int) else 0,
        tuple(one for one in _list(found, "image_urls") if isinstance(one, str) and one)[:PICTURES],
        any(
            isinstance(one, dict) and one.get("process_type") in OVER for one in _list(found, "process_list")
        ),
    )


def _word(found: Mapping[str, Any], name: str, most: int) -> str:
    value = found.get(name)
    return clean(value).strip()[:most] if isinstance(value, str) else ""


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _phone(text: str) -> str:
    """Digits, as the household list has them."""
    return _PREFIX.sub("", re.sub(r"[\s\-()（）]", "", text))


def _place(location: Any) -> str:
    """东门（幸福路18号3号楼）: the name on the map, and the address."""
    if not isinstance(location, dict):
        return ""
    name, address = _word(location, "name", 40), _word(location, "address", 80)
    return f"{name}（{address}）" if name and address else name or address


def _note(found: Mapping[str, Any], matter: str) -> str:
    """For staff: from where it came, and what we can't show."""
    kind = "，".join(filter(None, (matter, _word(found, "grid_name", 40))))
    videos = len(_list(found, "video_media_ids"))
    seen = f"有 {videos} 段视频，请在企业微信里看。" if videos else ""
    return f"（居民上报{'：' + kind if kind else ''}。{seen}受理和回复在企业微信里点。）"
