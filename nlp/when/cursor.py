"""Where the reading of one text stands: its words, and from when it is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nlp.when.frame import Frame, midnight
from nlp.when.lexer import BLANK, Token

#: A piece of grammar reads at a token, in a frame or in none; it says what it found and where it stopped.
Step = tuple[Frame, int]
Piece = Callable[["Cursor", int, Frame | None], Step | None]


class Cursor:
    """`turn`: how many rounds from now to look (下一个三月 is one round of years on); `past`: looks back."""

    __slots__ = ("backward", "failed", "now", "plain", "today", "tokens", "turn")

    def __init__(self, plain: str, tokens: list[Token], now: datetime) -> None:
        self.plain = plain
        self.tokens = tokens
        self.now = now.replace(second=0, microsecond=0)
        self.today = midnight(now)
        self.turn = 0
        self.backward = False
        #: a date was said that this round of the calendar doesn't have (2月29日)
        self.failed = False

    def kind(self, index: int, glue: int = BLANK) -> str:
        """The kind of a token that hangs on the one before it this closely, else nothing."""
        token = self.tokens[index]
        return token.kind if token.glue <= glue else ""

    def up_to_now(self, index: int) -> int:
        """Where 至今 or 到现在 ends that stands at a token; 0 where none does."""
        if self.kind(index) == "TO_NOW":
            return index + 1
        return index + 2 if self.kind(index) == "TO" and self.kind(index + 1) == "NOW" else 0

    def behind(self, index: int, length: int = 1) -> str:
        """The text behind the last token before `index`."""
        end = self.tokens[index - 1].end
        return self.plain[end : end + length]

    def before(self, index: int, length: int = 1) -> str:
        start = self.tokens[index].start
        return self.plain[max(0, start - length) : start]
