"""`linli check` and `linli doctor`: whether rules, wording, communities, settings and database are sound."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from bot import doors
from bot.app import House, skills
from bot.clock import SystemClock
from bot.config import Settings
from bot.dialog.dialogue import Dialogue
from bot.domain import communities
from bot.domain.communities import Community, CommunityError
from bot.responses import Wording, WordingError
from nlp import checks
from nlp.understanding import RuleError, Understanding

ROOM = 200 * 1024 * 1024  # bytes free below which a house should worry


async def faults(settings: Settings) -> list[str]:
    """One line a fault; nothing when all is sound."""
    try:
        wording = Wording.load()
        mind = Understanding.load()
    except (WordingError, RuleError, ValueError) as exc:
        return str(exc).splitlines()
    dialogue = Dialogue(skills())
    found = [*_rules(mind, dialogue), *_wording(wording, dialogue)]
    try:
        known = communities.read_folder(settings.community_dirs(), wording)
    except CommunityError as exc:
        return [*found, str(exc)]
    for community in known:
        found += _community(community)
    found += await _database(settings)
    return found


def _rules(mind: Understanding, dialogue: Dialogue) -> Iterator[str]:
    """A rule without a handler, a handler without a rule, an example with two meanings, a dead command."""
    spoken = {name for name, action in dialogue.actions.items() if action.spoken}
    for intent in sorted(mind.intents - mind.later - spoken):
        yield f"{intent}: a rule without a handler"
    for intent in sorted(mind.later & spoken):
        yield f"{intent}: has a handler, and yet is for later"
    for intent in sorted(spoken - mind.intents):
        yield f"{intent}: a handler without a rule"
    yield from checks.faults(mind)


def _wording(wording: Wording, dialogue: Dialogue) -> Iterator[str]:
    """A question without its words."""
    for intent, action in sorted(dialogue.actions.items()):
        for slot in action.form.questions:
            if not wording.has(f"{intent}.ask.{slot}"):
                yield f"{intent}: no wording asks for {slot}"


def _community(community: Community) -> Iterator[str]:
    for trade, categories in community.trades.items():
        for category in sorted(categories):
            if not community.wording.has(f"repair.category_{category}"):
                yield f"{community.slug}: trade {trade} names an unknown category {category}"
    for place in community.places:
        if not place.strip():
            yield f"{community.slug}: a place without a name"


async def _database(settings: Settings) -> list[str]:
    """Whether it opens and is up to date. A SQLite file that isn't there yet is made at the first start."""
    from bot.app import MODELS  # noqa: PLC0415
    from bot.store import Store  # noqa: PLC0415

    store = Store(settings.database_url, MODELS)
    if store.path is not None and not store.path.exists():
        return []
    try:
        await store.open()
        try:
            pending = await store.pending_migrations()
        finally:
            await store.close()
    except Exception as exc:
        return [f"database {store.where()}: {type(exc).__name__}: {exc}".splitlines()[0]]
    return [f"database {store.where()}: {len(pending)} migrations to run"] if pending else []


async def examine(settings: Settings) -> list[str]:
    """A line each, beginning with ✓ or ✗, in Chinese, with what to do."""
    lines = [f"✗ {fault}" for fault in await faults(settings)]
    if not lines:
        lines.append("✓ 规则、用语、小区文件都好")
    lines.append(_disk(settings))
    lines.append(_clock())
    if any("database" in line for line in lines):
        return lines
    house = House(settings)
    try:
        await house.open()
    except Exception as exc:
        return [*lines, f"✗ 数据库打不开：{type(exc).__name__}；请检查 LINLI_DATABASE_URL"]
    try:
        lines.append(f"✓ 数据库 {house.store.where()}")
        doors.open_doors(house, demo_people=False)
        for name, channel in house.channels.items():
            trouble = await channel.probe()
            lines.append(f"✗ {name}：{trouble}" if trouble else f"✓ {name} 渠道正常")
        if not settings.telegram_token:
            lines.append("✓ telegram 没有配置（要用时设置 LINLI_TELEGRAM_TOKEN）")
    finally:
        await house.close()
    return lines


def _disk(settings: Settings) -> str:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return f"{'✓' if free >= ROOM else '✗'} 磁盘剩余 {free // 1024 // 1024} MB" + (
        "" if free >= ROOM else "，请清理"
    )


def _clock() -> str:
    year = SystemClock().now().year
    sane = 2025 <= year < 2100
    return f"{'✓' if sane else '✗'} 时钟 {year} 年" + ("" if sane else "，请校准系统时间")
