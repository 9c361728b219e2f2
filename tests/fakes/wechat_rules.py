"""The rules both WeChat platforms live by: answers with a number, a clock, tokens, limits and windows."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Literal

Answer = dict[str, Any]
OA, WECOM = "oa", "wecom"
DAY, HOUR, MINUTE = 86400, 3600, 60
#: `msg_sec_check` finds fault with a text that has it.
RISKY = "违禁样例"


def ok(**more: Any) -> Answer:
    return {"errcode": 0, "errmsg": "ok"} | more


def no(code: int, text: str, **more: Any) -> Answer:
    return {"errcode": code, "errmsg": text} | more


def size(text: object) -> int:
    """In bytes, as the platforms count."""
    return len(str(text).encode())


@dataclass
class Asked:
    """A call as it came; the handler notes what the answer does not say."""

    path: str
    query: dict[str, str]
    body: dict[str, Any]
    data: bytes
    dropped: list[str] = field(default_factory=list)
    cut: bool = False
    suppressed: bool = False


@dataclass
class Time:
    """Seconds that run by themselves and can be turned forward."""

    ahead: float = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def untouched(self) -> float:
        return time.monotonic()

    def unix(self) -> int:
        """A plausible Unix time, for answers that show one."""
        return 1_772_589_600 + int(self.now())


@dataclass
class Limit:
    """So many within so long, by key."""

    time: Time
    _hits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def over(self, key: str, per: float, most: int) -> bool:
        """True when it is one too many; it does not count then."""
        recent = [at for at in self._hits[key] if at > self.time.now() - per]
        self._hits[key] = recent
        if len(recent) >= most:
            return True
        recent.append(self.time.now())
        return False


@dataclass
class Windows:
    """Who may be written to unasked, how often and until when; each scene has an allotment of its own."""

    time: Time
    present: dict[str, bool] = field(default_factory=dict)
    _allotments: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(dict))

    def open(self, user: str, scene: str, count: int, seconds: float) -> None:
        self.present[user] = True
        self._allotments[user][scene] = [self.time.now() + seconds, count]

    def left(self, user: str) -> None:
        self.present[user] = False
        self._allotments.pop(user, None)

    def spend(self, user: str) -> Literal["ok", "unknown", "closed", "spent"]:
        """One message, out of the allotment that ends first."""
        if user not in self.present:
            return "unknown"
        live = [one for one in self._allotments[user].values() if one[0] > self.time.now()]
        if not live:
            return "closed"
        usable = sorted(one for one in live if one[1] > 0)
        if not usable:
            return "spent"
        usable[0][1] -= 1
        return "ok"


@dataclass
class Token:
    kind: str
    until: float


@dataclass
class Tokens:
    """Access tokens of 512 characters, the least a client has to keep (OA doc, getStableAccessToken)."""

    time: Time
    known: dict[str, Token] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def issue(self, kind: str, seconds: float = 7200) -> str:
        token = f"{kind}-access-token-{next(self._count)}-".ljust(512, "x")
        self.known[token] = Token(kind, self.time.now() + seconds)
        return token

    def left(self, token: str) -> int:
        """Seconds it is still good for."""
        return int(self.known[token].until - self.time.now()) if token in self.known else 0

    def refusal(self, token: str, kinds: tuple[str, ...]) -> Answer | None:
        if not token:
            return no(41001, "access_token missing")
        found = self.known.get(token)
        if found is None or found.kind not in kinds:
            code = 40014 if kinds == (WECOM,) else 40001
            return no(code, "invalid credential, access_token is invalid or not latest")
        if found.until <= self.time.now():
            return no(42001, "access_token expired")
        return None


@dataclass
class Codes:
    """Codes good for one use and a while."""

    time: Time
    name: str
    seconds: float
    _until: dict[str, float] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def fresh(self) -> str:
        code = f"{self.name}_{next(self._count):06d}"
        self._until[code] = self.time.now() + self.seconds
        return code

    def good(self, code: object) -> bool:
        return self._until.get(str(code), 0.0) > self.time.now()

    def spend(self, code: object) -> bool:
        good = self.good(code)
        self._until.pop(str(code), None)
        return good
