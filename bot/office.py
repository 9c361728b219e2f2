"""What the office does from the command line: invite, import the household list, back up, restore."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import phonenumbers
from tortoise.backends.base.client import BaseDBAsyncClient

from bot.app import House
from bot.config import Settings
from bot.domain import households, invites, people
from bot.domain.communities import Community
from bot.domain.people import Role
from bot.sqlite_loop import Hold
from bot.store import Store

COLUMNS = {
    "building": ("楼栋", "楼号", "栋", "幢", "座", "楼", "building"),
    "unit": ("单元", "单元号", "unit"),
    "room": ("房号", "房间", "室号", "室", "门牌", "房间号", "room"),
    "home": ("房屋", "住址", "地址", "房产", "address"),
    "name": ("姓名", "业主", "业主姓名", "户主", "住户", "name"),
    "phone": ("手机", "手机号", "电话", "联系电话", "联系方式", "phone"),
}
_HOME = re.compile(r"(\w+?)\s*(?:号楼|栋|幢|座|楼|#|-)\s*(?:(\w+?)\s*(?:单元|-)\s*)?(\d{3,4})\s*(?:室|号)?")


def the_community(house: House, slug: str) -> Community:
    community = house.community(slug)
    if community is None:
        known = "、".join(one.slug for one in house.communities.values())
        raise ValueError(f"没有这个小区：{slug}（有：{known}）")
    return community


async def invite(
    settings: Settings,
    *,
    slug: str,
    role: str,
    name: str = "",
    home: str = "",
    trade: str = "",
    buildings: str = "",
) -> str:
    """A code for one person. ValueError with a Chinese line for what can't be."""
    if role not in set(Role) - {Role.STRANGER}:
        raise ValueError(f"没有这个身份：{role}（resident、steward、staff、lead、committee、admin）")
    house = House(settings)
    await house.open()
    try:
        community = the_community(house, slug)
        flat = ("", "", "")
        if home:
            flat = read_home(home)
            if community.impossible(*flat):
                raise ValueError(f"{community.name}没有 {home}")
        trades = [part for part in re.split(r"[,，、]", trade) if part]
        for one in trades:
            if community.trades and one not in community.trades:
                raise ValueError(f"没有这个工种：{one}（有：{'、'.join(community.trades)}）")
        limits = ",".join(part for part in re.split(r"[,，、\s]", buildings) if part)
        return await house.store.run(
            lambda db: invites.make(
                db,
                community.id,
                Role(role),
                house.clock.now(),
                name=name,
                home=flat,
                trades=",".join(trades),
                buildings=limits,
            )
        )
    finally:
        await house.close()


def read_home(text: str) -> tuple[str, str, str]:
    """3-2-501, 3栋2单元501 or 3-501 as building, unit, room; ValueError for anything else."""
    match = _HOME.fullmatch(text.strip().replace("－", "-").replace("—", "-"))
    if match is None:
        raise ValueError(f"看不懂这个住址：{text}（例如 3-2-501）")
    return match.group(1), match.group(2) or "", match.group(3)


# ----------------------------------------------------------------- household list


@dataclass(slots=True)
class Report:
    """What an import did, line by line, for people."""

    lines: list[str] = field(default_factory=list)
    faults: int = 0


@dataclass(frozen=True, slots=True)
class Household:
    """A row that can be entered."""

    home: tuple[str, str, str]
    name: str
    phone: str


async def import_households(settings: Settings, file: Path, slug: str, *, dry_run: bool = False) -> Report:
    """Enter what the list has and the database has not. Rows that can't be read are named and left out."""
    rows = read_table(file)
    house = House(settings)
    await house.open()
    try:
        community = the_community(house, slug)
        report = Report()
        good = read_rows(rows, community, report)
        new = 0
        if not dry_run:
            new = await house.store.run(lambda db: _enter(db, community, good))
        done = f"检查了 {len(good)} 户人" if dry_run else f"新增 {new} 人，已有 {len(good) - new} 人"
        report.lines.append(f"{done}，有问题 {report.faults} 行。")
        return report
    finally:
        await house.close()


async def _enter(db: BaseDBAsyncClient, community: Community, good: Sequence[Household]) -> int:
    new = 0
    for one in good:
        where = await people.home(db, community.id, *one.home)
        new += await households.add(db, where.id, one.name, one.phone)
    return new


def read_table(file: Path) -> list[list[str]]:
    """The cells of a CSV (UTF-8 or GB18030) or the first sheet of an .xlsx. ValueError when it is neither."""
    if file.suffix.lower() in (".xlsx", ".xlsm"):
        return _read_sheet(file)
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as exc:
            raise ValueError(f"{file.name} 不是文本表格（CSV），也不是 Excel（.xlsx）") from exc
    if "\x00" in text:
        raise ValueError(f"{file.name} 不是文本表格（CSV），也不是 Excel（.xlsx）")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4096], delimiters=",\t;，")
    except csv.Error:
        dialect = csv.excel
    return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), dialect)]


def _read_sheet(file: Path) -> list[list[str]]:
    import openpyxl  # noqa: PLC0415 - only for Excel

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as exc:
        raise ValueError(f"{file.name} 打不开，请另存为 .xlsx 或 CSV") from exc
    with closing(book):
        rows = book.worksheets[0].iter_rows(values_only=True)
        return [["" if cell is None else _cell(cell) for cell in row] for row in rows]


def _cell(value: object) -> str:
    """A cell as text: Excel keeps 501 as 501.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def read_rows(rows: Iterable[Sequence[str]], community: Community, report: Report) -> list[Household]:
    """The rows that can be entered; the others go into the report with their numbers."""
    columns: dict[str, int] = {}
    good: dict[Household, None] = {}
    for number, row in enumerate(rows, 1):
        if not any(row):
            continue
        if not columns:
            columns = header(row)
            if columns:
                continue
            if number > 5:
                raise ValueError("没有找到表头：需要「楼栋、单元、房号、姓名、手机」这样的列名")
            continue
        try:
            good[read_row(row, columns, community)] = None
        except ValueError as exc:
            report.faults += 1
            report.lines.append(f"第 {number} 行：{exc}")
    if not columns:
        raise ValueError("没有找到表头：需要「楼栋、单元、房号、姓名、手机」这样的列名")
    return list(good)


def header(row: Sequence[str]) -> dict[str, int]:
    """Which column is what; empty when this row is no header."""
    found: dict[str, int] = {}
    for index, cell in enumerate(row):
        title = re.sub(r"[\s（(].*$", "", cell.strip().lower())
        for name, titles in COLUMNS.items():
            if title in titles and name not in found:
                found[name] = index
    return found if {"room", "name"} <= set(found) or {"home", "name"} <= set(found) else {}


def read_row(row: Sequence[str], columns: dict[str, int], community: Community) -> Household:
    cells = {name: row[index].strip() if index < len(row) else "" for name, index in columns.items()}
    if cells.get("home") and not cells.get("room"):
        home = read_home(cells["home"])
    else:
        building = re.sub(r"(号楼|栋|幢|座|楼|#)$", "", cells.get("building", ""))
        unit = re.sub(r"单元$", "", cells.get("unit", ""))
        home = (building, unit, re.sub(r"(室|号)$", "", cells.get("room", "")))
    if not (home[0] and home[2]):
        raise ValueError("缺楼栋或房号")
    if community.impossible(*home):
        raise ValueError(f"{community.name}没有 {'-'.join(part for part in home if part)}")
    if not cells["name"]:
        raise ValueError("缺姓名")
    return Household(home, cells["name"][:64], read_phone(cells.get("phone", "")))


def read_phone(text: str) -> str:
    """Digits of a Chinese number; "" where there is none. ValueError for what can't be one."""
    if not text:
        return ""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException as exc:
        raise ValueError(f"手机号不对：{text}") from exc
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"手机号不对：{text}")
    return str(number.national_number)


# ------------------------------------------------------------------------ backup


def backup(settings: Settings, file: Path) -> None:
    """A copy while the service runs: SQLite by its backup interface, PostgreSQL by pg_dump."""
    store = Store(settings.database_url, ())
    if store.path is None:
        _postgres("pg_dump", "--format=custom", f"--file={file}", f"--dbname={settings.database_url}")
        return
    if not store.path.exists():
        raise FileNotFoundError(f"还没有数据库：{store.path}")
    partial = file.with_name(file.name + ".partial")
    with closing(sqlite3.connect(store.path)) as source, closing(sqlite3.connect(partial)) as target:
        source.backup(target)
        target.execute("pragma journal_mode = delete")  # one file, with nothing beside it
    partial.replace(file)


def restore(settings: Settings, file: Path) -> None:
    """Put a backup in the database's place. The one that was there is kept beside it."""
    store = Store(settings.database_url, ())
    if store.path is None:
        _postgres("pg_restore", "--clean", "--if-exists", f"--dbname={settings.database_url}", str(file))
        return
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source:
        try:
            sound = source.execute("pragma integrity_check").fetchone()[0]
            tables = {row[0] for row in source.execute("select name from sqlite_master")}
        except sqlite3.DatabaseError as exc:
            raise OSError(f"{file} 不是备份文件") from exc
    if sound != "ok" or "inbox" not in tables:
        raise OSError(f"{file} 不是完好的备份")
    store.path.parent.mkdir(parents=True, exist_ok=True)
    hold = Hold(store.path)  # a service that goes on writing into the file put aside would lose it all
    try:
        for suffix in ("", "-wal", "-shm"):
            old = store.path.with_name(store.path.name + suffix)
            if old.exists():
                old.replace(store.path.with_name(f"{store.path.name}.before-restore{suffix}"))
        shutil.copyfile(file, store.path)
    finally:
        hold.let_go()


def _postgres(tool: str, *arguments: str) -> None:
    path = shutil.which(tool)
    if path is None:
        raise FileNotFoundError(f"没有找到 {tool}，请安装 PostgreSQL 客户端工具")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OSError(f"{tool}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
