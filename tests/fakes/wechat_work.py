"""WeCom's side, qyapi.weixin.qq.com: messages and cards of the app, group robots, the smart robot."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.wechat_credentials import Credentials
from tests.fakes.wechat_rules import (
    DAY,
    HOUR,
    MINUTE,
    WECOM,
    Answer,
    Asked,
    Codes,
    Limit,
    Time,
    Tokens,
    no,
    ok,
    size,
)

_APP = ("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown", "template_card")
_ROBOT = ("text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card")
_INTERACTIVE = ("button_interaction", "vote_interaction", "multiple_interaction")
_CARDS = ("text_notice", "news_notice", *_INTERACTIVE)


@dataclass
class Work:
    credentials: Credentials
    time: Time
    tokens: Tokens
    members: set[str] = field(default_factory=set)
    groups: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limit = Limit(self.time)
        self.cards = Codes(self.time, "CARD", 72 * HOUR)
        self.answers = Codes(self.time, "ANSWER", HOUR)
        self._tasks: set[str] = set()
        self._sent: dict[str, float] = {}
        self._chats: set[str] = set()
        self._ids = itertools.count(1)

    def gettoken(self, asked: Asked) -> Answer:
        """The same token comes back while it is good (WeCom doc 91039)."""
        if asked.query.get("corpid") != self.credentials.corp_id:
            return no(40013, "invalid corpid")
        if asked.query.get("corpsecret") != self.credentials.wecom_secret:
            return no(40001, "invalid credential")
        for token, known in self.tokens.known.items():
            if known.kind == WECOM and self.tokens.left(token) > 0:
                return ok(access_token=token, expires_in=self.tokens.left(token))
        return ok(access_token=self.tokens.issue(WECOM), expires_in=7200)

    # -- the app (WeCom docs 90236 and 94888)

    def send(self, asked: Asked) -> Answer:
        body = asked.body
        kind = str(body.get("msgtype"))
        users = [one for one in str(body.get("touser") or "").split("|") if one]
        wrong = self._wrong_message(body, kind, users)
        if wrong:
            return wrong
        asked.cut = kind in ("text", "markdown") and size(body[kind].get("content", "")) > 2048
        if self._seen(body):
            asked.suppressed = True
            return ok(msgid=f"m{next(self._ids)}")
        strangers = [one for one in users if one != "@all" and one not in self.members]
        elsewhere = bool(body.get("toparty") or body.get("totag"))
        if users and len(strangers) == len(users) and not elsewhere:
            return no(81013, "user & party & tag all invalid", invaliduser="|".join(strangers))
        reached = [one for one in users if one not in strangers]
        # Over 30 a minute or 1 000 an hour for one member: nothing says so.
        asked.dropped = [one for one in reached if self._too_often(one)]
        asked.suppressed = bool(users) and not elsewhere and len(asked.dropped) == len(reached)
        answer = ok(
            msgid=f"m{next(self._ids)}", invaliduser="|".join(strangers), invalidparty="", invalidtag=""
        )
        if kind == "template_card" and body[kind]["card_type"] in _INTERACTIVE:
            answer["response_code"] = self.cards.fresh()
        return answer

    def _wrong_message(self, body: dict[str, Any], kind: str, users: list[str]) -> Answer | None:
        if str(body.get("agentid")) != str(self.credentials.agent_id):
            return no(301002, "no permission on this agentid")
        if not users and not body.get("toparty") and not body.get("totag"):
            return no(40056, "touser, toparty and totag are all empty")
        parties, tags = (str(body.get(name) or "").split("|") for name in ("toparty", "totag"))
        if len(users) > 1000 or len(parties) > 100 or len(tags) > 100:
            return no(40058, "too many receivers")
        if kind not in _APP or not isinstance(body.get(kind), dict):
            return no(40008, "invalid message type")
        if kind == "text" and not body[kind].get("content"):
            return no(44004, "empty content")
        if kind == "textcard" and size(body[kind].get("description", "")) > 512:
            return no(40058, "textcard.description exceed max length 512")
        return self._wrong_card(body[kind]) if kind == "template_card" else None

    def _wrong_card(self, card: dict[str, Any]) -> Answer | None:
        kind, task = card.get("card_type"), str(card.get("task_id", ""))
        if kind not in _CARDS:
            return no(40058, "template_card.card_type invalid")
        if kind not in _INTERACTIVE:
            return None if card.get("card_action") else no(40058, "template_card.card_action missing")
        if not re.fullmatch(r"[0-9a-zA-Z_\-@]{1,128}", task):
            return no(40058, "template_card.task_id missing or invalid")
        if task in self._tasks:
            return no(40058, "template_card.task_id exists")
        buttons = card.get("button_list") or []
        if kind == "button_interaction" and not 1 <= len(buttons) <= 6:
            return no(40058, "template_card.button_list invalid")
        if any(not one.get("text") or not (one.get("key") or one.get("url")) for one in buttons):
            return no(40058, "template_card.button_list.key missing")
        self._tasks.add(task)
        return None

    def _seen(self, body: dict[str, Any]) -> bool:
        """The free idempotence: the same again within the interval is answered and not delivered."""
        if not body.get("enable_duplicate_check"):
            return False
        key = json.dumps(body, sort_keys=True)
        interval = min(float(body.get("duplicate_check_interval", 1800)), 4 * HOUR)
        seen = self._sent.get(key, -DAY) > self.time.now() - interval
        if not seen:
            self._sent[key] = self.time.now()
        return seen

    def _too_often(self, member: str) -> bool:
        return self.limit.over(f"minute:{member}", MINUTE, 30) or self.limit.over(
            f"hour:{member}", HOUR, 1000
        )

    def update_card(self, asked: Asked) -> Answer:
        if str(asked.body.get("agentid")) != str(self.credentials.agent_id):
            return no(301002, "no permission on this agentid")
        if not isinstance(asked.body.get("button") or asked.body.get("template_card"), dict):
            return no(40058, "button or template_card missing")
        if not self.cards.spend(asked.body.get("response_code")):
            return no(42014, "response_code invalid, used or expired")
        return ok(invaliduser=[])

    def recall(self, asked: Asked) -> Answer:
        return ok() if asked.body.get("msgid") else no(40058, "msgid missing")

    def agent(self, asked: Asked) -> Answer:
        if asked.query.get("agentid") != str(self.credentials.agent_id):
            return no(301002, "no permission on this agentid")
        return ok(agentid=self.credentials.agent_id, name="邻里", close=0)

    def user(self, asked: Asked) -> Answer:
        userid = asked.query.get("userid", "")
        if userid not in self.members:
            return no(60111, "userid not found")
        return ok(userid=userid, name=userid, department=[1], status=1)

    def create_chat(self, asked: Asked) -> Answer:
        if len(asked.body.get("userlist") or []) < 2:
            return no(40058, "userlist too short")
        chat = str(asked.body.get("chatid") or f"appchat{next(self._ids)}")
        self._chats.add(chat)
        return ok(chatid=chat)

    def send_chat(self, asked: Asked) -> Answer:
        return ok() if asked.body.get("chatid") in self._chats else no(86001, "chatid invalid")

    # -- group robots (WeCom docs 91770 and 99110): the key is all there is

    def webhook(self, asked: Asked) -> Answer:
        key, body = asked.query.get("key", ""), asked.body
        if key not in dict(self.credentials.webhooks).values():
            return no(93000, "invalid webhook url")
        if self.limit.over(f"robot:{key}", MINUTE, 20):
            return no(45009, "api freq out of limit")
        kind = str(body.get("msgtype"))
        if kind not in _ROBOT or not isinstance(body.get(kind), dict):
            return no(40008, "invalid message type")
        return _wrong_robot_message(kind, body[kind]) or ok()

    def webhook_upload(self, asked: Asked) -> Answer:
        if asked.query.get("key", "") not in dict(self.credentials.webhooks).values():
            return no(93000, "invalid webhook url")
        if b"filename=" not in asked.data:
            return no(41005, "media data missing")
        kind, media_id = asked.query.get("type", "file"), f"ROBOT_{next(self._ids)}"
        return ok(type=kind, media_id=media_id, created_at=str(self.time.unix()))

    # -- the smart robot's response_url (WeCom doc 101138): once, within an hour

    def answer(self, asked: Asked) -> Answer:
        kind = str(asked.body.get("msgtype"))
        if kind not in ("markdown", "template_card") or not isinstance(asked.body.get(kind), dict):
            return no(40008, "invalid message type")
        if kind == "markdown" and size(asked.body[kind].get("content", "")) > 20480:
            return no(40058, "markdown.content exceed max length 20480")
        if not self.answers.spend(asked.query.get("response_code")):
            return no(60140, "response_code invalid, used or expired")
        return ok()

    # -- customer groups (WeCom docs 92135 and 92120)

    def add_task(self, asked: Asked) -> Answer:
        """A task that a member of staff has to confirm."""
        body = asked.body
        if body.get("chat_type") == "group" and body.get("sender") not in self.members:
            return no(40058, "sender missing or invalid")
        if not (body.get("text") or {}).get("content") and not body.get("attachments"):
            return no(41048, "no message content")
        if size((body.get("text") or {}).get("content", "")) > 4000 or len(body.get("attachments") or []) > 9:
            return no(40058, "content too long, or too many attachments")
        return ok(fail_list=[], msgid=f"task{next(self._ids)}")

    def group_list(self, _asked: Asked) -> Answer:
        return ok(group_chat_list=self.groups, next_cursor="")


def _wrong_robot_message(kind: str, content: dict[str, Any]) -> Answer | None:
    most = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}.get(kind)
    if most and not 0 < size(content.get("content", "")) <= most:
        return no(40058, f"{kind}.content missing or exceed max length {most}")
    if kind == "image":
        try:
            data = base64.b64decode(content.get("base64", ""), validate=True)
        except binascii.Error:
            return no(301019, "image base64 invalid")
        if hashlib.md5(data).hexdigest() != content.get("md5"):
            return no(301019, "media md5 mismatch")
        return no(40009, "invalid image size") if not 0 < len(data) <= 2 << 20 else None
    if kind == "news" and not 1 <= len(content.get("articles", [])) <= 8:
        return no(40058, "news.articles invalid")
    if kind == "template_card" and content.get("card_type") not in ("text_notice", "news_notice"):
        return no(40058, "template_card.card_type invalid")
    return None
