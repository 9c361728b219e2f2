"""Shifts that change hands: one asks, the other says yes, and only then is the roster another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.indexes import Index
from tortoise.models import Model

from bot.domain import audit, dispatch, people, roster
from bot.domain.communities import Work
from bot.domain.people import Person
from bot.domain.roster import Shift
from bot.domain.telling import without
from bot.inbox import milliseconds
from bot.store import Statement
from bot.unit_of_work import Refusal

ASKED, AGREED, REFUSED, LAPSED = "asked", "agreed", "refused", "lapsed"


class SwapRow(Model):
    """One question. `due_ms` is when it has lapsed, null once there is an answer."""

    id = fields.BigIntField(primary_key=True)
    community: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "linli.CommunityRow", related_name=False, on_delete=fields.RESTRICT
    )
    asker_id = fields.BigIntField()
    other_id = fields.BigIntField()
    give_id = fields.BigIntField(null=True)  # the asker's shift that the other shall take
    take_id = fields.BigIntField(null=True)  # the other's shift that the asker takes
    state = fields.CharField(max_length=8)
    made_ms = fields.BigIntField()
    due_ms = fields.BigIntField(null=True)

    class Meta:
        table = "swap"
        indexes = (Index(fields=("due_ms",)),)


_INSERT = Statement(
    "insert into swap (community_id, asker_id, other_id, give_id, take_id, state, made_ms, due_ms)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8) returning *"
)
_GET = Statement("select * from swap where community_id = $1 and id = $2")
_BY_ID = Statement("select * from swap where id = $1")
# The state in the condition: of two answers the first one counts.
_ANSWER = Statement("update swap set state = $2, due_ms = null where id = $1 and state = $3 returning id")


@dataclass(frozen=True, slots=True)
class Swap:
    """Who asked whom, and what changes hands if the other agrees."""

    id: int
    asker: Person
    other: Person
    give: Shift | None
    take: Shift | None

    @property
    def shifts(self) -> list[tuple[Shift, Person]]:
        """Each shift with whoever has it afterwards."""
        moves = (self.give, self.other), (self.take, self.asker)
        return [(shift, to) for shift, to in moves if shift]


async def ask(work: Work, asker: Person, other: Person, give: Shift | None, take: Shift | None) -> Swap:
    """Put the question to the other; it lapses when the first of the shifts begins."""
    begins = min(one.start for one in (give, take) if one and one.start)
    row = await _INSERT.row(
        work.db,
        work.community.id,
        asker.id,
        other.id,
        give.id if give else None,
        take.id if take else None,
        ASKED,
        milliseconds(work.now),
        milliseconds(begins),
    )
    assert row is not None
    swap = Swap(row["id"], asker, other, give, take)
    work.notify([other], "duty.swap_ask", who=dispatch.called(asker), shifts=said(work, swap), swap=swap.id)
    return swap


async def agree(work: Work, swap_id: int, by: Person) -> Swap:
    """The other's yes: the shifts change hands, both or none, if they are still theirs."""
    swap = await _asked(work, swap_id, by)
    await _answer(work.db, swap, AGREED)
    for shift, to in swap.shifts:
        if not await roster.hand(work.db, shift, to):
            raise Refusal("duty.swap_gone")
    await audit.write(work.db, work.community.id, work.now, by.id, "agree", "swap", swap.id, said(work, swap))
    what, other = said(work, swap), dispatch.called(by)
    work.notify([swap.asker], "duty.swap_done", other=other, shifts=what)
    leads = without(await dispatch.above(work, 0), by, swap.asker)
    work.notify(leads, "duty.swap_told", who=dispatch.called(swap.asker), other=other, shifts=what)
    return swap


async def refuse(work: Work, swap_id: int, by: Person) -> Swap:
    swap = await _asked(work, swap_id, by)
    await _answer(work.db, swap, REFUSED)
    work.notify([swap.asker], "duty.swap_refused", other=dispatch.called(by), shifts=said(work, swap))
    return swap


async def act(work: Work, swap_id: int) -> None:
    """No answer until the shift began: it stays as it was, and who asked hears it."""
    row = await _BY_ID.row(work.db, swap_id)
    if row is None or row["state"] != ASKED:
        return
    swap = await _read(work, row)
    await _answer(work.db, swap, LAPSED)
    work.notify([swap.asker], "duty.swap_lapsed", other=dispatch.called(swap.other), shifts=said(work, swap))


async def _asked(work: Work, swap_id: int, by: Person) -> Swap:
    row = await _GET.row(work.db, work.community.id, swap_id)
    if row is None or row["other_id"] != by.id:
        raise Refusal("duty.swap_not_asked")
    if row["state"] != ASKED:
        raise Refusal("duty.swap_gone")
    return await _read(work, row)


async def _answer(db: BaseDBAsyncClient, swap: Swap, state: str) -> None:
    if await _ANSWER.row(db, swap.id, state, ASKED) is None:
        raise Refusal("duty.swap_gone")


async def _read(work: Work, row: dict[str, Any]) -> Swap:
    asker, other = await people.get(work.db, row["asker_id"]), await people.get(work.db, row["other_id"])
    give, take = [
        await roster.get(work.db, row[name]) if row[name] else None for name in ("give_id", "take_id")
    ]
    return Swap(row["id"], asker, other, give, take)


def said(work: Work, swap: Swap) -> str:
    """What changes: 「12月2日（周三）08:00–20:00 归小王师傅」."""
    return "，".join(
        f"{span(work, shift.start, shift.end)} 归{dispatch.called(to)}"
        for shift, to in swap.shifts
        if shift.start and shift.end
    )


_DAYS = "一二三四五六日"


def span(work: Work, start: datetime, end: datetime) -> str:
    """A shift in local time: 12月2日（周三）20:00–次日08:00."""
    begin, until = start.astimezone(work.community.zone), end.astimezone(work.community.zone)
    next_day = "次日" if until.date() > begin.date() else ""
    year = f"{begin.year}年" if begin.year != work.now.astimezone(work.community.zone).year else ""
    day = f"{year}{begin.month}月{begin.day}日（周{_DAYS[begin.weekday()]}）"
    return f"{day}{begin:%H:%M}–{next_day}{until:%H:%M}"
