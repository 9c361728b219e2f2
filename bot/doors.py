"""Which channels the settings open, and what the web page remembers of a chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot import demo, inbox, outbox
from bot.albums import KeptParts
from bot.app import House
from bot.channels.web import Line, WebChannel
from bot.config import secret
from bot.domain import people
from bot.messages import Button, Incoming, Photo

BUTTON_FOR = timedelta(days=30)  # how long a button works whose words had no room in it


def open_doors(house: House, *, demo_people: bool) -> None:
    """Add the channels that are configured; the web chat always."""
    settings = house.settings
    first = next(iter(house.communities.values()))

    async def history(chat: str, limit: int) -> list[Line]:
        return [line(chat, row) for row in await house.spoken("web", chat, limit)]

    house.add(
        WebChannel(
            secret=secret(settings),
            uploads=house.uploads,
            people=demo.persons() if demo_people else [],
            groups=[demo.GROUP] if demo_people else [],
            history=history,
            now=house.clock.now,
            title=first.name,
            zone=first.zone,
        )
    )
    if settings.telegram_token:
        from bot.channels.telegram import TelegramChannel  # noqa: PLC0415 - 400 ms that most don't need

        telegram = TelegramChannel(
            settings.telegram_token,
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
            row = await house.store.run(
                lambda db: outbox.button(db, "telegram", message, number, since=since)
            )
            return row[1] if row and row[0].partition(":")[0] == chat.partition(":")[0] else ""

        async def keep_aside(number: int, update: str) -> None:
            came = Incoming("telegram", f"aside:{number}", "", "", update)
            await house.store.run(lambda db: inbox.first_time(db, came, house.clock.now()))

        telegram.on_migrate, telegram.words, telegram.keep_aside = migrated, words, keep_aside
        telegram.parts = KeptParts(house.store, house.clock, "telegram")
        house.add(telegram)


def line(chat: str, row: dict[str, Any]) -> Line:
    """A row of inbox or outbox as the page shows it."""
    at = datetime.fromtimestamp((row["at_ms"] if row["mine"] else row["made_ms"]) / 1000, UTC)
    photos: tuple[Photo, ...] = outbox.read_photos(row["photos"])
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
