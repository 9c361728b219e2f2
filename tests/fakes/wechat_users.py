"""Followers of the official account and WeCom members, as WeChat brings their messages to the service.

    async with OaUsers(url, credentials, far) as users:
        answer = await users.text("oFang", "厨房水管漏水了")
        assert answer.status == 200 and answer.reply is None

Written without wechatpy, so that a mistake of its is not made twice. A method takes `forged=` for a letter
that has to be refused; `retried` is the platform's repeat (signed anew), `replayed` an eavesdropper's.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from bot.clock import Clock, SystemClock
from tests.fakes.wechat_credentials import NOBODY, Credentials
from tests.fakes.wechat_envelope import Envelope, EnvelopeError
from tests.fakes.wechat_post import Answer, Forged, Post, Sent, next_id, read_xml, tag
from tests.fakes.wechat_side import WeChatFarSide

__all__ = ["NOBODY", "Answer", "Credentials", "Forged", "OaUsers", "WeComUsers"]

#: Events that open a window of three messages in a minute.
_DEEDS = ("CLICK", "subscribe", "SCAN", "scancode_push", "scancode_waitmsg")


class XmlUsers:
    """What both platforms with XML share: one address, one envelope, an account that is written to."""

    def __init__(self, url: str, envelope: Envelope, account: str, clock: Clock | None) -> None:
        self._post = Post(url, envelope, clock or SystemClock())
        self._account = account

    async def __aenter__(self) -> Self:
        await self._post.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._post.__aexit__(kind, error, where)

    def _outer(self, cipher: str) -> dict[str, Any]:
        return {"ToUserName": self._account, "Encrypt": cipher}

    def _query(self, query: dict[str, str]) -> dict[str, str]:
        return query

    async def post(self, fields: dict[str, Any] | str, forged: Forged | None = None) -> Answer:
        """Fields of the inner message, or the whole of it as XML."""
        if forged == "foreign_account" and isinstance(fields, dict):
            fields = fields | {"ToUserName": "gh_000000000000"}
        plain = fields if isinstance(fields, str) else tag("xml", fields)
        query, cipher = self._post.sealed(plain, forged)
        body = plain if forged == "plaintext" else tag("xml", self._outer(cipher))
        return await self._deliver(Sent(self._post.url, self._query(query), body.encode(), plain))

    async def retried(self, answer: Answer) -> Answer:
        return await self.post(answer.sent.plain)

    async def replayed(self, answer: Answer) -> Answer:
        return await self._deliver(answer.sent)

    async def raw(self, body: bytes, query: dict[str, str] | None = None) -> Answer:
        """Any body at all, signed as if it were the cipher text where no query is given."""
        timestamp, nonce = self._post.stamp()
        signature = self._post.envelope.sign(timestamp, nonce, body.decode("utf-8", "replace"))
        signed = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}
        return await self._post.send(Sent(self._post.url, signed if query is None else query, body, ""))

    async def _deliver(self, sent: Sent) -> Answer:
        answer = await self._post.send(sent)
        text = answer.text.strip()
        if answer.status != 200 or text in ("", "success"):
            return answer
        outer = read_xml(text)
        missing = {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"} - set(outer)
        if missing:
            raise EnvelopeError(f"an answer without {', '.join(sorted(missing))}")
        inner = self._post.envelope.opened(
            outer["Encrypt"], outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"]
        )
        return replace(answer, reply=read_xml(inner)) if inner.strip() not in ("", "success") else answer

    def _now(self) -> int:
        return int(self._post.stamp()[0])


class OaUsers(XmlUsers):
    """Followers; the far side, where one is given, learns what they do: it opens and closes windows."""

    def __init__(
        self,
        url: str,
        credentials: Credentials = NOBODY,
        far: WeChatFarSide | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`url` is that of the service, without a path."""
        envelope = Envelope(credentials.oa_token, credentials.oa_aes_key, credentials.oa_app_id)
        super().__init__(f"{url}/wechat/oa", envelope, credentials.oa_id, clock)
        self._far = far

    def _query(self, query: dict[str, str]) -> dict[str, str]:
        """Beside the signature of the body there is the old one, of nothing but the token."""
        plain = self._post.envelope.sign(query["timestamp"], query["nonce"])
        return query | {"signature": plain} | ({"encrypt_type": "aes"} if "msg_signature" in query else {})

    async def check(self, forged: Forged | None = None) -> Answer:
        """The platform tries the address: `text` has to be `sent.plain`."""
        timestamp, nonce = self._post.stamp(forged)
        echo = str(secrets.randbelow(10**18))
        signature = self._post.envelope.sign(timestamp, nonce)
        query = {"timestamp": timestamp, "nonce": nonce, "echostr": echo}
        if forged != "unsigned":
            query["signature"] = secrets.token_hex(20) if forged == "signature" else signature
        return await self._post.get(query, echo)

    async def say(
        self, openid: str, kind: str, forged: Forged | None = None, msgid: int | None = None, **fields: Any
    ) -> Answer:
        """A message of any kind."""
        if self._far is not None and forged is None:
            self._far.spoke(openid)
        message = self._head(openid, kind) | fields | {"MsgId": msgid or next_id()}
        return await self.post(message, forged)

    async def text(
        self, openid: str, text: str, forged: Forged | None = None, menu: str = "", **more: Any
    ) -> Answer:
        """`menu`: the text of a menu message was tapped, which has that id."""
        tapped: dict[str, Any] = {"bizmsgmenuid": menu} if menu else {}
        return await self.say(openid, "text", forged, Content=text, **tapped, **more)

    async def voice(self, openid: str, recognition: str | None = None, media_id: str = "VOICE1") -> Answer:
        """With None the account has no recognition switched on."""
        heard: dict[str, Any] = {} if recognition is None else {"Recognition": recognition}
        return await self.say(openid, "voice", MediaId=media_id, Format="amr", **heard)

    async def image(
        self, openid: str, media_id: str, pic_url: str = "http://mmbiz.qpic.cn/mmbiz_jpg/x/0"
    ) -> Answer:
        return await self.say(openid, "image", PicUrl=pic_url, MediaId=media_id)

    async def location(self, openid: str, x: float, y: float, label: str) -> Answer:
        """`x` is the latitude."""
        return await self.say(openid, "location", Location_X=x, Location_Y=y, Scale=16, Label=label)

    async def link(self, openid: str, title: str, description: str, url: str) -> Answer:
        return await self.say(openid, "link", Title=title, Description=description, Url=url)

    async def event(
        self, openid: str, event: str, key: str = "", forged: Forged | None = None, **more: Any
    ) -> Answer:
        """`subscribe` (key `qrscene_…`), `unsubscribe`, `SCAN`, `CLICK`, `VIEW`, …"""
        if self._far is not None and forged is None:
            if event == "unsubscribe":
                self._far.left(openid)
            elif event in _DEEDS:
                self._far.acted(openid)
        return await self.post(self._head(openid, "event") | {"Event": event, "EventKey": key} | more, forged)

    def _head(self, openid: str, kind: str) -> dict[str, Any]:
        return {
            "ToUserName": self._account,
            "FromUserName": openid,
            "CreateTime": self._now(),
            "MsgType": kind,
        }


@dataclass(frozen=True)
class Click:
    """A button of a card; `selected` are the options of each question."""

    task_id: str
    key: str
    response_code: str
    card_type: str = "button_interaction"
    selected: tuple[tuple[str, tuple[str, ...]], ...] = ()


class WeComUsers(XmlUsers):
    """Members of the company, and the customer service's ringing."""

    def __init__(self, url: str, credentials: Credentials = NOBODY, clock: Clock | None = None) -> None:
        """`url` is that of the service, without a path."""
        envelope = Envelope(credentials.wecom_token, credentials.wecom_aes_key, credentials.corp_id)
        super().__init__(f"{url}/wechat/work", envelope, credentials.corp_id, clock)
        self._credentials = credentials

    def _outer(self, cipher: str) -> dict[str, Any]:
        return super()._outer(cipher) | {"AgentID": str(self._credentials.agent_id)}

    async def check(self, forged: Forged | None = None) -> Answer:
        """The platform tries the address: `text` has to be `sent.plain`, which comes encrypted."""
        return await encrypted_check(self._post, forged)

    async def say(
        self, userid: str, kind: str, forged: Forged | None = None, msgid: int | None = None, **fields: Any
    ) -> Answer:
        message = self._head(userid, kind) | fields | {"MsgId": msgid or next_id()}
        return await self.post(message | {"AgentID": self._credentials.agent_id}, forged)

    async def text(self, userid: str, text: str, forged: Forged | None = None, **more: Any) -> Answer:
        return await self.say(userid, "text", forged, Content=text, **more)

    async def image(self, userid: str, media_id: str, pic_url: str = "http://wework.qpic.cn/x/0") -> Answer:
        return await self.say(userid, "image", PicUrl=pic_url, MediaId=media_id)

    async def event(
        self, userid: str, event: str, key: str = "", forged: Forged | None = None, **more: Any
    ) -> Answer:
        """`enter_agent`, `subscribe`, `click`, `view`, `change_contact`, …"""
        message = self._head(userid, "event") | {"Event": event, "EventKey": key} | more
        return await self.post(message | {"AgentID": self._credentials.agent_id}, forged)

    async def click(self, userid: str, click: Click, event: str = "template_card_event") -> Answer:
        selected = [
            {"QuestionKey": question, "OptionIds": {"OptionId": list(options)}}
            for question, options in click.selected
        ]
        more: dict[str, Any] = {"SelectedItems": {"SelectedItem": selected}} if selected else {}
        return await self.event(
            userid,
            event,
            click.key,
            TaskId=click.task_id,
            CardType=click.card_type,
            ResponseCode=click.response_code,
            **more,
        )

    async def kf(self, token: str, open_kfid: str = "") -> Answer:
        """There is something for the customer service: no sender, no number (WeCom doc 94670)."""
        return await self.post(
            {
                "ToUserName": self._account,
                "CreateTime": self._now(),
                "MsgType": "event",
                "Event": "kf_msg_or_event",
                "Token": token,
                "OpenKfId": open_kfid or self._credentials.open_kfid,
            }
        )

    def _head(self, userid: str, kind: str) -> dict[str, Any]:
        return {
            "ToUserName": self._account,
            "FromUserName": userid,
            "CreateTime": self._now(),
            "MsgType": kind,
        }


async def encrypted_check(post: Post, forged: Forged | None) -> Answer:
    """The try of an address by WeCom: an encrypted echo, of which the decrypted is the answer."""
    echo = str(secrets.randbelow(10**18))
    query, cipher = post.sealed(echo, forged)
    return await post.get(query | {"echostr": cipher}, echo)
