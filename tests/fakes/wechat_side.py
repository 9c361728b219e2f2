"""What a test may do on the far side of the WeChat channels, whichever one it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pytest

from tests.fakes.wechat_credentials import Credentials

#: What only some far sides know; a test that needs one asks `can` and is skipped where it is not there.
Feature = Literal[
    "raw",  # Call.raw: the body as it came
    "subscriptions",  # a subscribed notice needs an acceptance, and spends it
    "notice_lengths",  # lengths of the fields of a notice (47003)
    "menu_rules",  # numbers and lengths of a menu's buttons
    "allotments",  # a click adds its three messages beside the five of a message
    "token_rules",  # wrong appid, 20 forced refreshes a day, 2 000 tokens a day
    "member_hour",  # 1 000 an hour per member, beside 30 a minute
    "kf_rules",  # the token of sync_msg, its pages, welcome codes, handing over to a person
    "residents",  # report/resident/*
    "group_tasks",  # the limits of externalcontact/add_msg_template
    "appchat",  # a group chat of the app exists before it is written to
    "agent",  # agent/get
    "files",  # encrypted files of the smart robot
    "gateway_rules",  # first word, uploads, answers that count with pushes
]

#: How a call can fail. `hang` answers nothing for three seconds; `lost` is carried out and not answered;
#: `ip` and `token_invalid` have a number of their own on each platform.
Fault = Literal[
    "token_expired",
    "token_invalid",
    "token_bad",
    "busy",
    "quota",
    "minute",
    "concurrent",
    "window",
    "count",
    "unsubscribed",
    "refused",
    "ip",
    "forbidden",
    "banned",
    "500",
    "502",
    "garbage",
    "hang",
    "drop",
    "lost",
]


@dataclass(frozen=True)
class Call:
    """One call of ours.

    `path` is without `/cgi-bin/` ("message/custom/send"), or "ws/" and the command of a frame. `delivered`
    when it reached whom it was for, whatever became of the answer; `dropped` are members it silently did not
    reach; `cut` when it was silently shortened. `at` counts real seconds; only differences mean something.
    """

    path: str
    query: dict[str, str]
    body: dict[str, Any]
    raw: str
    delivered: bool
    errcode: int
    at: float
    dropped: tuple[str, ...] = ()
    cut: bool = False
    unknown: bool = False


class WeChatFarSide(Protocol):
    """WeChat and WeCom pretended: `base` stands for both API hosts, the gateway is below it."""

    credentials: Credentials
    base: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def can(self, what: Feature) -> bool: ...

    def calls(self, path: str = "") -> list[Call]:
        """What came for this path, oldest first; everything without one."""

    def unknown(self) -> list[str]:
        """Paths no platform has: a slip of the pen in our client."""

    def fault(self, path: str, kind: Fault, times: int = 1, body: str = "") -> None:
        """The next calls of this path fail like that, those whose body the pattern is found in."""

    def clear_faults(self) -> None: ...

    def forward(self, seconds: float) -> None:
        """Turn the platforms' clock: windows close, tokens and codes expire, limits are free again."""

    def expire_tokens(self) -> None: ...

    # -- a follower, as the platform knows him
    def spoke(self, openid: str) -> None:
        """Wrote a message: five custom messages in 48 hours."""

    def acted(self, openid: str) -> None:
        """Followed, scanned or clicked: three in a minute."""

    def left(self, openid: str) -> None: ...

    def accepted(self, openid: str, template: str, times: int = 1) -> None:
        """Agreed to so many subscribed notices."""

    def media(self, media_id: str, data: bytes, kind: str = "image/jpeg") -> None:
        """A picture or voice that somebody sent."""

    # -- the company
    @property
    def members(self) -> set[str]: ...

    def response_code(self) -> str:
        """A fresh code of a clicked card, good for one update."""

    def response_url(self) -> str:
        """A fresh address for one answer of the smart robot."""

    def file(self, data: bytes, aes_key: str = "") -> str:
        """The address of a file for the smart robot, encrypted with this key or that of the callback."""

    def kf(self, *messages: dict[str, Any]) -> None:
        """Messages and events that `kf/sync_msg` will give, in this order."""

    def kf_token(self) -> str:
        """The token of a fresh kf event."""

    def welcome_code(self) -> str:
        """Of a kf event: one welcome, within 20 seconds."""

    def order(self, order: dict[str, Any], modified: int) -> None:
        """A report of a resident, new or changed at that Unix time."""

    # -- the long connection
    def live(self) -> int:
        """Connections that are subscribed."""

    async def push(self, cmd: str, body: dict[str, Any]) -> str:
        """A frame to the live connection; its req_id."""

    async def kick(self) -> None:
        """Another connection took over: `disconnected_event`, then the end."""

    async def cut(self) -> None:
        """The network is lost, without a word."""


def needs(far: WeChatFarSide, what: Feature) -> None:
    """Skip the test where this far side does not know that."""
    if not far.can(what):
        pytest.skip(f"this far side knows nothing of {what}")
