"""A photo that comes after its words: it belongs to what was filed just now, and staff see it."""

from __future__ import annotations

from bot.dialog.form import Nothing
from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import photos, tickets, work
from bot.domain.people import Role

skill = Skill(__name__)


@skill.on("photo", Nothing, by=Role.RESIDENT, spoken=False)
async def photo(turn: Turn, _: Nothing) -> None:
    for ref in turn.recent():
        ticket = await tickets.get(turn.db, turn.community.id, ref)
        if ticket is None or not ticket.open:
            continue
        pictures = turn.incoming.photos
        await photos.attach(turn.db, ticket.id, turn.person.id, pictures, turn.now)
        await work.tell_staff(turn, ticket, "photo.told", turn.person, pictures=pictures)
        turn.say("done", ticket=ticket)
        return
