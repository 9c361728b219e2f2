"""The official account's side of api.weixin.qq.com: tokens, messages to followers, notices, menu, media."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.wechat_credentials import Credentials
from tests.fakes.wechat_rules import (
    DAY,
    HOUR,
    OA,
    RISKY,
    Answer,
    Asked,
    Limit,
    Time,
    Tokens,
    Windows,
    no,
    ok,
    size,
)

_CUSTOM = (
    "text",
    "image",
    "voice",
    "video",
    "music",
    "news",
    "mpnews",
    "mpnewsarticle",
    "msgmenu",
    "wxcard",
    "miniprogrampage",
)
#: Characters a field of a notice may have, by the beginning of its name (OA doc, 订阅通知 参数值内容限制).
_LENGTHS = {
    "thing": 20,
    "phrase": 5,
    "character_string": 32,
    "number": 32,
    "phone_number": 17,
    "car_number": 8,
}


@dataclass
class Account:
    credentials: Credentials
    time: Time
    tokens: Tokens
    followers: Windows
    media: dict[str, tuple[bytes, str, float]] = field(default_factory=dict)
    menu: dict[str, Any] = field(default_factory=dict)
    acceptances: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._limit = Limit(self.time)
        self._stable = ""
        self._seen: set[str] = set()
        self._ids = itertools.count(1)

    # -- tokens

    def token(self, asked: Asked) -> Answer:
        """The classic one: a new one ends the one before, five minutes later; 2 000 a day."""
        wrong = self._wrong_app(asked.query)
        if wrong:
            return wrong
        if self._limit.over("token", DAY, 2000):
            return no(45009, "reach max api daily quota limit")
        self._end(OA + ":classic", 300)
        return {"access_token": self.tokens.issue(OA + ":classic"), "expires_in": 7200}

    def stable_token(self, asked: Asked) -> Answer:
        """The same while it is good for more than five minutes; forced 20 times a day, 30 s apart."""
        wrong = self._wrong_app(asked.body)
        if wrong:
            return wrong
        if asked.body.get("force_refresh"):
            if self._limit.over("forced", 30, 1) or self._limit.over("forced today", DAY, 20):
                return no(45009, "reach max api daily quota limit: force_refresh")
            self._end(OA + ":stable", 0)
        elif self.tokens.left(self._stable) > 300:
            return {"access_token": self._stable, "expires_in": self.tokens.left(self._stable)}
        self._stable = self.tokens.issue(OA + ":stable")
        return {"access_token": self._stable, "expires_in": 7200}

    def _wrong_app(self, given: dict[str, Any]) -> Answer | None:
        if given.get("grant_type") != "client_credential":
            return no(40002, "invalid grant_type")
        if given.get("appid") != self.credentials.oa_app_id:
            return no(40013, "invalid appid")
        if given.get("secret") != self.credentials.oa_app_secret:
            return no(40125, "invalid appsecret")
        return None

    def _end(self, kind: str, after: float) -> None:
        for name, token in list(self.tokens.known.items()):
            if token.kind == kind and after:
                token.until = min(token.until, self.time.now() + after)
            elif token.kind == kind:
                del self.tokens.known[name]

    # -- messages

    def custom_send(self, asked: Asked) -> Answer:
        body = asked.body
        kind = str(body.get("msgtype"))
        if kind not in _CUSTOM:
            return no(40008, "invalid message type")
        content = body.get(kind)
        if not isinstance(content, dict) or (kind == "text" and not content.get("content")):
            return no(44004, "empty content")
        if kind == "text" and size(content["content"]) > 2048:
            return no(45002, "content size out of limit")
        if kind == "news" and len(content.get("articles", [])) != 1:
            return no(45008, "article size out of limit")
        return {
            "ok": ok(),
            "unknown": no(40003, "invalid openid"),
            "closed": no(45015, "response out of time limit or subscription is canceled"),
            "spent": no(45047, "out of response count limit"),
        }[self.followers.spend(str(body.get("touser")))]

    def typing(self, asked: Asked) -> Answer:
        return (
            ok() if asked.body.get("command") in ("Typing", "CancelTyping") else no(40001, "invalid command")
        )

    def template_send(self, asked: Asked) -> Answer:
        """A template message; `client_msg_id` counts once."""
        wrong = self._wrong_notice(asked.body)
        if wrong:
            return wrong
        if not self.followers.present[asked.body["touser"]]:
            return no(43004, "require subscribe")
        mine = str(asked.body.get("client_msg_id") or "")
        if size(mine) > 32:
            return no(40130, "invalid client_msg_id")
        if mine and mine in self._seen:
            return no(45065, "clientmsgid exist")
        self._seen.add(mine)
        return ok(msgid=next(self._ids))

    def subscribe_send(self, asked: Asked) -> Answer:
        """A subscribed notice spends one acceptance; `template/subscribe` is the one-time kind of a page."""
        wrong = self._wrong_notice(asked.body)
        if wrong:
            return wrong
        key = (str(asked.body["touser"]), str(asked.body["template_id"]))
        if self.acceptances.get(key, 0) < 1:
            return no(43101, "user refuse to accept the msg")
        self.acceptances[key] -= 1
        return ok(msgid=next(self._ids)) if asked.path.endswith("bizsend") else ok()

    def _wrong_notice(self, body: dict[str, Any]) -> Answer | None:
        if body.get("touser") not in self.followers.present:
            return no(40003, "invalid openid")
        if not body.get("template_id"):
            return no(40037, "invalid template_id")
        fields = body.get("data")
        if not isinstance(fields, dict) or not fields:
            return no(47003, "argument invalid! data is empty")
        for name, given in fields.items():
            value = str(given.get("value", "")) if isinstance(given, dict) else ""
            kind = re.sub(r"\d*$", "", str(name))
            if not value or len(value) > _LENGTHS.get(kind, 200):
                return no(47003, f"argument invalid! data.{name}.value invalid")
        return None

    def sec_check(self, asked: Asked) -> Answer:
        risky = RISKY in str(asked.body.get("content", ""))
        return ok(result={"suggest": "risky" if risky else "pass", "label": 20001 if risky else 100})

    # -- followers, menu

    def user_info(self, asked: Asked) -> Answer:
        openid = asked.query.get("openid", "")
        if openid not in self.followers.present:
            return no(40003, "invalid openid")
        if not self.followers.present[openid]:
            return {"subscribe": 0, "openid": openid}
        return {
            "subscribe": 1,
            "openid": openid,
            "language": "zh_CN",
            "subscribe_time": self.time.unix(),
            "unionid": f"un_{openid}",
            "remark": "",
            "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": "ADD_SCENE_QR_CODE",
            "qr_scene": 0,
            "qr_scene_str": "",
        }

    def menu_create(self, asked: Asked) -> Answer:
        buttons = asked.body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            return no(40016, "invalid button size")
        for button in buttons:
            below = button.get("sub_button") or []
            if len(below) > 5:
                return no(40023, "invalid sub button size")
            wrong = _wrong_button(button, top=True) or next(filter(None, map(_wrong_button, below)), None)
            if wrong:
                return wrong
        self.menu = {"menu": {"button": buttons}}
        return ok()

    def menu_get(self, _asked: Asked) -> Answer:
        return self.menu or no(46003, "menu no exist")

    def menu_delete(self, _asked: Asked) -> Answer:
        self.menu = {}
        return ok()

    # -- media, addresses

    def keep(self, media_id: str, data: bytes, kind: str) -> None:
        """For three days."""
        self.media[media_id] = (data, kind, self.time.now() + 72 * HOUR)

    def media_get(self, asked: Asked) -> Answer | web.Response:
        data, kind, until = self.media.get(asked.query.get("media_id", ""), (b"", "", 0.0))
        if until <= self.time.now():
            return no(40007, "invalid media_id")
        head = {"Content-Disposition": 'attachment; filename="media"'}
        return web.Response(body=data, content_type=kind, headers=head)

    def media_upload(self, asked: Asked) -> Answer:
        """The content of the form is kept as it came; nobody looks at it here."""
        if b"filename=" not in asked.data:
            return no(41005, "media data missing")
        media_id = f"UPLOADED_{next(self._ids)}"
        self.keep(media_id, asked.data, "application/octet-stream")
        return ok(type=asked.query.get("type", "file"), media_id=media_id, created_at=str(self.time.unix()))

    def addresses(self, _asked: Asked) -> Answer:
        return ok(ip_list=["127.0.0.1"])

    def clear_quota(self, asked: Asked) -> Answer:
        if asked.body.get("appid") != self.credentials.oa_app_id:
            return no(40013, "invalid appid")
        return no(48006, "forbid to clear quota") if self._limit.over("clear", 30 * DAY, 10) else ok()


def _wrong_button(button: dict[str, Any], top: bool = False) -> Answer | None:
    """By bytes: a name of 16 (60 below), a key of 128, an address of 1 024 (OA doc, 自定义菜单)."""
    if not 1 <= size(button.get("name", "")) <= (16 if top else 60):
        return no(40018 if top else 40025, "invalid button name size")
    if button.get("sub_button"):
        return None
    if button.get("type") == "view":
        return None if 1 <= size(button.get("url", "")) <= 1024 else no(40020, "invalid button url size")
    return None if 1 <= size(button.get("key", "")) <= 128 else no(40019, "invalid button key size")
