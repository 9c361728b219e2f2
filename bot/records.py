"""A ticket's story out of the database, as a sealed file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import dossier
from bot.app import House
from bot.config import Settings, secret
from bot.domain import audit, people, photos, tickets
from bot.domain.communities import Community
from bot.domain.people import Person
from bot.domain.tickets import Ticket
from bot.office import the_community


async def export(settings: Settings, slug: str, ref: int) -> tuple[bytes, str]:
    """The file of a ticket, and the fingerprint of our key. Raises ValueError where there is none."""
    house = House(settings)
    await house.open(migrate=False)
    try:
        community = the_community(house, slug)
        ticket, timeline, found = await house.store.run(lambda db: _story(db, community, ref))
    finally:
        await house.close()
    folder = settings.data_dir / "uploads"
    pictures = []
    for photo in found:
        path = folder / photo.path
        pictures.append((photo.media_type, path.read_bytes() if path.is_file() else None))
    private = dossier.key(secret(settings))
    return dossier.sealed(ticket, timeline, pictures, private), dossier.fingerprint(dossier.public(private))


async def _story(
    db: BaseDBAsyncClient, community: Community, ref: int
) -> tuple[dict[str, Any], list[Any], Any]:
    ticket = await tickets.get(db, community.id, ref)
    if ticket is None:
        raise ValueError(f"没有 #{ref}")
    lines = await audit.story(db, "ticket", ticket.id)
    persons = {one["person_id"] for one in lines} | {ticket.reporter_id, ticket.assignee_id}
    known = {number: await people.get(db, number) for number in sorted(filter(None, persons))}
    timeline = [
        {
            "at": _said(community, datetime.fromtimestamp(one["at_ms"] / 1000, UTC)),
            "who": _named(known.get(one["person_id"])),
            "verb": one["verb"],
            "note": one["note"],
        }
        for one in lines
    ]
    return _fields(community, ticket, known), timeline, await photos.of(db, ticket.id)


def _fields(community: Community, ticket: Ticket, known: dict[int, Person]) -> dict[str, Any]:
    return {
        "community": community.name,
        "ref": ticket.ref,
        "kind": ticket.kind,
        "category": ticket.category,
        "brief": ticket.brief,
        "words": ticket.words,
        "where": ticket.where.line,
        "state": str(ticket.state),
        "reporter": _named(known[ticket.reporter_id]),
        "assignee": _named(known.get(ticket.assignee_id or 0)),
        "rating": ticket.rating,
        "made": _said(community, ticket.made),
        "closed": _said(community, ticket.closed) if ticket.closed else None,
    }


def _said(community: Community, at: datetime) -> str:
    """Local time with its offset, to the second."""
    return at.astimezone(community.zone).isoformat(timespec="seconds")


def _named(person: Person | None) -> str:
    """Name and office; nobody's phone."""
    if person is None:
        return "系统"
    offices = "、".join(grant.role.chinese for grant in person.grants)
    return f"{person.name}（{offices}）" if offices else person.name
