"""Which channels the settings open, and what the web page remembers of a chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot import demo, outbox
from bot.app import House
from bot.channels.web import Line, WebChannel
from bot.clock import SystemClock
from bot.config import Fresh, Settings, secret
from bot.domain import people
from bot.inbox import read_photos
from bot.messages import Button, Photo

S = TypeVar("S")


class Misconfigured(ValueError):
    """A channel's settings that can't be used: one line in Chinese."""


def open_doors(house: House, *, demo_people: bool) -> None:
    """Add the channels that are configured; the web chat always. Raises Misconfigured."""
    _web(house, demo_people=demo_people)
    fresh = Fresh(house.settings)
    try:
        if house.settings.telegram_token:
            _telegram(house)
        if whole("公众号", house.settings, "wechat_oa_", "app_id", "app_secret", "token", "aes_key"):
            _official_account(house, fresh)
        if whole("企业微信", house.settings, "wecom_", "corp_id", "agent_id", "secret", "token", "aes_key"):
            _wecom(house, fresh)
        elif house.settings.wecom_kf:
            raise ValueError("微信客服要先接上企业微信应用：还差 LINLI_WECOM_CORP_ID 等五项")
    except ValueError as problem:
        raise Misconfigured(str(problem)) from problem


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


def _telegram(house: House) -> None:
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

    telegram.on_migrate = migrated
    house.add(telegram)


def _official_account(house: House, fresh: Fresh) -> None:
    from bot.channels import wechat_oa  # noqa: PLC0415 - wechatpy, for who needs it
    from bot.channels.wechat_envelope import secrets_of  # noqa: PLC0415
    from bot.channels.wechat_oa_table import read_table  # noqa: PLC0415

    settings = house.settings
    first = next(iter(house.communities.values()))
    menu, template = read_table(said_to(house, "wechat_oa"))
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


def _wecom(house: House, fresh: Fresh) -> None:
    from bot.channels import wecom, wecom_cards, wecom_kf  # noqa: PLC0415 - wechatpy, for who needs it
    from bot.channels.wechat_envelope import secrets_of  # noqa: PLC0415
    from bot.channels.wecom_api import Company  # noqa: PLC0415

    settings = house.settings
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


def line(chat: str, row: dict[str, Any]) -> Line:
    """A row of inbox or outbox as the page shows it."""
    at = datetime.fromtimestamp((row["at_ms"] if row["mine"] else row["made_ms"]) / 1000, UTC)
    photos: tuple[Photo, ...] = read_photos(row["photos"])
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
