"""Members who talk to the smart robot, alone and in groups, as callbacks of WeCom bring it (JSON)."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from bot.clock import Clock, SystemClock
from tests.fakes.wechat_credentials import NOBODY, Credentials
from tests.fakes.wechat_envelope import Envelope, EnvelopeError
from tests.fakes.wechat_post import Answer, Forged, Post, Sent
from tests.fakes.wechat_side import WeChatFarSide
from tests.fakes.wechat_users import Click, encrypted_check


@dataclass(frozen=True)
class Heard:
    """What stood in the chat in the end: the streamed text, the card, or what came by response_url."""

    first: Answer
    content: str
    finished: bool
    card: dict[str, Any] | None = None
    pushed: dict[str, Any] | None = None


class AibotUsers:
    def __init__(
        self,
        url: str,
        credentials: Credentials = NOBODY,
        far: WeChatFarSide | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`url` is that of the service, without a path; a far side makes response_url ones that work."""
        envelope = Envelope(credentials.aibot_token, credentials.aibot_aes_key, "")
        self._post = Post(f"{url}/wechat/aibot", envelope, clock or SystemClock())
        self._credentials, self._far = credentials, far

    async def __aenter__(self) -> Self:
        await self._post.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._post.__aexit__(kind, error, where)

    async def check(self, forged: Forged | None = None) -> Answer:
        """The platform tries the address: `text` has to be `sent.plain`, which comes encrypted."""
        return await encrypted_check(self._post, forged)

    def message(self, userid: str, kind: str, chatid: str = "", **fields: Any) -> dict[str, Any]:
        """The body of a callback, and of a frame of the long connection."""
        where = {"chattype": "group", "chatid": chatid} if chatid else {"chattype": "single"}
        answer_to = {"response_url": self._far.response_url()} if self._far and kind != "stream" else {}
        head = {"msgid": secrets.token_hex(12), "aibotid": self._credentials.aibot_id}
        return head | where | {"from": {"userid": userid}, "msgtype": kind} | answer_to | fields

    async def post(self, message: dict[str, Any] | str, forged: Forged | None = None) -> Answer:
        if forged == "foreign_account" and isinstance(message, dict):
            message = message | {"aibotid": "aib_of_somebody_else"}
        plain = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
        query, cipher = self._post.sealed(plain, forged)
        body = plain if forged == "plaintext" else json.dumps({"encrypt": cipher})
        return await self._deliver(Sent(self._post.url, query, body.encode(), plain))

    async def retried(self, answer: Answer) -> Answer:
        """The platform's repeat, signed anew."""
        return await self.post(answer.sent.plain)

    async def replayed(self, answer: Answer) -> Answer:
        """An eavesdropper's, the very same bytes."""
        return await self._deliver(answer.sent)

    async def raw(self, body: bytes, query: dict[str, str]) -> Answer:
        return await self._post.send(Sent(self._post.url, query, body, ""))

    async def _deliver(self, sent: Sent) -> Answer:
        answer = await self._post.send(sent)
        text = answer.text.strip()
        if answer.status != 200 or text in ("", "success", "{}"):
            return answer
        outer = json.loads(text)
        missing = {"encrypt", "msgsignature", "timestamp", "nonce"} - set(outer)
        if missing:
            raise EnvelopeError(f"an answer without {', '.join(sorted(missing))}")
        inner = self._post.envelope.opened(
            outer["encrypt"], outer["msgsignature"], str(outer["timestamp"]), str(outer["nonce"])
        )
        return replace(answer, reply=json.loads(inner))

    # -- what they do

    async def text(
        self, userid: str, text: str, chatid: str = "", forged: Forged | None = None, **more: Any
    ) -> Answer:
        """In a group the name of the robot stands before it, as the platform writes it."""
        content = f"@{self._credentials.aibot_name} {text}" if chatid else text
        return await self.post(
            self.message(userid, "text", chatid, text={"content": content}, **more), forged
        )

    async def voice(self, userid: str, text: str) -> Answer:
        return await self.post(self.message(userid, "voice", voice={"content": text}))

    async def image(self, userid: str, url: str) -> Answer:
        return await self.post(self.message(userid, "image", image={"url": url}))

    async def mixed(self, userid: str, text: str, *urls: str, chatid: str = "") -> Answer:
        content = f"@{self._credentials.aibot_name} {text}" if chatid else text
        items: list[dict[str, Any]] = [{"msgtype": "text", "text": {"content": content}}]
        items += [{"msgtype": "image", "image": {"url": url}} for url in urls]
        return await self.post(self.message(userid, "mixed", chatid, mixed={"msg_item": items}))

    async def poll(self, userid: str, stream_id: str, chatid: str = "") -> Answer:
        """The platform asks how the answer goes on."""
        return await self.post(self.message(userid, "stream", chatid, stream={"id": stream_id}))

    def event(self, userid: str, kind: str, chatid: str = "", **content: Any) -> dict[str, Any]:
        """The body of an event (`enter_chat`, `feedback_event`, …), for `post` or for a frame."""
        inner = {"eventtype": kind} | ({kind: content} if content else {})
        at = {"create_time": int(self._post.stamp()[0])}
        return self.message(userid, "event", chatid, event=inner, **at)

    async def enter(self, userid: str) -> Answer:
        return await self.post(self.event(userid, "enter_chat"))

    async def click(self, userid: str, click: Click, chatid: str = "") -> Answer:
        """The smart robot's card has no response code: the answer is the update."""
        items = [{"question_key": key, "option_ids": {"option_id": list(ids)}} for key, ids in click.selected]
        selected = {"selected_items": {"selected_item": items}} if items else {}
        content = {"card_type": click.card_type, "event_key": click.key, "task_id": click.task_id} | selected
        return await self.post(self.event(userid, "template_card_event", chatid, **content))

    async def say(
        self, userid: str, text: str, chatid: str = "", wait: float = 5.0, every: float = 0.02
    ) -> Heard:
        """A message, then the platform asks until the stream is finished or response_url was used."""
        first = answer = await self.text(userid, text, chatid)
        url = json.loads(first.sent.plain).get("response_url", "")
        content, finished, card = "", answer.reply is None, None
        async with asyncio.timeout(wait):
            while answer.reply is not None:
                stream = answer.reply.get("stream") or {}
                content, finished = stream.get("content", content), bool(stream.get("finish", True))
                card = answer.reply.get("template_card") or card
                if finished:
                    break
                await asyncio.sleep(every)
                answer = await self.poll(userid, str(stream.get("id")), chatid)
            while not content and card is None and self._far is not None:
                pushed = self._pushed(url)
                if pushed is not None:
                    return Heard(first, content, finished, card, pushed)
                await asyncio.sleep(every)
        return Heard(first, content, finished, card)

    def _pushed(self, url: str) -> dict[str, Any] | None:
        code = url.rpartition("=")[2]
        calls = self._far.calls("aibot/response") if self._far else []
        return next((call.body for call in calls if call.query.get("response_code") == code), None)
