"""[channels.wechat_oa] of a community's file: the account's menu, and the template of its notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.text import octets

BUTTONS, ITEMS = 3, 5

#: A button of the menu: {name, says}, or {name, items: buttons}. From the community's file.
Menu = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Template:
    """How a notice goes out when nobody has written lately: the account's own template, and what fills it.

    `fields` maps the template's names to texts with {text}, {time} and {name}. `kind` is "template"
    (模板消息) or "subscribe" (订阅通知).
    """

    id: str
    fields: Mapping[str, str]
    kind: str = "template"
    name: str = ""


def read_table(table: Mapping[str, Any]) -> tuple[Menu, Template | None]:
    """[channels.wechat_oa] of a community's file: its menu and its template. ValueError with one line."""
    if unknown := set(table) - {"menu", "template"}:
        raise ValueError(f"channels.wechat_oa: unknown {', '.join(sorted(unknown))}")
    menu = table.get("menu", [])
    if not isinstance(menu, list) or len(menu) > BUTTONS:
        raise ValueError(f"channels.wechat_oa.menu: a list of at most {BUTTONS} buttons")
    for one in menu:
        _check_button(one, ITEMS)
    given = table.get("template")
    if given is None:
        return menu, None
    return menu, _read_template(given)


def _read_template(given: Any) -> Template:
    wanted = "channels.wechat_oa.template: id, fields, and kind template or subscribe"
    try:
        template = Template(**given)
    except TypeError:
        raise ValueError(wanted) from None
    if template.kind not in ("template", "subscribe") or not isinstance(template.id, str) or not template.id:
        raise ValueError(wanted)
    if not isinstance(template.fields, dict) or not template.fields:
        raise ValueError(wanted)
    for words in template.fields.values():
        try:
            words.format(text="", time="", name="")
        except (KeyError, ValueError, IndexError, AttributeError):
            raise ValueError(f"channels.wechat_oa.template: {words}: {{text}}, {{time}}, {{name}}") from None
    return template


def _check_button(one: Any, items: int) -> None:
    """OA doc, 自定义菜单: three buttons of at most 16 bytes, five below each, keys of at most 128 bytes."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str) or not one["name"].strip():
        raise ValueError("channels.wechat_oa.menu: a button has a name, and says or items")
    if unknown := set(one) - {"name", "says", "items"}:
        raise ValueError(f"channels.wechat_oa.menu: {one['name']}: unknown {', '.join(sorted(unknown))}")
    if not isinstance(one.get("says", ""), str):
        raise ValueError(f"channels.wechat_oa.menu: {one['name']}: says must be in quotes")
    below = one.get("items", [])
    if not isinstance(below, list) or len(below) > items or (below and "says" in one):
        raise ValueError(f"channels.wechat_oa.menu: {one['name']}: says, or at most {ITEMS} items")
    if octets(one["name"]) > (16 if items else 60) or octets(one.get("says", "")) > 128:
        raise ValueError(f"channels.wechat_oa.menu: {one['name']}: too long")
    for item in below:
        _check_button(item, 0)
