"""A turn: a unit of work with somebody in it. The handler answers who spoke; the domain tells the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from bot import outbox
from bot.conversation import State
from bot.dialog.open_form import kept
from bot.domain.communities import Community
from bot.domain.people import Person, Role
from bot.domain.tickets import REPAIR, Ticket
from bot.inbox import milliseconds
from bot.messages import Button, Incoming, Lane, Outgoing, Photo
from bot.unit_of_work import Crew, Rest, Route, UnitOfWork
from nlp.meaning import Item

RECENT_FOR = 24 * 3600 * 1000  # ms: how long 「那个」 can mean what we spoke about last
REMEMBERED = 5


class Turn(UnitOfWork[Community]):
    """One message of one person, from understanding to answer."""

    def __init__(
        self,
        db: BaseDBAsyncClient,
        now: datetime,
        community: Community,
        route: Route,
        crew: Crew,
        rest: Rest,
        *,
        person: Person,
        incoming: Incoming,
        state: State,
        traditional: bool,
    ) -> None:
        super().__init__(db, now, community, route, crew, rest)
        self.person, self.incoming, self.state = person, incoming, state
        self.incoming_person = person
        self.traditional = traditional
        self.item = Item("none", 0.0)
        self.lane = Lane.REPLY
        #: Nothing of it stays (bot/dialog/rehearsal.py): what others reported is left for the deed itself.
        self.rehearsed = False
        #: Something was done, more than answered.
        self.acted = False
        self._answers: list[tuple[str, dict[str, Any]]] = []
        self._then: list[tuple[Item, Person | None, tuple[Photo, ...]]] = []
        #: Once posted: what the channel shall put into its acknowledgement, if it can and there is something.
        self.acknowledged: Outgoing | None = None
        self._instead: Person | None = None
        self._kept_photos: tuple[Photo, ...] = ()

    @property
    def group(self) -> bool:
        return self.incoming.group

    def key(self, name: str) -> str:
        """The wording meant by `name`: of this intent, of its topic, or by its whole key."""
        intent = self.item.intent
        for key in (f"{intent}.{name}", f"{intent.split('.', 1)[0]}.{name}"):
            if self.community.wording.has(key):
                return key
        return name

    def say(self, name: str, /, **values: Any) -> None:
        """Answer whoever spoke, in the chat where it was said. In a group nobody's door is shown.

        Where nobody reads an answer it goes to another account of theirs, if there is one.
        """
        if self._instead is not None or self.incoming.order is not None:
            self.notify([self._instead or self.incoming_person], self.key(name), lane=Lane.REPLY, **values)
            return
        values = {k: self._shown(v) if isinstance(v, Ticket) else v for k, v in values.items()}
        self._answers.append((self.key(name), values))

    def _shown(self, ticket: Ticket) -> Ticket:
        """A ticket as who spoke may see it here; somebody else's door is for who works on it."""
        works = self.person.may(Role.STAFF) or self.person.may(Role.COMMITTEE)
        mine = works or ticket.kind != REPAIR or ticket.belongs_to(self.person)
        return ticket if mine and not self.group else ticket.for_group()

    def words(self, name: str) -> str:
        """A word or line of this intent's wording, to put into another."""
        return self.render(self.key(name), self.traditional).text

    async def write_to(self, channel: str, chat: str, name: str, /, **values: Any) -> None:
        """Write into another chat, where somebody waits for an answer."""
        said = self.render(self.key(name), **values)
        await outbox.put(self.db, channel, chat, said.text, now=self.now, lane=Lane.REPLY)

    def then(self, item: Item, instead: Person | None = None, photos: tuple[Photo, ...] = ()) -> None:
        """Go on with another request once this deed is done; as, and answering, `instead` where given.

        `photos` are those that were kept with it.
        """
        self._then.append((item, instead, photos))

    def ask_again(self, slot: str) -> None:
        """What was said for a slot can't be: the form waits for another answer. Say why beside it."""
        if self._instead is not None or self.incoming.order is not None:
            return
        slots = {name: value for name, value in self.item.slots.items() if name != slot}
        item = Item(self.item.intent, 1.0, slots, self.item.text, self.item.brief)
        self.state.form = kept(item, milliseconds(self.now), slot, [slot])

    def pop_then(self) -> Item | None:
        """The next request to go on with. The turn belongs to its person until the following call."""
        speaker = self.incoming_person
        if not self._then:
            self.person, self._instead = speaker, None
            return None
        item, instead, self._kept_photos = self._then.pop(0)
        self.person, self._instead = instead or speaker, instead
        return item

    @property
    def acting_for(self) -> Person | None:
        """Whom this deed is done for, when not for who spoke."""
        return self._instead

    @property
    def spoke(self) -> bool:
        return bool(self._answers)

    @property
    def spoken(self) -> tuple[str, ...]:
        """The keys of what was answered so far."""
        return tuple(key for key, _ in self._answers)

    def talk_about(self, *refs: int) -> None:
        """From now on 「那个」 means these, in this conversation."""
        rest = [ref for ref in self.recent() if ref not in refs]
        self.state.recent = [*refs, *rest][:REMEMBERED]
        self.state.recent_ms = milliseconds(self.now)

    def recent(self) -> list[int]:
        """The numbers spoken about here within a day, newest first."""
        fresh = milliseconds(self.now) - self.state.recent_ms < RECENT_FOR
        return self.state.recent if fresh else []

    def pictures(self) -> tuple[Photo, ...]:
        """The photos of this message and those that came before their words."""
        if self._instead is not None:
            return self._kept_photos
        kept = [Photo(*one) for one in self.state.photos]
        return (*kept, *self.incoming.photos)

    async def post(self) -> None:
        """The answers as one message, first; then the notes to others."""
        if self._answers:
            said = [self.render(key, self.traditional, **values) for key, values in self._answers]
            buttons = tuple(pair for one in said for pair in one.buttons + one.choices)
            choices = [list(pair) for one in said for pair in one.choices]
            if choices:
                self.state.offers = choices
            await self._put("\n".join(one.text for one in said), buttons)
            self._answers.clear()
        await super().post()

    async def _put(self, text: str, buttons: tuple[tuple[str, str], ...]) -> None:
        to, back = self.incoming, self.incoming.answers_back
        row = await outbox.put(
            self.db,
            to.channel,
            to.chat,
            text,
            now=self.now,
            lane=self.lane,
            person_id=self.incoming_person.id,
            buttons=buttons,
            once=outbox.answer_key(to.channel, to.id) if back else None,
            by_acknowledgement=back,
        )
        if back and row is not None:
            pairs = tuple(Button(*pair) for pair in buttons)
            self.acknowledged = Outgoing(row, to.channel, to.chat, text, self.lane, pairs)
