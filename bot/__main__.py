"""The command line. Every command answers --help in Chinese; a wrong use ends with 2 and one line."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from bot.config import Settings

T = TypeVar("T")


class Command(click.Command):
    """One line for a wrong use, and exit 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        return one_line(super().main, *args, **kwargs)


class Group(click.Group):
    """The same for the whole."""

    command_class = Command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        return one_line(super().main, *args, **kwargs)


def one_line(main: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    kwargs["standalone_mode"] = False
    try:
        result = main(*args, **kwargs)
    except click.exceptions.NoArgsIsHelpError as exc:
        print(exc.format_message(), file=sys.stderr)
        sys.exit(2)
    except click.UsageError as exc:
        fail(exc.format_message(), 2)
    except click.ClickException as exc:
        fail(exc.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    if isinstance(result, int) and result:
        sys.exit(result)
    return result


def fail(line: str, code: int = 1) -> Any:
    """One line to standard error, and out."""
    print(" ".join(str(line).split()), file=sys.stderr)
    sys.exit(code)


def settings() -> Settings:
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors()[0]
        name = "_".join(["LINLI", *(str(part).upper() for part in first["loc"])])
        return fail(f"设置 {name} 不对：{first['msg']}", 2)  # type: ignore[no-any-return]


@contextlib.contextmanager
def soundly() -> Iterator[None]:
    """Faults in files that people edit, and a database that isn't there, are one line, not a traceback."""
    from tortoise.exceptions import DBConnectionError, OperationalError

    from bot.domain.communities import CommunityError
    from bot.doors import Misconfigured
    from bot.responses import WordingError
    from bot.store import StoreTaken
    from nlp.understanding import RuleError

    try:
        yield
    except (CommunityError, WordingError, RuleError) as exc:
        fail(f"配置文件有错：{exc}")
    except Misconfigured as exc:
        fail(str(exc), 2)
    except StoreTaken as exc:
        fail(str(exc))
    except (DBConnectionError, OperationalError, sqlite3.Error, OSError) as exc:
        fail(f"打不开：{type(exc).__name__}: {exc}")


@click.group(cls=Group, help="邻里：住在微信和 Telegram 里的小区助手。")
@click.help_option("--help", "-h", help="显示这段说明。")
def cli() -> None:
    pass


@cli.command(help="启动服务：网页聊天、已配置的渠道、投递和定时。")
@click.option("--demo", is_flag=True, help="往空数据库里放入示例小区幸福里的几位住户和师傅。")
@click.help_option("--help", "-h", help="显示这段说明。")
def run(demo: bool) -> None:
    gc.disable()  # until the house is open: nothing is thrown away while it is built
    from bot import logs
    from bot.run import serve

    given = settings()
    if not given.database_url.startswith("sqlite:"):
        asyncio.run(refuse_unmigrated(given))
    logs.start(given.secrets())

    def say(address: str) -> None:
        print(f"邻里已启动：{address}", flush=True)

    with soundly():
        asyncio.run(serve(given, demo_people=demo, say=say))


async def refuse_unmigrated(given: Settings) -> None:
    from bot.app import MODELS
    from bot.store import Store

    store = Store(given.database_url, MODELS)
    with soundly():
        await store.open()
        try:
            pending = await store.pending_migrations()
        finally:
            await store.close()
    if pending:
        fail(f"数据库还差 {len(pending)} 步升级，请先运行 linli migrate")


@cli.command(help="把数据库升级到这个版本。")
@click.help_option("--help", "-h", help="显示这段说明。")
def migrate() -> None:
    from bot.app import MODELS
    from bot.store import Store

    async def work() -> list[str]:
        store = Store(settings().database_url, MODELS)
        await store.open()
        try:
            return await store.migrate()
        finally:
            await store.close()

    with soundly():
        done = asyncio.run(work())
    print("\n".join(f"已升级：{name}" for name in done) or "已经是最新的。")


@cli.command(help="看一句话怎么被理解，为什么。加 --jsonl 从标准输入逐行读 JSON，逐行写 JSON。")
@click.argument("text", required=False)
@click.option("--jsonl", is_flag=True, help="逐行处理：text、now、group、role、id。")
@click.option("--slot", help="和 --jsonl 一起：只找这一种信息（如 time、location）。")
@click.option("--group", is_flag=True, help="这句话是在群里说的。")
@click.option("--role", default="resident", help="谁说的：resident、staff、committee。")
@click.help_option("--help", "-h", help="显示这段说明。")
def parse(text: str | None, jsonl: bool, slot: str | None, group: bool, role: str) -> int:
    from bot import parsing

    with soundly():
        reader = parsing.Reader.sample(settings())
    if slot and not jsonl:
        raise click.UsageError("--slot 要和 --jsonl 一起用")
    if slot and slot not in parsing.SLOTS:
        raise click.UsageError(f"没有这种信息：{slot}（有 {'、'.join(sorted(parsing.SLOTS))}）")
    if jsonl:
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
        for raw in sys.stdin:
            print(json.dumps(reader.line(raw, slot), ensure_ascii=True), flush=False)
        return 0
    if not text:
        raise click.UsageError("要理解哪句话？例如：linli parse 厨房水管漏水了")
    print(reader.explain(text, group=group, role=role))
    return 0


@cli.command(help="检查规则、用语、小区文件、设置和数据库；有错逐行列出，退出码 1。")
@click.help_option("--help", "-h", help="显示这段说明。")
def check() -> int:
    from bot.check import faults

    found = asyncio.run(faults(settings()))
    for fault in found:
        print(fault)
    if not found:
        print("都好。")
    return 1 if found else 0


@cli.command(help="生成邀请码：对方把它发给机器人，就登记好了。")
@click.option("--community", "slug", required=True, help="小区的代号（slug）。")
@click.option("--role", required=True, help="resident、steward、staff、lead、committee 或 admin。")
@click.option("--name", default="", help="这个人的名字。")
@click.option("--home", default="", help="住址，如 3-2-501。")
@click.option("--trade", default="", help="师傅的工种，如 水电；几个用逗号隔开。")
@click.option("--buildings", default="", help="只管这几栋，如 3,5。")
@click.help_option("--help", "-h", help="显示这段说明。")
def invite(**given: str) -> None:
    from bot import office

    with soundly():
        try:
            print(asyncio.run(office.invite(settings(), **given)))
        except ValueError as exc:
            raise click.UsageError(str(exc)) from exc


@cli.command("import", help="导入住户名单（Excel 或 CSV：楼栋、单元、房号、姓名、手机）。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--community", "slug", required=True, help="小区的代号（slug）。")
@click.option("--dry-run", is_flag=True, help="只检查，不写入。")
@click.help_option("--help", "-h", help="显示这段说明。")
def import_(file: Path, slug: str, dry_run: bool) -> int:
    from bot import office

    with soundly():
        try:
            report = asyncio.run(office.import_households(settings(), file, slug, dry_run=dry_run))
        except ValueError as exc:
            raise click.UsageError(str(exc)) from exc
    print("\n".join(report.lines))
    return 1 if report.faults else 0


@cli.command(help="备份到文件；服务运行时也可以。")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.help_option("--help", "-h", help="显示这段说明。")
def backup(file: Path) -> None:
    from bot import office

    with soundly():
        office.backup(settings(), file)
    print(f"已备份到 {file}")


@cli.command(help="从备份文件恢复；请先停下服务。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.help_option("--help", "-h", help="显示这段说明。")
def restore(file: Path) -> None:
    from bot import office

    with soundly():
        office.restore(settings(), file)
    print(f"已从 {file} 恢复")


@cli.command(help="把一张单子的来龙去脉（经过、照片）导出成一个签了名的文件。")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--community", "slug", required=True, help="小区的代号（slug）。")
@click.option("--ref", type=int, required=True, help="编号，如 12。")
@click.help_option("--help", "-h", help="显示这段说明。")
def export(file: Path, slug: str, ref: int) -> None:
    from bot import records

    with soundly():
        try:
            data, fingerprint = asyncio.run(records.export(settings(), slug, ref))
        except ValueError as exc:
            raise click.UsageError(str(exc)) from exc
    file.write_bytes(data)
    print(f"#{ref} 已导出到 {file}，签名指纹 {fingerprint}")


@cli.command(help="校验导出的单子有没有被改过；不用数据库，也不用联网。没改过退出码 0，改过 1。")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "expected", default="", help="物业告诉您的签名指纹；不一样也算不对。")
@click.help_option("--help", "-h", help="显示这段说明。")
def verify(file: Path, expected: str) -> int:
    from bot import dossier

    found = dossier.check(file.read_bytes())
    faults = list(found.faults)
    if expected and found.fingerprint and found.fingerprint != expected.strip().lower():
        faults.append(f"签名的不是这把钥匙：指纹是 {found.fingerprint}")
    for fault in faults:
        print(f"✗ {fault}")
    if faults:
        return 1
    what = f"{found.community} #{found.ref}，经过 {found.lines} 条，照片 {found.photos} 张"
    print(f"✓ 没有被改过：{what}\n签名指纹 {found.fingerprint}（请和物业公布的核对）")
    return 0


@cli.command(help="逐项体检：渠道、数据库、时钟、磁盘，一项一行，说清怎么办。")
@click.help_option("--help", "-h", help="显示这段说明。")
def doctor() -> int:
    from bot.check import examine

    lines = asyncio.run(examine(settings()))
    for line in lines:
        print(line)
    return 1 if any(line.startswith("✗") for line in lines) else 0


@cli.command(help="在终端里以某位住户的身份聊天；或用 --script 播放对话脚本。")
@click.option("--as", "name", default="王芳", help="以谁的身份。")
@click.option("--script", "scripts", multiple=True, help="播放这个 .chat 文件（可给几个）。")
@click.option("--loose", is_flag=True, help="脚本没写到的消息也允许。")
@click.argument("more", nargs=-1)
@click.help_option("--help", "-h", help="显示这段说明。")
def chat(name: str, scripts: tuple[str, ...], loose: bool, more: tuple[str, ...]) -> int:
    from bot import script, terminal

    if more and not scripts:
        raise click.UsageError(f"不认识：{more[0]}")
    with soundly():
        if scripts:
            return asyncio.run(script.play_files([Path(one) for one in (*scripts, *more)], loose=loose))
        return asyncio.run(terminal.talk(settings(), name))


def main() -> None:
    cli.main(prog_name="linli")


if __name__ == "__main__":
    main()
