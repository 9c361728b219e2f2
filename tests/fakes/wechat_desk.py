"""What WeCom gives to those who fetch it: the customer service (kf) and reports of residents (居民上报)."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.wechat_credentials import Credentials
from tests.fakes.wechat_rules import (
    DAY,
    HOUR,
    MINUTE,
    Answer,
    Asked,
    Codes,
    Limit,
    Time,
    Windows,
    no,
    ok,
    size,
)

#: Who a message of the customer service is from (WeCom doc 94670).
FROM_CUSTOMER, FROM_SYSTEM, FROM_STAFF = 3, 4, 5
_SENT = ("text", "image", "voice", "video", "file", "link", "miniprogram", "msgmenu", "location")


@dataclass
class Desk:
    """An event says that there is something, `sync_msg` says what (WeCom docs 94670 and 94677)."""

    credentials: Credentials
    time: Time
    page: int = 1000
    _log: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.customers = Windows(self.time)
        self.tokens = Codes(self.time, "ENCkf", 10 * MINUTE)
        self.welcomes = Codes(self.time, "WELCOME", 20)
        self.served_by: dict[str, int] = {}
        self._limit = Limit(self.time)
        self._ids = itertools.count(1)

    def add(self, message: dict[str, Any]) -> None:
        self._log.append((self.time.now(), message))
        if message.get("origin") == FROM_CUSTOMER:
            self.customers.open(str(message.get("external_userid")), "message", 5, 48 * HOUR)

    def sync(self, asked: Asked) -> Answer:
        """From a cursor on, three days back at most; `has_more` decides, not the number of messages."""
        body = asked.body
        token, cursor = body.get("token"), str(body.get("cursor") or "")
        if body.get("open_kfid") not in (None, "", self.credentials.open_kfid):
            return no(95000, "invalid open_kfid")
        if token and not self.tokens.good(token):
            return no(95007, "invalid msg token")
        if not token and self._limit.over("without token", MINUTE, 6):
            return no(45009, "api freq out of limit")
        if cursor and not re.fullmatch(r"4gw7MepF_\d+", cursor):
            return no(95011, "invalid cursor")
        limit = int(body.get("limit") or 1000)
        if not 1 <= limit <= 1000:
            return no(40058, "limit out of range")
        start = int(cursor.partition("_")[2] or 0)
        end = min(start + min(limit, self.page), len(self._log))
        messages = [one for at, one in self._log[start:end] if at > self.time.now() - 3 * DAY]
        more = int(end < len(self._log))
        return ok(next_cursor=f"4gw7MepF_{end}", has_more=more, msg_list=messages)

    def send(self, asked: Asked) -> Answer:
        body = asked.body
        wrong = self._wrong(body, _SENT)
        if wrong:
            return wrong
        if body.get("open_kfid") != self.credentials.open_kfid:
            return no(95000, "invalid open_kfid")
        if self.served_by.get(str(body.get("touser")), 0) not in (0, 1):
            return no(95018, "send msg session status invalid")
        refused = {
            "unknown": no(40096, "invalid external userid"),
            "closed": no(95018, "send msg session status invalid"),
            "spent": no(95001, "send msg count limit"),
        }.get(self.customers.spend(str(body.get("touser"))))
        return refused or ok(msgid=body.get("msgid") or f"kf{next(self._ids)}")

    def welcome(self, asked: Asked) -> Answer:
        """By the code of an event, once."""
        wrong = self._wrong(asked.body, ("text", "msgmenu"))
        if wrong:
            return wrong
        if not self.welcomes.spend(asked.body.get("code")):
            return no(40029, "invalid code")
        return ok(msgid=asked.body.get("msgid") or f"kf{next(self._ids)}")

    def hand_over(self, asked: Asked) -> Answer:
        """1 the assistant, 2 waiting, 3 a person (who has to be named), 4 ended."""
        state = asked.body.get("service_state")
        if state not in (1, 2, 3, 4) or (state == 3 and not asked.body.get("servicer_userid")):
            return no(95016, "invalid service state")
        self.served_by[str(asked.body.get("external_userid"))] = state
        return ok(msg_code=f"MSGCODE{next(self._ids)}")

    def state(self, asked: Asked) -> Answer:
        return ok(service_state=self.served_by.get(str(asked.body.get("external_userid")), 0))

    @staticmethod
    def _wrong(body: dict[str, Any], kinds: tuple[str, ...]) -> Answer | None:
        kind = str(body.get("msgtype"))
        if kind not in kinds or not isinstance(body.get(kind), dict):
            return no(40008, "invalid message type")
        if not re.fullmatch(r"[0-9a-zA-Z_-]{0,32}", str(body.get("msgid") or "")):
            return no(40058, "msgid invalid")
        if kind == "text" and not 0 < size(body[kind].get("content", "")) <= 2048:
            return no(45002, "content size out of limit")
        return None


@dataclass
class Reports:
    """Orders by when they were last changed (WeCom docs 97157, 97158); `next_cursor` is empty at the end."""

    _orders: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    _cursors: dict[str, tuple[int, tuple[object, object]]] = field(default_factory=dict)

    def put(self, order: dict[str, Any], modified: int) -> None:
        self._orders[str(order["order_id"])] = (modified, order)

    def list_orders(self, asked: Asked) -> Answer:
        body = asked.body
        limit, cursor = int(body.get("limit") or 20), str(body.get("cursor") or "")
        asks = (body.get("begin_create_time"), body.get("begin_modify_time"))
        if not 1 <= limit <= 50:
            return no(40058, "limit out of range")
        start, asked_then = self._cursors.get(cursor, (0, asks)) if cursor else (0, asks)
        if asked_then != asks or (cursor and cursor not in self._cursors):
            return no(40058, "cursor invalid: the conditions changed")
        created, changed = (int(one or 0) for one in asks)
        found = [
            order
            for modified, order in sorted(self._orders.values(), key=lambda one: one[0])
            if modified >= changed and int(order.get("create_time", 0)) >= created
        ]
        end = start + limit
        following = ""
        if end < len(found):
            following = f"ORDERS_{len(self._cursors) + 1}"
            self._cursors[following] = (end, asks)
        return ok(next_cursor=following, order_list=found[start:end])

    def one(self, asked: Asked) -> Answer:
        found = self._orders.get(str(asked.body.get("order_id")))
        return ok(order_info=found[1]) if found else no(40058, "order_id invalid")
