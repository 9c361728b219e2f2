"""One instant, one transaction, its messages: what a turn, a click and a tick of the clock have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import conversation, outbox
from bot.masking import masked
from bot.messages import Lane, Photo
from bot.responses import Reader, Said, Wording


class Refusal(Exception):
    """No, with the wording that says why. The deed is rolled back; the answer goes out."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class Tenant(Protocol):
    """What this module knows of a community."""

    @property
    def id(self) -> int: ...

    @property
    def wording(self) -> Wording: ...

    @property
    def zone(self) -> Any: ...

    @property
    def staff_group(self) -> str: ...


C_co = TypeVar("C_co", bound=Tenant, covariant=True)


class Reachable(Protocol):
    """What this module knows of a person."""

    @property
    def id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Address:
    """A private chat of a person, and the script the person reads."""

    channel: str
    chat: str
    traditional: bool = False


#: For each of the persons, where to write to them; nobody for who can't be reached.
Route = Callable[[BaseDBAsyncClient, Sequence[int]], Awaitable[dict[int, Address]]]
#: Those of the persons who work here, and by what name the group robot can call each; "" where it can't.
Crew = Callable[[BaseDBAsyncClient, Sequence[int]], Awaitable[dict[int, str]]]
#: Those of the persons who are off duty now, and until when they are left alone.
Rest = Callable[[BaseDBAsyncClient, Any, Sequence[int], datetime], Awaitable[Mapping[int, datetime]]]
GROUP_ROBOT = "webhook"  # the channel that writes into staff's group


@dataclass(slots=True)
class _Note:
    people: tuple[int, ...]
    key: str
    values: dict[str, Any]
    lane: Lane
    once: str | None
    photos: tuple[Photo, ...]
    confided: bool

    def can_wait(self) -> bool:
        """Whether it is staff's news that reaches who is off duty when work begins again."""
        return self.lane is Lane.ALERT and not self.confided

    def public(self) -> bool:
        """Whether it is an alert, and about something that has a face for groups: a ticket, say."""
        about = any(hasattr(value, "for_group") for value in self.values.values())
        return about and not self.confided and self.lane in (Lane.DANGER, Lane.ALERT)


def _public(value: Any) -> Any:
    """A value as a group may see it."""
    if isinstance(value, str):
        return masked(value)
    return value.for_group() if hasattr(value, "for_group") else value


class UnitOfWork(Generic[C_co]):
    """What happens at one instant in one community, or doesn't. `now` is aware and in UTC."""

    def __init__(
        self, db: BaseDBAsyncClient, now: datetime, community: C_co, route: Route, crew: Crew, rest: Rest
    ) -> None:
        self.db, self.now, self.community = db, now, community
        self._route, self._crew, self._rest = route, crew, rest
        self._notes: list[_Note] = []

    def notify(
        self,
        people: Iterable[Reachable],
        key: str,
        /,
        *,
        lane: Lane = Lane.ALERT,
        once: str | None = None,
        photos: tuple[Photo, ...] = (),
        confided: bool = False,
        **values: Any,
    ) -> None:
        """Tell persons in their private chats, each once. `once` names the news: a second time is dropped.

        Alerts to those who work here are posted in staff's group too, unless they are `confided` to the
        persons as residents.
        """
        ids = tuple(dict.fromkeys(person.id for person in people))
        if ids:
            self._notes.append(_Note(ids, key, values, lane, once, photos, confided))

    def reader(self, traditional: bool = False) -> Reader:
        return Reader(self.community.zone, self.now, traditional)

    def render(self, key: str, traditional: bool = False, /, **values: Any) -> Said:
        return self.community.wording.say(key, self.reader(traditional), values)

    async def post(self) -> None:
        """Owe every note to whom it concerns. Call once, last, inside the transaction."""
        everybody = {person for note in self._notes for person in note.people}
        where = await self._route(self.db, sorted(everybody)) if everybody else {}
        waiting = sorted({person for note in self._notes if note.can_wait() for person in note.people})
        off = await self._rest(self.db, self.community, waiting, self.now) if waiting else {}
        for note in self._notes:
            for person in note.people:
                if person in where:
                    at = off.get(person, self.now) if note.can_wait() else self.now
                    await self._write(note, person, where[person], at)
        if everybody and self.community.staff_group:
            await self._tell_staff_group(await self._crew(self.db, sorted(everybody)), off)
        self._notes.clear()

    async def _tell_staff_group(self, crew: Mapping[int, str], off: Mapping[int, datetime]) -> None:
        """News for staff about something that a group may hear of, once and without anybody's door.

        It waits like its readers, where all of them are off duty.
        """
        for note in self._notes:
            members = [person for person in note.people if person in crew]
            called = [crew[person] for person in members]
            if not called or not note.public():
                continue
            resting = note.can_wait() and all(person in off for person in members)
            said = self.render(note.key, **{name: _public(value) for name, value in note.values.items()})
            tail = f"\n{self.render('dialog.answer_elsewhere').text}" if said.buttons + said.choices else ""
            await outbox.put(
                self.db,
                GROUP_ROBOT,
                self.community.staff_group,
                said.text + tail,
                now=min(off[person] for person in members) if resting else self.now,
                lane=note.lane,
                once=f"{note.once}:{GROUP_ROBOT}" if note.once else None,
                mentions=dict.fromkeys(filter(None, called)),
            )

    async def _write(self, note: _Note, person: int, to: Address, at: datetime) -> None:
        said = self.render(note.key, to.traditional, **note.values)
        once = f"{note.once}:{person}" if note.once else None
        await outbox.put(
            self.db,
            to.channel,
            to.chat,
            said.text,
            now=at,
            lane=note.lane,
            person_id=person,
            buttons=said.buttons + said.choices,
            photos=note.photos,
            once=once,
        )
        if said.choices:  # a digit answers this, not what was asked before
            key = (to.channel, to.chat, to.chat)
            state, before = await conversation.open_state(self.db, key, self.now)
            state.offers = [list(pair) for pair in said.choices]
            await conversation.keep_state(self.db, key, state, before)
