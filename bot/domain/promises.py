"""What happens to a ticket because time passed: the ladder, warnings, the honest word, the silence after."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain import (
    appointments,
    audit,
    clocks,
    complaints,
    costs,
    dispatch,
    joined,
    offers,
    people,
    returns,
    root_causes,
    tickets,
)
from bot.domain import work as verbs
from bot.domain.clocks import ACKNOWLEDGED, WARNINGS, Timing
from bot.domain.communities import Work
from bot.domain.emergencies import ALERT_AGAIN
from bot.domain.people import Person, Role
from bot.domain.telling import assignee, details, tell_concerned, without, worded
from bot.domain.tickets import BOOKING, COMPLAINT, DONE, EMERGENCY, RESIDENT, ROOT, State, Ticket, Verb
from bot.domain.work import CONFIRM_AFTER, REPORT_BACK
from bot.messages import Lane

TELL_REPORTER = 2  # alerts without an answer before the reporter hears that nobody has answered
TELL_ALL = 3  # … before admins and committee are woken too
SLOWER_AFTER = 15  # … before the alert is repeated every ten minutes only
AFTER_LAPSE = timedelta(hours=4)  # until the next word about what is late; urgent: an eighth of it
LOOKED_AFTER = timedelta(hours=24)  # the same where somebody above has acknowledged
STILL_WAITING = (timedelta(days=1), timedelta(days=2), timedelta(days=4))  # between questions to the resident


async def act(work: Work, ticket_id: int) -> None:
    """Do what is due on a ticket, if it still is. Whatever happens, it gets a next time or is closed."""
    ticket = await tickets.by_id(work.db, ticket_id)
    if ticket.due is None or ticket.due > work.now:
        return
    if ticket.state in DONE:
        await returns.visit(work, ticket)
    elif ticket.state is State.AWAITS:
        await _silence(work, ticket)
    elif ticket.kind == EMERGENCY and ticket.state is State.OPEN:
        await _alert_again(work, ticket)
    elif ticket.kind == EMERGENCY:
        await _and_now(work, ticket)
    elif ticket.kind == BOOKING and ticket.assignee_id is None and ticket.state is State.ACCEPTED:
        await _over(work, ticket)
    elif ticket.kind == ROOT:
        await root_causes.remind(work, ticket)
    else:
        await _go_on(work, ticket, await clocks.timing(work))


async def _over(work: Work, ticket: Ticket) -> None:
    """A room's time is over. Nobody is asked anything: the number is closed, counted apart."""
    await appointments.release(work, ticket)
    await tickets.move(work.db, ticket, Verb.END, None, now=work.now, promised=None, due=None)


async def _go_on(work: Work, ticket: Ticket, timing: Timing) -> None:
    lapsed = ticket.promised is None or ticket.promised <= work.now
    if ticket.kind == COMPLAINT and ticket.state is State.OPEN:
        await complaints.wait(work, ticket, timing)
    elif ticket.state is State.OPEN and ticket.asked_id and not lapsed:
        await offers.ask_next(work, ticket, timing)
    elif ticket.state is State.OPEN:
        await _climb(work, ticket, timing)
    elif ticket.state is State.WAITING and ticket.waits_for == RESIDENT:
        await _ask_resident(work, ticket, timing)
    elif not lapsed:
        await _warn(work, ticket, timing)
    else:
        await _late(work, ticket, timing)


async def _climb(work: Work, ticket: Ticket, timing: Timing) -> None:
    """Nobody took it: ask the next ones, and say so before the promise lapses.

    After a standstill of the house only the highest step that is due is taken, not each of them.
    """
    if ticket.step >= ACKNOWLEDGED:
        await _still_open(work, ticket, ticket.step, timing.later(LOOKED_AFTER), 0)
        return
    step = ticket.step + 1
    while timing.climb_at(ticket, step + 1) <= work.now:
        step += 1
    following = timing.climb_at(ticket, step + 1)
    if step == 1 and ticket.promised and work.now < ticket.promised:
        asked = await dispatch.others(work, ticket.category, ticket.where.building)
        key = "repair.new_urgent" if ticket.urgent else "repair.new"
        work.notify(asked, worded(work, ticket, key), ticket=ticket, wanted=details(work, ticket))
        following = min(following, ticket.promised)
        await tickets.schedule(work.db, ticket, promised=ticket.promised, step=step, due=following)
        return
    await _still_open(work, ticket, step, following, min(max(step - 2, 0), 2))


async def _still_open(work: Work, ticket: Ticket, step: int, following: datetime, level: int) -> None:
    """The leads (0), the manager (1) or the committee (2) are asked, and those concerned hear who was."""
    asked = await dispatch.above(work, level)
    asked = asked or await dispatch.workers(work, ticket.category, ticket.where.building)
    ticket = await tickets.schedule(work.db, ticket, promised=following, step=step, due=following)
    work.notify(asked, worded(work, ticket, "repair.late"), ticket=ticket)
    key = "ticket.still_open" if asked else "ticket.still_open_alone"
    await tell_concerned(work, ticket, key, asked=dispatch.names(asked))


async def _warn(work: Work, ticket: Ticket, timing: Timing) -> None:
    """A part of the clock is over: whoever has it is reminded. The lead hears of it when it is late."""
    step, due = timing.due(ticket)
    ticket = await tickets.schedule(work.db, ticket, promised=ticket.promised, step=step, due=due)
    worker = await assignee(work, ticket)
    if worker:
        key = "ticket.soon_there" if ticket.state is State.ACCEPTED else "ticket.soon_done"
        work.notify([worker], key, ticket=ticket)


async def _late(work: Work, ticket: Ticket, timing: Timing) -> None:
    """The promise lapses now: the worker and who stands above are told, and the resident honestly too.

    Each time one higher: lead, manager, committee, until somebody acknowledges.
    """
    heard = ticket.step >= ACKNOWLEDGED
    late = max(ticket.step - len(WARNINGS), 0)  # times before this one
    pressing = ticket.urgent or (ticket.kind == BOOKING and late < len(WARNINGS))
    again = LOOKED_AFTER if ticket.kind == BOOKING and not pressing else AFTER_LAPSE / (8 if pressing else 1)
    promised = timing.later(LOOKED_AFTER if heard else again, urgent=pressing)
    step = ticket.step if heard else len(WARNINGS) + late + 1
    ticket = await tickets.schedule(work.db, ticket, promised=promised, step=step, due=promised)
    worker = await assignee(work, ticket)
    if worker:
        work.notify([worker], worded(work, ticket, "ticket.late_yours"), ticket=ticket)
    asked = without(await dispatch.above(work, 0 if heard else min(late, 2), ticket.about_id), worker)
    who = dispatch.called(worker) if worker else ""
    work.notify(asked, worded(work, ticket, "ticket.late"), ticket=ticket, who=who)
    told = ([worker] if worker else []) + asked
    await tell_concerned(work, ticket, "ticket.moved", *told, asked=dispatch.names(told))


async def _ask_resident(work: Work, ticket: Ticket, timing: Timing) -> None:
    """The house waits on the resident, who is asked again, ever less often; the leads hear of long waits."""
    count = ticket.step
    promised = timing.later(STILL_WAITING[min(count, len(STILL_WAITING) - 1)])
    ticket = await tickets.schedule(work.db, ticket, promised=promised, step=count + 1, due=promised)
    quote = await costs.pending(work.db, ticket)
    if quote is not None:
        await costs.ask_again(work, ticket, quote, lead=count > 0)
        return
    worker = await assignee(work, ticket)
    await tell_concerned(work, ticket, "ticket.waits_for_you", who=dispatch.called(worker) if worker else "")
    if count >= len(STILL_WAITING) - 1:
        leads = without(await dispatch.above(work, 0), worker)
        work.notify(leads, "ticket.waits_long", ticket=ticket)


async def acknowledge(work: Work, ticket: Ticket, by: Person) -> Ticket:
    """Somebody above has it in sight: nobody higher is asked from now on."""
    await audit.write(work.db, ticket.community_id, work.now, by.id, "acknowledge", "ticket", ticket.id)
    if ticket.step < ACKNOWLEDGED and ticket.state not in DONE and ticket.state is not State.AWAITS:
        ticket = await tickets.schedule(
            work.db,
            ticket,
            promised=ticket.promised,
            step=ACKNOWLEDGED,
            due=ticket.promised or ticket.due,
            asked_id=ticket.asked_id,
        )
    return ticket


async def _and_now(work: Work, ticket: Ticket) -> None:
    """An emergency in somebody's hands: how is it? And those concerned hear that it goes on."""
    due = work.now + REPORT_BACK
    ticket = await tickets.schedule(work.db, ticket, promised=due, step=ticket.step + 1, due=due)
    worker = await assignee(work, ticket)
    if worker:
        work.notify([worker], "emergency.and_now", lane=Lane.DANGER, ticket=ticket)
    await tell_concerned(
        work, ticket, "emergency.still", worker, who=dispatch.called(worker) if worker else ""
    )


async def _silence(work: Work, ticket: Ticket) -> None:
    """No word from the resident after the work: remind twice, then close it as unconfirmed.

    Where one of several households said that it is solved, and nobody objected within a day, it is.
    """
    first = await joined.agreed(work.db, ticket)
    if first is not None:
        await verbs.nobody_objected(work, ticket, first)
        return
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
    bill = await costs.pending(work.db, ticket)
    if bill is not None:
        await costs.remind_done(work, ticket, bill)
        return
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
