"""The web chat: who may speak and read, what is taken in, what is shown live, and what is turned away."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from bot.channels import web_live
from bot.channels.base import Button, Channel, Incoming, Outgoing, Photo
from bot.channels.web import Line, SampleGroup, SamplePerson, WebChannel

PEOPLE = (
    SamplePerson("wangfang", "王芳", "居民 · 3栋2单元501"),
    SamplePerson("laoli", "老李", "师傅 · 水电"),
    SamplePerson("linainai", "李奶奶", "居民 · 5栋1单元102"),
)
GROUPS = (SampleGroup("group-xingfuli", "幸福里业主群", ("wangfang", "linainai")),)
NOON = datetime(2025, 3, 7, 4, 15, tzinfo=UTC)  # 12:15 in Shanghai
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PICTURES = {
    "jpg": b"\xff\xd8\xff\xe0" + b"\0" * 40,
    "png": PNG,
    "webp": b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40,
    "gif": b"GIF89a" + b"\0" * 40,
}

Client = TestClient[web.Request, web.Application]


class House:
    """What stands behind the channel: takes messages, remembers them, and may be out of order."""

    def __init__(self) -> None:
        self.now = NOON
        self.taken: list[Incoming] = []
        self.lines: list[Line] = []
        self.broken = False
        self.channel: WebChannel

    async def handle(self, message: Incoming) -> None:
        if self.broken:
            raise RuntimeError("no database")
        first = message.id not in [one.id for one in self.taken]
        self.taken.append(message)
        if first:
            self.lines.append(
                Line(
                    f"in-{message.id}", message.chat, True, message.sender, message.sender_name,
                    message.text, self.now, photos=message.photos,
                )
            )  # fmt: skip

    async def history(self, chat: str, limit: int) -> list[Line]:
        if self.broken:
            raise RuntimeError("no database")
        return [line for line in self.lines if line.chat == chat][-limit:]


Open = Callable[..., Awaitable[tuple[Client, House]]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    clients: list[tuple[Client, House, asyncio.Task[None]]] = []

    async def open_(*, demo: bool = True, listening: bool = True) -> tuple[Client, House]:
        house = House()
        house.channel = channel = WebChannel(
            secret=b"secret of the tests",
            uploads=tmp_path / "uploads",
            people=PEOPLE if demo else (),
            groups=GROUPS if demo else (),
            history=house.history,
            now=lambda: house.now,
            zone=ZoneInfo("Asia/Shanghai"),
            title="邻里 · 幸福里",
        )
        app = web.Application()
        app.add_routes(channel.routes())
        client = TestClient(TestServer(app))
        listening_task = asyncio.create_task(channel.listen(house.handle) if listening else asyncio.sleep(0))
        clients.append((client, house, listening_task))
        await client.start_server()
        return client, house

    yield open_
    for client, house, task in clients:
        await house.channel.close()
        await client.close()
        task.cancel()


def said(text: object = "厨房漏水了", **changes: object) -> dict[str, object]:
    return {"id": "abcd1234", "as": "wangfang", "text": text} | changes


async def say(client: Client, body: object, chat: str = "wangfang", **options: Any) -> ClientResponse:
    return await client.post(f"/api/chat/{chat}/messages", json=body, **options)


@asynccontextmanager
async def listening(client: Client, chats: str) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    """Open the event stream; the value reads the next event of it."""
    response = await client.get("/api/events", params={"chats": chats})
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert await response.content.readline() == b": hello\n"

    async def next_event() -> dict[str, Any]:
        async with asyncio.timeout(5):
            while not (line := await response.content.readline()).startswith(b"data: "):
                if not line:
                    raise ConnectionError("the stream has ended")
        event: dict[str, Any] = json.loads(line[6:])
        return event

    try:
        yield next_event
    finally:
        response.close()


async def visitor(client: Client) -> str:
    """Come in as somebody new, forgetting who we were."""
    client.session.cookie_jar.clear()
    account: str = (await (await client.get("/api/chat")).json())["me"]["account"]
    return account


# -- the page


async def test_the_page_and_its_files(opened: Open) -> None:
    client, house = await opened()
    channel: Channel = house.channel
    assert channel.name == "web"
    assert channel.limits.buttons
    page = await client.get("/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Set-Cookie" not in page.headers
    text = await page.text()
    assert 'lang="zh-CN"' in text
    for name, kind in {
        "chat.css": "text/css",
        "chat.js": "text/javascript",
        "icon.svg": "image/svg+xml",
    }.items():
        file = await client.get(f"/static/{name}")
        assert file.status == 200
        assert file.content_type == kind
        assert f"/static/{name}" in text
        assert file.headers["Cache-Control"] == "no-cache"
        again = await client.get(f"/static/{name}", headers={"If-None-Match": file.headers["ETag"]})
        assert again.status == 304


async def test_the_page_needs_nobody_else_and_runs_nothing_foreign(opened: Open) -> None:
    client, _ = await opened()
    page, script = await (await client.get("/")).text(), await (await client.get("/static/chat.js")).text()
    assert "://" not in page
    assert " style=" not in page
    assert " onclick" not in page
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script


@pytest.mark.parametrize(
    "name", ["__init__.py", "..%2f__init__.py", "%2e%2e/web.py", "chat.js.map", "%00", "%ff"]
)
async def test_no_other_file_is_given_out(opened: Open, name: str) -> None:
    client, _ = await opened()
    assert (await client.get(f"/static/{name}")).status == 404


@pytest.mark.parametrize(
    "path", ["/", "/api/chat", "/static/chat.js", "/static/none", "/api/chat/none/messages"]
)
async def test_every_answer_carries_the_headers(opened: Open, path: str) -> None:
    client, _ = await opened()
    headers = (await client.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


async def test_who_is_here(opened: Open) -> None:
    client, _ = await opened()
    house = await (await client.get("/api/chat")).json()
    assert house["title"] == "邻里 · 幸福里"
    assert house["demo"] is True
    assert house["me"] is None
    assert house["persons"][0] == {"account": "wangfang", "name": "王芳", "note": "居民 · 3栋2单元501"}
    assert house["groups"] == [
        {
            "chat": "group-xingfuli",
            "name": "幸福里业主群",
            "members": [{"account": "wangfang", "name": "王芳"}, {"account": "linainai", "name": "李奶奶"}],
        }
    ]


# -- speaking


async def test_a_sentence_is_handed_on(opened: Open) -> None:
    client, house = await opened()
    answer = await say(client, said())
    assert (answer.status, await answer.json()) == (200, {"id": "abcd1234"})
    assert house.taken == [
        Incoming(
            "web", "wangfang:abcd1234", "wangfang", "wangfang", "厨房漏水了", sender_name="王芳",
            group=False, addressed=True,
        )
    ]  # fmt: skip


async def test_a_repeat_is_handed_on_as_the_same_message_and_shown_once(opened: Open) -> None:
    client, house = await opened()
    async with listening(client, "wangfang") as next_event:
        assert [(await say(client, said())).status for _ in range(3)] == [200] * 3
        assert {message.id for message in house.taken} == {"wangfang:abcd1234"}
        assert (await next_event())["id"] == "in-wangfang:abcd1234"
        await say(client, said("还有一件", id="abcd1235"))
        assert (await next_event())["text"] == "还有一件"


async def test_what_could_not_be_kept_is_503_and_shown_to_nobody(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    client, house = await opened()
    async with listening(client, "wangfang") as next_event:
        house.broken = True
        with caplog.at_level(logging.CRITICAL):
            answer = await say(client, said())
            assert answer.status == 503
            assert (await answer.text()).count("\n") == 0
            assert (await client.get("/api/chat/wangfang/messages")).status == 503
        house.broken = False
        assert (await say(client, said())).status == 200
        assert (await next_event())["text"] == "厨房漏水了"
    assert len(house.taken) == 1


async def test_before_the_house_listens_nothing_is_taken(opened: Open) -> None:
    client, _ = await opened(listening=False)
    assert (await say(client, said())).status == 503


@pytest.mark.parametrize(
    ("text", "heard", "addressed"),
    [
        ("楼道灯坏了", "楼道灯坏了", False),
        ("@邻里 楼道灯坏了", "楼道灯坏了", True),
        ("@邻里\u2005楼道灯坏了", "楼道灯坏了", True),
        ("楼道灯坏了＠邻里", "楼道灯坏了", True),
        ("@邻居 在吗", "@邻居 在吗", False),
        ("@邻里", "", True),
    ],
)
async def test_in_a_group_a_mention_speaks_to_us(
    opened: Open, text: str, heard: str, addressed: bool
) -> None:
    client, house = await opened()
    assert (await say(client, said(text, **{"as": "linainai"}), "group-xingfuli")).status == 200
    (message,) = house.taken
    assert (message.chat, message.sender, message.sender_name) == ("group-xingfuli", "linainai", "李奶奶")
    assert (message.text, message.group, message.addressed) == (heard, True, addressed)
    assert message.id == "linainai:abcd1234"


async def test_a_tapped_button_speaks_to_us(opened: Open) -> None:
    client, house = await opened()
    assert (await say(client, said("+1", tap=True), "group-xingfuli")).status == 200
    assert house.taken[0].addressed


async def test_long_text_is_handed_on_and_nul_taken_out(opened: Open) -> None:
    client, house = await opened()
    assert (await say(client, said("漏" * 12_000))).status == 200
    assert (await say(client, said("漏\0水", id="abcd1235"))).status == 200
    assert [len(message.text) for message in house.taken] == [12_000, 2]


@pytest.mark.parametrize(
    ("chat", "account"),
    [
        ("wangfang", "laoli"),
        ("group-xingfuli", "laoli"),
        ("group-xingfuli", "group-xingfuli"),
        ("nobody", "nobody"),
        ("wangfang", ""),
    ],
)
async def test_nobody_speaks_where_he_does_not_belong(opened: Open, chat: str, account: str) -> None:
    client, house = await opened()
    answer = await say(client, said(**{"as": account}), chat)
    assert answer.status == 403
    assert len((await answer.text()).splitlines()) == 1
    assert house.taken == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text=hello",
        b"\xff\xfe{\0}\0",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b"9" * 5000,
        json.dumps(said(more=1)).encode(),
        json.dumps({"id": "abcd1234", "as": "wangfang"}).encode(),
        json.dumps({"id": "abcd1234", "text": "a"}).encode(),
        json.dumps({"as": "wangfang", "text": "a"}).encode(),
        json.dumps(said(id="short")).encode(),
        json.dumps(said(id="x" * 65)).encode(),
        json.dumps(said(id="abcd 1234")).encode(),
        json.dumps(said(id="abcd1234\n")).encode(),
        json.dumps(said(id="漏水漏水漏水漏水")).encode(),
        json.dumps(said(id=12345678)).encode(),
        json.dumps(said(text=None)).encode(),
        json.dumps(said(text=["a"])).encode(),
        json.dumps(said(tap=1)).encode(),
        json.dumps(said(photos="a.png")).encode(),
        json.dumps(said(photos=[{}])).encode(),
        json.dumps(said(photos=["a"] * 10)).encode(),
        json.dumps(said(photos=["../secret.png"])).encode(),
        json.dumps(said(text="")).encode(),
        json.dumps(said(text=" \0\n")).encode(),
        json.dumps(said(text="坏\ud800字")).encode(),
    ],
)
async def test_what_is_malformed_is_turned_away_with_one_line(opened: Open, body: bytes) -> None:
    client, house = await opened()
    answer = await client.post("/api/chat/wangfang/messages", data=body)
    assert answer.status == 400
    assert len((await answer.text()).splitlines()) == 1
    assert house.taken == []
    assert sum(house.channel.counters.items().values()) == 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_more_than_a_mebibyte(opened: Open, chunked: bool) -> None:
    client, house = await opened()
    body = json.dumps(said("a" * (1 << 20))).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    answer = await client.post("/api/chat/wangfang/messages", data=pieces() if chunked else BytesIO(body))
    assert answer.status == 413
    assert house.taken == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://{host}"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "https://linli.example", "X-Forwarded-Host": "linli.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://{host}.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://{host}"}, 403),
    ],
)
async def test_other_sites_cannot_speak_for_anybody(
    opened: Open, headers: dict[str, str], status: int
) -> None:
    client, house = await opened()
    sent = {name: value.format(host=f"{client.host}:{client.port}") for name, value in headers.items()}
    assert (await say(client, said(), headers=sent)).status == status
    assert (await client.post("/api/chat/wangfang/photos", data=PNG, headers=sent)).status == status
    assert len(house.taken) == (status == 200)


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
async def test_a_body_cut_short_is_no_trouble(
    opened: Open, rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client, house = await opened()
    for path in (b"messages", b"photos"):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(b"POST /api/chat/wangfang/" + path + b" HTTP/1.1\r\nHost: a\r\n" + rest)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0]
        writer.close()
        await writer.wait_closed()
    assert (await say(client, said())).status == 200
    assert len(house.taken) == 1
    assert not [record for record in caplog.records if record.name == "bot.channels.web"]


# -- reading


async def test_history_in_the_time_of_the_community(opened: Open) -> None:
    client, house = await opened()
    house.lines = [
        Line("in-1", "wangfang", True, "wangfang", "王芳", "旧年", NOON - timedelta(days=100)),
        Line("out-2", "wangfang", False, "", "邻里", "周日", NOON - timedelta(days=5)),
        Line("in-3", "wangfang", True, "wangfang", "王芳", "昨晚", NOON - timedelta(hours=13)),
        Line("out-4", "wangfang", False, "", "邻里", "<b>选</b>", NOON, (Button("好", "1"),)),
        Line("in-5", "laoli", True, "laoli", "老李", "别人的", NOON),
    ]
    answer = await client.get("/api/chat/wangfang/messages", params={"limit": "50"})
    lines = (await answer.json())["messages"]
    assert [line["day"] for line in lines] == ["2024年11月27日", "3月2日 周日", "昨天", "今天"]
    assert lines[3] == {
        "id": "out-4", "chat": "wangfang", "mine": False, "sender": "", "sender_name": "邻里",
        "text": "<b>选</b>", "at": "2025-03-07T04:15:00.000000+00:00", "time": "12:15", "date": "2025-03-07",
        "day": "今天", "buttons": [{"label": "好", "says": "1"}], "photos": [],
    }  # fmt: skip
    assert [line["time"] for line in lines][2] == "23:15"
    last = await client.get("/api/chat/wangfang/messages", params={"limit": "1"})
    assert [line["id"] for line in (await last.json())["messages"]] == ["out-4"]


@pytest.mark.parametrize(
    ("limit", "status"),
    [("0", 200), ("-3", 200), ("999999", 200), ("many", 400), ("9" * 5000, 400), ("", 400)],
)
async def test_limits_of_reading(opened: Open, limit: str, status: int) -> None:
    client, _ = await opened()
    assert (await client.get("/api/chat/wangfang/messages", params={"limit": limit})).status == status


# -- live


async def test_words_and_answers_are_live_in_every_open_page(opened: Open) -> None:
    client, house = await opened()
    async with (
        listening(client, "wangfang,group-xingfuli") as one,
        listening(client, "group-xingfuli") as other,
    ):
        await say(client, said("@邻里 灯坏了"), "group-xingfuli")
        for page in (one, other):
            line = await page()
            assert (line["id"], line["mine"], line["sender"]) == ("in-wangfang:abcd1234", True, "wangfang")
            assert (line["text"], line["time"], line["day"]) == ("@邻里 灯坏了", "12:15", "今天")
        buttons = (Button("接单", "接 1"),)
        assert (
            await house.channel.send(Outgoing(7, "web", "group-xingfuli", "已报修 #1", buttons=buttons)) == ""
        )
        for page in (one, other):
            line = await page()
            assert (line["id"], line["mine"], line["text"]) == ("out-7", False, "已报修 #1")
            assert line["buttons"] == [{"label": "接单", "says": "接 1"}]
        await house.channel.send(Outgoing(8, "web", "wangfang", "只给\n王芳"))
        assert (await one())["text"] == "只给\n王芳"
        await house.channel.send(Outgoing(9, "web", "group-xingfuli", "给大家"))
        assert (await other())["text"] == "给大家"


async def test_sending_never_fails(opened: Open) -> None:
    _, house = await opened()
    assert await house.channel.send(Outgoing(1, "web", "nobody", "没有人在看\ud800")) == ""


async def test_a_quiet_stream_still_beats(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_live, "HEARTBEAT_SECONDS", 0.01)
    client, _ = await opened()
    response = await client.get("/api/events", params={"chats": "wangfang"})
    async with asyncio.timeout(5):
        assert await response.content.readuntil(b": still here\n\n")
    response.close()


async def test_a_slow_listener_is_let_go(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_live, "BACKLOG", 3)
    client, house = await opened()
    async with listening(client, "wangfang") as next_event:
        for number in range(9):  # no await in between gives the stream its turn
            await house.channel.send(Outgoing(number, "web", "wangfang", "快"))
        with pytest.raises(ConnectionError):
            while True:
                await next_event()


async def test_too_many_listeners(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_live, "LISTENERS", 1)
    client, _ = await opened()
    async with listening(client, "wangfang"):
        assert (await client.get("/api/events", params={"chats": "wangfang"})).status == 503


async def test_closing_ends_the_streams(opened: Open) -> None:
    client, house = await opened()
    async with listening(client, "wangfang") as next_event:
        await house.channel.close()
        with pytest.raises(ConnectionError):
            await next_event()


@pytest.mark.parametrize("chats", ["", ",", "nobody", "wangfang,nobody"])
async def test_only_known_chats_are_watched(opened: Open, chats: str) -> None:
    client, _ = await opened()
    assert (await client.get("/api/events", params={"chats": chats})).status == 403


# -- photos


@pytest.mark.parametrize("suffix", PICTURES)
async def test_a_photo_is_kept_and_comes_with_a_message(opened: Open, suffix: str, tmp_path: Path) -> None:
    client, house = await opened()
    kept = await (await client.post("/api/chat/wangfang/photos", data=PICTURES[suffix])).json()
    assert kept["path"].endswith(f".{suffix}")
    assert (tmp_path / "uploads" / kept["path"]).read_bytes() == PICTURES[suffix]
    assert (await say(client, said("", photos=[kept["path"]]))).status == 200
    (photo,) = house.taken[0].photos
    assert photo.path == kept["path"]
    history = await (await client.get("/api/chat/wangfang/messages")).json()
    for address in (f"/photos/{kept['path']}", kept["src"], history["messages"][0]["photos"][0]["src"]):
        shown = await client.get(address)
        assert shown.status == 200
        assert shown.content_type == photo.media_type
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in shown.headers["Content-Security-Policy"]
        assert await shown.read() == PICTURES[suffix]


async def test_a_photo_in_a_form(opened: Open) -> None:
    client, _ = await opened()
    form = FormData()
    form.add_field("file", PNG, filename="../../evil.html", content_type="text/html")
    kept = await client.post("/api/chat/wangfang/photos", data=form)
    assert kept.status == 200
    assert (await kept.json())["path"].startswith("web-")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<html>", "image/png"),
        (b"RIFF....WAVE", "image/webp"),
        (b"\x89PN", "image/png"),
        (b"", "multipart/form-data"),
        (PNG, "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--", "multipart/form-data; boundary=x"),
        (b"--x\r\n" + b"a" * 70000, "multipart/form-data; boundary=x"),
        (b"--x\r\nbroken header\r\n\r\nabc", "multipart/form-data; boundary=x"),
        (PNG, "multipart/form-data; boundary=" + "x" * 200),
    ],
)
async def test_what_is_no_photo(opened: Open, body: bytes, kind: str, tmp_path: Path) -> None:
    client, _ = await opened()
    answer = await client.post("/api/chat/wangfang/photos", data=body, headers={"Content-Type": kind})
    assert answer.status == 400
    assert not (tmp_path / "uploads").exists()


@pytest.mark.parametrize("form", [False, True])
async def test_a_photo_of_more_than_eight_mebibytes(opened: Open, form: bool) -> None:
    client, _ = await opened()
    body = PNG + b"\0" * (8 << 20)
    data: BytesIO | FormData = BytesIO(body)
    if form:
        data = FormData()
        data.add_field("file", BytesIO(body), filename="a.png")
    assert (await client.post("/api/chat/wangfang/photos", data=data)).status == 413
    assert (await client.post("/api/chat/wangfang/photos", data=BytesIO(body[: 8 << 20]))).status == 200


async def test_no_other_file_is_shown(opened: Open, tmp_path: Path) -> None:
    client, house = await opened()
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "telegram-1.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    kept = (await (await client.post("/api/chat/wangfang/photos", data=PNG)).json())["path"]
    forged = kept[:-5] + ("0" if kept[-5] != "0" else "1") + kept[-4:]
    for name in ("telegram-1.png", "../secret.png", "..%2fsecret.png", "%00", "a" * 5000, "%ff", forged):
        assert (await client.get(f"/photos/{name}")).status == 404
        assert (await client.get(f"/photos/{name}?chat=wangfang&key=0")).status == 404
    (tmp_path / "uploads" / kept).unlink()
    assert (await client.get(f"/photos/{kept}")).status == 404
    assert (await say(client, said(photos=[kept]))).status == 400
    assert house.taken == []


async def test_a_photo_from_elsewhere_is_shown_where_the_assistant_shows_it(
    opened: Open, tmp_path: Path
) -> None:
    client, house = await opened()
    (tmp_path / "uploads" / "telegram").mkdir(parents=True)
    (tmp_path / "uploads" / "telegram" / "1.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    async with listening(client, "laoli") as next_event:
        for path, status in {"telegram/1.png": 200, "../secret.png": 404, "telegram": 404}.items():
            await house.channel.send(Outgoing(1, "web", "laoli", "看图", photos=(Photo(path, "image/png"),)))
            source = (await next_event())["photos"][0]["src"]
            assert (await client.get(URL(source, encoded=True))).status == status
            foreign = source.replace("laoli", "wangfang")
            assert (await client.get(URL(foreign, encoded=True))).status == 404


# -- visitors


async def test_a_visitor_has_one_chat_of_his_own(opened: Open) -> None:
    client, house = await opened(demo=False)
    page = await client.get("/")
    cookie = SimpleCookie(page.headers["Set-Cookie"])["linli_visitor"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    who = await (await client.get("/api/chat")).json()
    me = who["me"]["account"]
    assert me == cookie.value.partition(".")[0]
    assert me.startswith("visitor-")
    assert (who["demo"], who["persons"], who["groups"]) == (False, [], [])
    async with listening(client, me) as next_event:
        assert (await say(client, said(**{"as": me}), me)).status == 200
        assert (await next_event())["sender"] == me
        await house.channel.send(Outgoing(1, "web", me, "您住哪里？"))
        assert (await next_event())["text"] == "您住哪里？"
    assert house.taken[0].sender == house.taken[0].chat == me
    history = await (await client.get(f"/api/chat/{me}/messages")).json()
    assert [line["text"] for line in history["messages"]] == ["厨房漏水了"]


async def test_behind_a_secure_proxy_the_cookie_is_secure(opened: Open) -> None:
    client, _ = await opened(demo=False)
    page = await client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert SimpleCookie(page.headers["Set-Cookie"])["linli_visitor"]["secure"]


async def test_one_visitor_cannot_be_another(opened: Open) -> None:
    client, house = await opened(demo=False)
    other = await visitor(client)
    theirs = await (await client.post(f"/api/chat/{other}/photos", data=PNG)).json()
    me = await visitor(client)
    assert me != other
    assert (await say(client, said(**{"as": other}), other)).status == 403
    assert (await say(client, said(**{"as": other}), me)).status == 403
    assert (await say(client, said(**{"as": me}), other)).status == 403
    assert (await say(client, said(**{"as": "wangfang"}), "wangfang")).status == 403
    assert (await client.post(f"/api/chat/{other}/photos", data=PNG)).status == 403
    assert (await client.get(f"/api/chat/{other}/messages")).status == 403
    assert (await client.get("/api/events", params={"chats": f"{me},{other}"})).status == 403
    assert (await client.get(f"/photos/{theirs['path']}")).status == 404
    assert (await client.get(theirs["src"])).status == 404
    assert (await say(client, said(**{"as": me}, photos=[theirs["path"]]), me)).status == 400
    assert house.taken == []


@pytest.mark.parametrize("cookie", ["", "x", "visitor-1.", ".", "visitor-1." + "0" * 32, "visitor-1.é"])
async def test_a_forged_cookie_is_nobody(opened: Open, cookie: str) -> None:
    client, house = await opened(demo=False)
    headers = {"Cookie": f"linli_visitor={cookie}"}
    answer = await say(client, said(**{"as": "visitor-1"}), "visitor-1", headers=headers)
    assert answer.status == 403
    who = await (await client.get("/api/chat", headers=headers)).json()
    assert who["me"]["account"] != "visitor-1"
    assert house.taken == []


async def test_the_cookie_outlives_a_restart(opened: Open) -> None:
    client, _ = await opened(demo=False)
    page = await client.get("/")
    cookie = SimpleCookie(page.headers["Set-Cookie"])["linli_visitor"].value
    after, _ = await opened(demo=False)
    who = await (await after.get("/api/chat", headers={"Cookie": f"linli_visitor={cookie}"})).json()
    assert who["me"]["account"] == cookie.partition(".")[0]


# -- the folder


async def test_the_probe_says_when_photos_cannot_be_kept(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client, house = await opened()
    assert await house.channel.probe() == ""
    (tmp_path / "uploads").write_text("in the way")
    assert "照片" in await house.channel.probe()
    with caplog.at_level(logging.CRITICAL):
        assert (await client.post("/api/chat/wangfang/photos", data=PNG)).status == 503
