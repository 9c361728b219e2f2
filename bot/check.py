"""`linli check` and `linli doctor`: whether rules, wording, communities, settings and database are sound."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta

from bot import doors, outbox
from bot.app import House, skills
from bot.channels.base import Channel
from bot.clock import SystemClock
from bot.config import Settings
from bot.dialog.dialogue import Dialogue
from bot.domain import communities
from bot.domain.communities import Community, CommunityError
from bot.outbox import State
from bot.responses import Wording, WordingError
from nlp import checks
from nlp.understanding import RuleError, Understanding

ROOM = 200 * 1024 * 1024  # bytes free below which a house should worry
ANSWERS = 5.0  # seconds within which a platform has to answer
REASONS = 3  # why messages did not arrive: as many reasons are named
_REMEDIES = {
    State.FAILED: ("✗", "没送到", "请打电话或换个渠道告诉他们"),
    State.UNKNOWN: ("✗", "不知道到没到", "请问一声对方，不要急着重发"),
    State.KEPT: ("✓", "留着等对方先说话", "对方一说话就补发；急事请打电话"),
}
_REASONS = (
    (re.compile(r"channel (\w+) is not configured"), "渠道 {0} 没有开通"),
    (re.compile(r"gave up after (\d+) tries: (.*)", re.S), "试了 {0} 次：{1}"),
    (re.compile(r"no answer within (\d+) seconds"), "{0} 秒没有回应"),
    (re.compile(r"the platform's window is shut"), "对方 48 小时内没说过话"),
)


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
        lines += await _doors(house)
        lines += await _undelivered(house)
    finally:
        await house.close()
    return lines


async def _doors(house: House) -> list[str]:
    """A line each: how its platform answers, or what it would need. All are asked at once."""
    faults: dict[str, str] = {}
    doors.open_doors(house, demo_people=False, faults=faults)
    names = list(house.channels)
    answers = await asyncio.gather(*(_answer(house.channels[name]) for name in names))
    troubles = faults | dict(zip(names, answers, strict=True))
    lines = [_door("网页聊天", troubles["web"])]
    for door in doors.DOORS:
        if door.channel in troubles:
            called = door.callback and door.channel not in faults and house.channels[door.channel].routes()
            callback = _callback(house.settings, door.callback) if called else ""
            untried = getattr(house.channels.get(door.channel), "untried", "")
            lines.append(_door(door.called, troubles[door.channel], callback, untried))
        else:
            needs = "、".join(f"LINLI_{name}" for name in door.needs)
            lines.append(f"✓ {_spaced(door.called)}没有开通（要用时设 {needs}）")
    return lines


def _door(called: str, trouble: str, callback: str = "", untried: str = "") -> str:
    if trouble and not trouble.startswith(called):
        trouble = f"{called}：{trouble}"
    line = f"✗ {trouble.rstrip('。')}" if trouble else f"✓ {_spaced(called)}正常"
    if untried and not trouble:
        line = f"✓ {_spaced(called)}的设置齐了（{untried}）"
    return f"{line}；{callback}" if callback else line


def _spaced(called: str) -> str:
    """Letters stand apart from characters."""
    return f"{called} " if called.isascii() else called


def _callback(settings: Settings, path: str) -> str:
    """What to paste at the platform."""
    base = (settings.public_url or "").rstrip("/")
    if not base:
        return f"平台后台的回调地址填「公网地址{path}」（没有设 LINLI_PUBLIC_URL，这里给不全）"
    if not base.startswith(("https://", "http://")):
        return "LINLI_PUBLIC_URL 要以 https:// 开头，写全"
    return f"平台后台的回调地址填 {base}{path}"


async def _answer(channel: Channel) -> str:
    """What a channel says of itself, within ANSWERS seconds."""
    try:
        async with asyncio.timeout(ANSWERS):
            return await channel.probe()
    except TimeoutError:
        return f"{ANSWERS:.0f} 秒没有回应，请检查网络"
    except Exception as problem:
        return f"{type(problem).__name__}，请看日志"


async def _undelivered(house: House) -> list[str]:
    """What of the last day did not arrive, by its commonest reasons, and what to do about it."""
    since = SystemClock().now() - timedelta(days=1)
    found = await house.store.run(lambda db: outbox.undelivered(db, since))
    lines = []
    for state, (mark, what, remedy) in _REMEDIES.items():
        reasons = [(reason, n) for one, reason, n in found if one is state]
        if reasons:
            total = sum(n for _, n in reasons)
            named = "、".join(f"{_in_chinese(reason)}（{n}）" for reason, n in reasons[:REASONS])
            more = "等" if len(reasons) > REASONS else ""
            lines.append(f"{mark} 近 24 小时{what} {total} 条：{named}{more}；{remedy}")
    return lines or ["✓ 近 24 小时没有送不到的消息"]


def _in_chinese(reason: str) -> str:
    """Reasons of our own are written for the log."""
    for pattern, words in _REASONS:
        if match := pattern.fullmatch(reason):
            return words.format(*match.groups())
    return reason or "没有说原因"


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
