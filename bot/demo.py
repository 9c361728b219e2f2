"""The sample people of `linli run --demo`: whoever opens the page may speak for each of them."""

from __future__ import annotations

from dataclasses import dataclass

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.channels.web import SampleGroup, SamplePerson
from bot.domain import households, people, roster
from bot.domain.communities import Community
from bot.domain.people import Role


@dataclass(frozen=True, slots=True)
class Sample:
    """One of them; `home` is building, unit, room."""

    account: str
    name: str
    role: Role
    note: str
    home: tuple[str, str, str] | None = None
    trades: tuple[str, ...] = ()


PEOPLE = (
    Sample("wangfang", "王芳", Role.RESIDENT, "住户 · 3栋2单元501", ("3", "2", "501")),
    Sample("laoli", "老李", Role.STAFF, "师傅 · 水电", trades=("水电",)),
    Sample("linainai", "李奶奶", Role.RESIDENT, "住户 · 5栋1单元202", ("5", "1", "202")),
    Sample("xiaozhao", "小赵", Role.STAFF, "师傅 · 综合、电梯", trades=("综合", "电梯")),
    Sample("chenbanzhang", "陈班长", Role.LEAD, "物业班长"),
    Sample("lizhuren", "李主任", Role.COMMITTEE, "居委会"),
)
#: Somebody nobody knows yet: shows how one is let in.
NEWCOMER = SamplePerson("xinlinju", "新邻居", "还没登记 · 可说「8栋1单元302，周明」")
GROUP = SampleGroup("group-xingfuli", "幸福里业主群", ("wangfang", "linainai", "chenbanzhang"))
LIST = (("8", "1", "302", "周明"), ("8", "1", "302", "吴丽"), ("7", "1", "1503", "陈志强"))


def persons() -> list[SamplePerson]:
    return [SamplePerson(one.account, one.name, one.note) for one in PEOPLE] + [NEWCOMER]


async def load(db: BaseDBAsyncClient, community: Community) -> None:
    """Put the sample people into an empty database; does nothing when they are there."""
    if await people.identify(db, "web", PEOPLE[0].account, 0) is not None:
        return
    for one in PEOPLE:
        person = await people.meet(db, community.id, "web", one.account, one.name, 0)
        await people.grant(db, person, one.role, trades=one.trades)
        if one.role in roster.ROLES:  # so that whoever tries it at night sees alerts
            await roster.stand(db, person)
        if one.home:
            await people.settle(db, person, await people.home(db, community.id, *one.home))
    for building, unit, room, name in LIST:
        where = await people.home(db, community.id, building, unit, room)
        await households.add(db, where.id, name, "")
