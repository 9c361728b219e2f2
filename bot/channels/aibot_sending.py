"""What a smart bot sends by itself: over its connection, or once to the address that came with a message."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.channels import aibot_saying, wecom_cards
from bot.channels.aibot_connection import Connection, State
from bot.channels.aibot_saying import GROUP
from bot.channels.base import Button, Cost, Limits, Outgoing, PermanentFailure, RetryLater
from bot.channels.carrying import in_pieces
from bot.channels.wechat_api import ELSEWHERE, ApiError, NotSent, WeChatApi, failure
from bot.channels.wecom_api import numbered
from bot.messages import Lane

log = logging.getLogger(__name__)

#: Messages to one chat, and seconds; those that a call may take are added, as WeCom counts what it received.
PACE = ((30, 70.0), (1000, 3610.0))
OCTETS = 6_000  # bytes of our text in one message: as Markdown they are three times as many at most
HOSTS = ("qyapi.weixin.qq.com",)  # of a response_url, beside where the platform is called
TOO_OFTEN, USED, STRANGER = 45009, 60140, 846607
AGAIN = 60.0  # seconds


class Sending:
    """By whatever way there is now; `limits` says which."""

    def __init__(self, api: WeChatApi, line: Connection | None, salt: bytes) -> None:
        self._api, self._line, self._salt = api, line, salt

    def limits(self) -> Limits:
        """Without a connection: once for each message that brought an address, within the hour.

        With one: unasked. While it is looked for, or another process of ours has it, messages wait; when it
        is not to be had, they go by what addresses there are.
        """
        limits = Limits(
            text=OCTETS, buttons=True, per_chat=PACE, octets=OCTETS, cost=self.cost, windowed=not self._line
        )
        state = self._line.state if self._line else State.LIVE
        if state in (State.REFUSED, State.TAKEN):
            return replace(limits, windowed=True)
        return replace(limits, here=state is State.LIVE)

    @property
    def _live(self) -> bool:
        return self._line is not None and self._line.state is State.LIVE

    def cost(self, message: Outgoing) -> Cost:
        """For the budget: the words, and the card beside them, which can be left out."""
        said, beside = self._bodies(message)
        if not self._live:  # one is all there is: what is longer gets as far as it can
            return Cost(1)
        return Cost(max(len(said), 1), int(beside is not None))

    async def send(self, message: Outgoing) -> str:
        said, beside = self._bodies(message)

        async def post(body: Mapping[str, Any], _: int) -> str:
            try:
                await self._post(message, body)
            except Exception as problem:
                raise _meaning(problem, message.lane) from None
            return ""

        await in_pieces(said, post)
        if beside is not None and self._live and not message.bare:
            try:
                await self._post(message, beside)
            except Exception as problem:
                log.warning("message %s goes without its card: %s", message.id, type(problem).__name__)
        return ""

    async def _post(self, message: Outgoing, body: Mapping[str, Any]) -> None:
        if self._live and self._line is not None:
            chat = message.chat.removeprefix(GROUP)
            kind = 2 if message.chat.startswith(GROUP) else 1
            await self._line.call("aibot_send_msg", {"chatid": chat, "chat_type": kind} | dict(body))
        elif message.token:
            await self._api.post_to(message.token, body, HOSTS)
        else:  # the connection went in between
            raise NotSent("not connected")

    def _bodies(self, message: Outgoing) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """What says all of it, in order; and a card that may go beside it."""
        buttons = self._buttons(message)
        whole = wecom_cards.whole(message.text) if buttons else None
        if whole is not None:
            return [wecom_cards.card(self._task(message), *whole, buttons)], None
        text = message.text
        if message.photos:
            text += f"\n（另有照片 {len(message.photos)} 张，智能机器人发不了图。）"
        said = [aibot_saying.markdown(part) for part in aibot_saying.parts(text)]
        if not buttons:
            return said, None
        return said, wecom_cards.card(self._task(message), wecom_cards.heading(text), "", buttons)

    def with_card(self, said: dict[str, Any], answer: Outgoing) -> dict[str, Any]:
        """An answer that the acknowledgement gives, with its buttons."""
        return aibot_saying.with_card(said, self._task(answer), answer.text, self._buttons(answer))

    @staticmethod
    def _buttons(message: Outgoing) -> tuple[Button, ...]:
        """In a group everybody sees a card, and a tap means what whoever taps it was asked."""
        return () if message.chat.startswith(GROUP) else wecom_cards.pressable(message.buttons)

    def _task(self, message: Outgoing) -> str:
        return numbered(self._salt, message.id)


def _meaning(problem: Exception, lane: Lane) -> Exception:
    """What a failed call means for the message that it carried."""
    match problem:
        case ApiError(code=code) if code == TOO_OFTEN:  # this chat, not the others
            return RetryLater("45009 平台要求放慢", AGAIN)
        case ApiError(code=code) if code in (USED, ELSEWHERE):
            return PermanentFailure("没有可用的回复地址，要等对方再说话", closed=True)
        case ApiError(code=code) if code == STRANGER:
            return PermanentFailure("对方还没有和智能机器人说过话", unreachable=True)
        case _:
            return failure(problem, lane)
