"""Which channels the settings open, and what the web page remembers of a chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot import demo, inbox, outbox
from bot.albums import KeptParts
from bot.app import House
from bot.channels.web import Line, WebChannel
from bot.clock import SystemClock
from bot.config import Fresh, Settings, secret
from bot.domain import people
from bot.messages import Button, Incoming, Photo

S = TypeVar("S")
BUTTON_FOR = timedelta(days=30)  # how long a button works whose words had no room in it


class Misconfigured(ValueError):
    """A channel's settings that can't be used: one line in Chinese."""


@dataclass(frozen=True, slots=True)
class Door:
    """A channel that settings open. `open` adds it to the house when its settings are there.

    It raises ValueError with one line in Chinese for settings that can't be used. `needs` are the settings
    to begin with, without LINLI_; `callback` is the path that the platform calls, "" where it calls nothing.
    """

    channel: str
    called: str
    needs: tuple[str, ...]
    open: Callable[[House, Fresh], None]
    callback: str = ""


def open_doors(house: House, *, demo_people: bool, faults: dict[str, str] | None = None) -> None:
    """Add the channels that are configured; the web chat always.

    Raises Misconfigured for the first that can't be opened; where `faults` is given, notes it there under the
    channel's name and goes on.
    """
    _web(house, demo_people=demo_people)
    fresh = Fresh(house.settings)
    for door in DOORS:
        try:
            door.open(house, fresh)
        except ValueError as problem:
            if faults is None:
                raise Misconfigured(str(problem)) from problem
            faults[door.channel] = str(problem)


def whole(name: str, settings: Settings, prefix: str, *needed: str) -> bool:
    """Whether a channel is configured. ValueError when only a part of it is: no door stands half open."""
    missing = [one for one in needed if not getattr(settings, prefix + one)]
    if missing and len(missing) < len(needed):
        names = "、".join(f"LINLI_{(prefix + one).upper()}" for one in missing)
        raise ValueError(f"{name}的设置不全，还差 {names}")
    return not missing


def said_to(house: House, channel: str) -> dict[str, Any]:
    """What the communities' files say to a channel: the first that says anything."""
    found = (one.channels[channel] for one in house.communities.values() if channel in one.channels)
    return dict(next(found, {}))


def _web(house: House, *, demo_people: bool) -> None:
    first = next(iter(house.communities.values()))

    async def history(chat: str, limit: int) -> list[Line]:
        return [line(chat, row) for row in await house.spoken("web", chat, limit)]

    house.add(
        WebChannel(
            secret=secret(house.settings),
            uploads=house.uploads,
            people=demo.persons() if demo_people else [],
            groups=[demo.GROUP] if demo_people else [],
            history=history,
            now=house.clock.now,
            title=first.name,
            zone=first.zone,
        )
    )


def _telegram(house: House, _: Fresh) -> None:
    if not house.settings.telegram_token:
        return
    from bot.channels.telegram import TelegramChannel  # noqa: PLC0415 - 400 ms that most don't need

    settings = house.settings
    telegram = TelegramChannel(
        settings.telegram_token or "",
        webhook_url=settings.telegram_webhook_url,
        webhook_secret=settings.telegram_webhook_secret,
        api_base=settings.telegram_api_base,
        file_base=settings.telegram_file_base,
        uploads=house.uploads,
    )

    async def migrated(old: str, new: str) -> None:
        await house.store.run(lambda db: people.rewrite_chat(db, "telegram", old, new))

    async def words(chat: str, message: int, number: int) -> str:
        since = house.clock.now() - BUTTON_FOR
        row = await house.store.run(lambda db: outbox.button(db, "telegram", message, number, since=since))
        return row[1] if row and row[0].partition(":")[0] == chat.partition(":")[0] else ""

    async def keep_aside(number: int, update: str) -> None:
        came = Incoming("telegram", f"aside:{number}", "", "", update)
        await house.store.run(lambda db: inbox.first_time(db, came, house.clock.now()))

    telegram.on_migrate, telegram.words, telegram.keep_aside = migrated, words, keep_aside
    telegram.parts = KeptParts(house.store, house.clock, "telegram")
    house.add(telegram)


def _official_account(house: House, fresh: Fresh) -> None:
    if not whole("公众号", house.settings, "wechat_oa_", "app_id", "app_secret", "token", "aes_key"):
        return
    from bot.channels import wechat_oa  # noqa: PLC0415 - wechatpy, for who needs it
    from bot.channels.wechat_envelope import secrets_of  # noqa: PLC0415

    settings = house.settings
    first = next(iter(house.communities.values()))
    menu, template = wechat_oa.read_table(said_to(house, "wechat_oa"))
    account = wechat_oa.Account(
        settings.wechat_oa_app_id or "",
        settings.wechat_oa_app_secret or "",
        menu,
        replace(template, name=first.name) if template else None,
        first.zone,
    )
    channel = wechat_oa.OfficialAccount(
        account,
        secrets=rotating(
            fresh, lambda now: secrets_of(now.wechat_oa_token or "", now.wechat_oa_aes_key or "")
        ),
        desk=house.desk("wechat_oa"),
        uploads=house.uploads,
        api_base=settings.wechat_api_base,
        now=SystemClock().now,
    )
    house.add(channel)


def _smart_bot(house: House, fresh: Fresh) -> None:
    settings = house.settings
    called = whole("智能机器人的回调", settings, "wecom_aibot_", "token", "aes_key")
    connected = whole("智能机器人的长连接", settings, "wecom_aibot_", "id", "secret")
    if not (called or connected):
        return
    from bot.channels import aibot  # noqa: PLC0415 - wechatpy, for who needs it
    from bot.channels.wechat_envelope import secrets_of  # noqa: PLC0415

    url = settings.wecom_aibot_ws_url
    if connected and not url.startswith(("wss://", "ws://")):
        raise ValueError("LINLI_WECOM_AIBOT_WS_URL 要以 wss:// 开头")

    def credentials() -> tuple[str, str]:
        now = fresh()
        return now.wecom_aibot_id or "", now.wecom_aibot_secret or ""

    house.add(
        aibot.SmartBot(
            secrets=rotating(
                fresh, lambda now: secrets_of(now.wecom_aibot_token or "", now.wecom_aibot_aes_key or "")
            )
            if called
            else None,
            line=(url, credentials) if connected else None,
            desk=house.desk("aibot"),
            uploads=house.uploads,
            api_base=settings.wecom_api_base,
            salt=secret(settings),
            company=settings.wecom_corp_id or "",
            now=SystemClock().now,
        )
    )


def _residents(house: House, _: Fresh) -> None:
    settings = house.settings
    if not settings.wecom_residents:
        return
    app = _wecom_app("居民上报", settings)
    from bot.channels import wecom_residents  # noqa: PLC0415

    house.add(
        wecom_residents.Residents(
            wecom_residents.App(*app),
            desk=house.desk("residents"),
            uploads=house.uploads,
            api_base=settings.wecom_api_base,
            now=SystemClock().now,
        )
    )


def _customer_groups(house: House, _: Fresh) -> None:
    settings = house.settings
    owners = [one.strip() for one in (settings.wecom_customer_groups or "").split(",") if one.strip()]
    if not owners:
        return
    app = _wecom_app("客户群", settings)
    from bot.channels import wecom_groups  # noqa: PLC0415

    house.add(
        wecom_groups.CustomerGroups(*app, owners, uploads=house.uploads, api_base=settings.wecom_api_base)
    )


def _wecom_app(name: str, settings: Settings) -> tuple[str, str]:
    """The company's id and the app's secret. ValueError when one is missing: the door was asked for."""
    if not whole(name, settings, "wecom_", "corp_id", "secret"):
        raise ValueError(f"{name}的设置不全，还差 LINLI_WECOM_CORP_ID、LINLI_WECOM_SECRET")
    return settings.wecom_corp_id or "", settings.wecom_secret or ""


def _wecom(house: House, fresh: Fresh) -> None:
    settings = house.settings
    only_calls = settings.wecom_residents or settings.wecom_customer_groups
    if only_calls and not (settings.wecom_agent_id or settings.wecom_token or settings.wecom_aes_key):
        return  # the doors that only call as the app need no more than its secret
    if not whole("企业微信", settings, "wecom_", "corp_id", "agent_id", "secret", "token", "aes_key"):
        if settings.wecom_kf:
            raise ValueError("微信客服要先接上企业微信应用：还差 LINLI_WECOM_CORP_ID 等五项")
        return
    from bot.channels import wecom, wecom_cards, wecom_kf  # noqa: PLC0415 - wechatpy, for who needs it
    from bot.channels.wechat_envelope import secrets_of  # noqa: PLC0415
    from bot.channels.wecom_api import Company  # noqa: PLC0415

    agent = settings.wecom_agent_id or ""
    if not (agent.isascii() and agent.isdigit()):
        raise ValueError("LINLI_WECOM_AGENT_ID 要是数字，照抄应用页面上的 AgentId")
    company = Company(settings.wecom_corp_id or "", settings.wecom_secret or "", settings.wecom_api_base)
    salt, now = secret(settings), SystemClock().now
    channel = wecom.WeComApp(
        wecom.App(company, int(agent), salt, wecom_cards.read_table(said_to(house, "wecom"))),
        secrets=rotating(fresh, lambda now: secrets_of(now.wecom_token or "", now.wecom_aes_key or "")),
        desk=house.desk("wecom"),
        uploads=house.uploads,
        now=now,
    )
    house.add(channel)
    accounts = [one.strip() for one in (settings.wecom_kf or "").split(",") if one.strip()]
    if accounts:
        kf = wecom_kf.CustomerService(
            company, accounts, salt=salt, desk=house.desk("kf"), uploads=house.uploads, now=now
        )
        channel.on_ring = kf.ring
        house.add(kf)


def _group_robots(house: House, fresh: Fresh) -> None:
    from bot.channels.wecom_webhook_table import read_keys  # noqa: PLC0415

    keys = rotating(fresh, lambda now: tuple(read_keys(now.wecom_webhook_key or "").items()))
    for community in house.communities.values():
        wanted = community.staff_group
        if wanted and wanted not in dict(keys()):
            raise ValueError(
                f"{community.slug} 的小区文件把师傅的提醒发到群机器人「{wanted}」，"
                f"LINLI_WECOM_WEBHOOK_KEY 里没有它，要写 {wanted}=key"
            )
    if not keys():
        return
    from bot.channels import wecom_webhook  # noqa: PLC0415

    house.add(
        wecom_webhook.GroupRobots(
            lambda: dict(keys()), uploads=house.uploads, api_base=house.settings.wecom_api_base
        )
    )


def rotating(fresh: Fresh, read: Callable[[Settings], Sequence[S]]) -> Callable[[], Sequence[S]]:
    """What is read from the settings, anew when they change. ValueError at once for what can't be read now.

    Later, what can't be read is as if there were none: nothing is let in by a secret that is half written.
    """
    known = fresh()
    values = read(known)

    def now() -> Sequence[S]:
        nonlocal known, values
        if fresh() is not known:
            known = fresh()
            try:
                values = read(known)
            except ValueError:
                values = ()
        return values

    return now


DOORS = (
    Door("telegram", "Telegram", ("TELEGRAM_TOKEN",), _telegram),
    Door(
        "wechat_oa",
        "公众号",
        ("WECHAT_OA_APP_ID", "WECHAT_OA_APP_SECRET", "WECHAT_OA_TOKEN", "WECHAT_OA_AES_KEY"),
        _official_account,
        callback="/wechat/oa",
    ),
    Door(
        "wecom",
        "企业微信",
        ("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_TOKEN", "WECOM_AES_KEY"),
        _wecom,
        callback="/wechat/work",
    ),
    Door("kf", "微信客服", ("WECOM_KF",), lambda *_: None),  # the app's door opens it
    Door("residents", "居民上报", ("WECOM_CORP_ID", "WECOM_SECRET", "WECOM_RESIDENTS"), _residents),
    Door(
        "aibot",
        "智能机器人",
        ("WECOM_AIBOT_TOKEN", "WECOM_AIBOT_AES_KEY"),
        _smart_bot,
        callback="/wechat/aibot",
    ),
    Door("webhook", "群机器人", ("WECOM_WEBHOOK_KEY",), _group_robots),
    Door(
        "customer_groups",
        "客户群通知",
        ("WECOM_CORP_ID", "WECOM_SECRET", "WECOM_CUSTOMER_GROUPS"),
        _customer_groups,
    ),
)


def line(chat: str, row: dict[str, Any]) -> Line:
    """A row of inbox or outbox as the page shows it."""
    at = datetime.fromtimestamp((row["at_ms"] if row["mine"] else row["made_ms"]) / 1000, UTC)
    photos: tuple[Photo, ...] = inbox.read_photos(row["photos"])
    if row["mine"]:
        return Line(
            id=f"in-{row['message']}",
            chat=chat,
            mine=True,
            sender=row["sender"],
            sender_name=row["sender_name"],
            text=row["text"],
            at=at,
            photos=photos,
        )
    buttons: tuple[Button, ...] = outbox.read_buttons(row["buttons"])
    return Line(
        id=f"out-{row['id']}",
        chat=chat,
        mine=False,
        sender="",
        sender_name="邻里",
        text=row["text"],
        at=at,
        buttons=buttons,
        photos=photos,
    )
