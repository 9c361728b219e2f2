"""What happens to a ticket because time passed: the ladder, the honest word, the silence after the work."""

from __future__ import annotations

from datetime import timedelta

from bot.domain import dispatch, people, tickets
from bot.domain.communities import Work
from bot.domain.emergencies import ALERT_AGAIN
from bot.domain.people import Role
from bot.domain.tickets import DONE, EMERGENCY, State, Ticket, Verb
from bot.domain.work import CONFIRM_AFTER, REPORT_BACK, assignee, by_day, details, tell_concerned
from bot.messages import Lane

TELL_REPORTER = 2  # alerts without an answer before the reporter hears that nobody has answered
TELL_ALL = 3  # … before admins and committee are woken too
SLOWER_AFTER = 15  # … before the alert is repeated every ten minutes only


async def act(work: Work, ticket_id: int) -> None:
    """Do what is due on a ticket, if it still is. Whatever happens, it gets a next time or is closed."""
    ticket = await tickets.by_id(work.db, ticket_id)
    if ticket.due is None or ticket.due > work.now:
        return
    if ticket.state in DONE:
        await tickets.schedule(work.db, ticket, promised=None, step=0, due=None)
    elif ticket.state is State.AWAITS:
        await _silence(work, ticket)
    elif ticket.kind == EMERGENCY and ticket.state is State.OPEN:
        await _alert_again(work, ticket)
    elif ticket.state is State.OPEN:
        await _climb(work, ticket)
    else:
        await _late(work, ticket)


async def _climb(work: Work, ticket: Ticket) -> None:
    """Nobody took it: ask the next ones, and say so before the promise lapses.

    After a standstill of the house only the highest step that is due is taken, not each of them.
    """
    step = ticket.step + 1
    while dispatch.rung(ticket, step + 1) <= work.now:
        step += 1
    following = dispatch.rung(ticket, step + 1)
    if step == 1:
        asked = await dispatch.others(work, ticket.category, ticket.where.building)
        key = "repair.new_urgent" if ticket.urgent else "repair.new"
        work.notify(asked, key, ticket=ticket, wanted=details(work, ticket))
        if ticket.promised and work.now < ticket.promised < following:
            following = ticket.promised
        await tickets.schedule(work.db, ticket, promised=ticket.promised, step=step, due=following)
        return
    asked = await dispatch.above(work, min(step - 2, 2))
    asked = asked or await dispatch.workers(work, ticket.category, ticket.where.building)
    ticket = await tickets.schedule(work.db, ticket, promised=following, step=step, due=following)
    once = f"climb:{ticket.id}:{following:%Y%m%d%H%M}"
    work.notify(asked, "repair.late", ticket=ticket, once=once)
    key = "ticket.still_open" if asked else "ticket.still_open_alone"
    await tell_concerned(work, ticket, key, once=once, asked=dispatch.names(asked))


async def _late(work: Work, ticket: Ticket) -> None:
    """The promise lapses now: the worker and the lead are told, and the resident honestly too."""
    if ticket.kind == EMERGENCY:
        await _and_now(work, ticket)
        return
    wait = timedelta(minutes=30) if ticket.urgent else timedelta(hours=4)
    promised = by_day(work, work.now + wait, urgent=ticket.urgent)
    ticket = await tickets.schedule(work.db, ticket, promised=promised, step=ticket.step + 1, due=promised)
    worker = await assignee(work, ticket)
    if worker:
        work.notify([worker], "ticket.late_yours", ticket=ticket)
    leads = [one for one in await dispatch.above(work, 0) if worker is None or one.id != worker.id]
    who = dispatch.called(worker) if worker else ""
    work.notify(leads, "ticket.late", ticket=ticket, who=who)
    asked = ([worker] if worker else []) + leads
    await tell_concerned(work, ticket, "ticket.moved", asked=dispatch.names(asked))


async def _and_now(work: Work, ticket: Ticket) -> None:
    """An emergency in somebody's hands: how is it? And those concerned hear that it goes on."""
    due = work.now + REPORT_BACK
    ticket = await tickets.schedule(work.db, ticket, promised=due, step=ticket.step + 1, due=due)
    worker = await assignee(work, ticket)
    if worker:
        work.notify([worker], "emergency.and_now", ticket=ticket)
    await tell_concerned(
        work, ticket, "emergency.still", worker, who=dispatch.called(worker) if worker else ""
    )


async def _silence(work: Work, ticket: Ticket) -> None:
    """No word from the resident after the work: remind twice, then close it as unconfirmed."""
    step = ticket.step + 1
    if step >= len(CONFIRM_AFTER):
        await tickets.move(
            work.db, ticket, Verb.LAPSE, None, now=work.now, promised=None, due=None,
            assignee_id=ticket.assignee_id,
        )  # fmt: skip
        await tell_concerned(work, ticket, "ticket.lapsed")
        return
    due = work.now + CONFIRM_AFTER[step] - CONFIRM_AFTER[step - 1]
    await tickets.schedule(work.db, ticket, promised=due, step=step, due=due)
    await tell_concerned(work, ticket, "ticket.complete.remind")


async def _alert_again(work: Work, ticket: Ticket) -> None:
    """Danger, and no human has acknowledged: everybody on duty again, and wider."""
    step = ticket.step + 1
    due = work.now + (ALERT_AGAIN if step < SLOWER_AFTER else ALERT_AGAIN * 5)
    ticket = await tickets.schedule(work.db, ticket, promised=due, step=step, due=due)
    asked = await dispatch.on_duty(work)
    if step >= TELL_ALL:
        asked += await people.holders(work.db, work.community.id, Role.ADMIN, Role.COMMITTEE)
    work.notify(asked, "emergency.again", lane=Lane.DANGER, ticket=ticket, words=ticket.words)
    if step == TELL_REPORTER:
        reporter = await people.get(work.db, ticket.reporter_id)
        work.notify([reporter], "emergency.nobody", lane=Lane.DANGER, confided=True, ticket=ticket)
