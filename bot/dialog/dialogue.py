"""From a message to a deed: danger first, then an open question's answer, then one or several requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.dialog import commands, edits, follow_up, group_policy
from bot.dialog.follow_up import WEAK, readable
from bot.dialog.open_form import Open, kept, merge, plain_name
from bot.dialog.skill import Action, Skill
from bot.dialog.turn import Turn
from bot.domain import applications, work
from bot.inbox import milliseconds
from bot.messages import Lane
from bot.unit_of_work import Refusal
from nlp.meaning import Item, Meaning
from nlp.understanding import Understanding

LONGEST = 1000  # characters that one message may have
GROUP_FORM_FOR = 10 * 60 * 1000  # ms: how long a question asked in a group waits for its answer
PHOTO_FOR = 30 * 60 * 1000  # ms: how long a photo waits for its words, or words for their photo
PHOTOS = 10  # that wait; as many as an album has
MISSES = 2  # messages not understood before a human gets the conversation
BIND = "profile.bind"
#: Never a new request: what answers or accompanies something.
PASSIVE = frozenset({"none", "inform", "smalltalk", "dialog.affirm", "dialog.deny", "ticket.amend"})
#: In a group, soon after something was filed there, these go on with it unasked.
GOES_ON = frozenset(
    {
        "inform",
        "ticket.amend",
        "ticket.confirm",
        "ticket.reopen",
        "ticket.cancel",
        "ticket.urge",
        "ticket.status",
    }
)
#: An answer to another question may change these; 「东门」 makes of a lamp no door.
CORRECTABLE = frozenset({"time", "phone", "urgency"})
#: Whoever is asked for a reason gives it in any words; only these are no reason.
ASIDE = frozenset({"help", "human.handoff", "dialog.cancel"})


COMPLAINT = "complaint.file"


class Dialogue:
    """The skills of the house, and how a conversation finds them."""

    def __init__(self, skills: Iterable[Skill]) -> None:
        self.actions: dict[str, Action] = {}
        self._listeners, self._readers = [], []
        for skill in skills:
            self.actions |= skill.actions
            self._listeners += skill.listeners
            self._readers += skill.readers

    async def hear(self, turn: Turn, mind: Understanding) -> bool:
        """Take one message. False when nothing came of it: it was not meant for us, or changed too late."""
        before = edits.known(turn)
        fresh = turn.state.form is None and not turn.state.waiting
        if turn.incoming.edited:
            heard = await self._hear_changed(turn, mind, before)
        else:
            heard = await self._hear(turn, mind)
        if heard:
            if not turn.acted and (turn.state.form is not None or turn.state.missed):
                self._keep_photos(turn)
            await edits.remember(turn, before, fresh=fresh)
        return heard

    async def _hear_changed(self, turn: Turn, mind: Understanding, before: edits.Heard | None) -> bool:
        """What an earlier message says now."""
        text = turn.incoming.text
        if before is not None and before.says(text):
            return False  # a reaction, a preview, a picture
        meaning = self._understand(turn, mind, text)
        danger = meaning.sure and any(item.intent == "emergency.report" for item in meaning.items)
        relayed = turn.state.human is not None or turn.state.talking_to is not None
        if danger or relayed or edits.anew(turn, before):
            return await self._hear(turn, mind)
        ticket = await edits.corrects(turn, before)
        if ticket is None:
            edits.decline(turn, before)
            return False
        await self.start(turn, edits.correction(turn, mind, ticket))
        await self._next(turn)
        return True

    async def _hear(self, turn: Turn, mind: Understanding) -> bool:
        text = turn.incoming.text
        for reader in () if turn.group else self._readers:
            if await reader(turn, self, mind):
                await self._lead_on(turn)
                await self._next(turn)
                return True
        meaning = self._understand(turn, mind, text)
        turn.traditional = turn.traditional or meaning.traditional
        if turn.group and group_policy.private_number(text):
            turn.notify([turn.person], "dialog.private_number")
        if await self._danger(turn, meaning):
            return True
        for listener in self._listeners:
            if await listener(turn, meaning):
                turn.acted = True
                await self._next(turn)
                return True
        if turn.group:
            closer = await self._in_group(turn, mind, meaning, text)
            if closer is None:
                return False
            meaning = closer
        picked = commands.picked(text, turn.state.offers)
        if picked is not None:
            text, turn.state.offers = picked, []
            meaning = self._understand(turn, mind, text)
        if not readable(text):
            await self._wordless(turn)
        elif len(text) > LONGEST:
            turn.say("dialog.too_long", longest=LONGEST)
        elif turn.state.form is not None:
            await self._go_on(turn, meaning, mind, text)
        else:
            await self._begin(turn, meaning, mind, text)
        return True

    def _understand(self, turn: Turn, mind: Understanding, text: str) -> Meaning:
        role, overheard = turn.person.speaks_as, turn.group and not turn.incoming.addressed
        meaning = mind.understand(text, now=work.local(turn), group=overheard, role=role)
        danger = meaning.sure and meaning.intent == "emergency.report"
        if danger or overheard:
            return meaning
        if commands.complains(text) and meaning.intent != COMPLAINT:
            meaning = self._complaint(turn, mind, text, meaning)
        return self._doable(commands.read(text, role, meaning))

    @staticmethod
    def _complaint(turn: Turn, mind: Understanding, text: str, meaning: Meaning) -> Meaning:
        """「投诉……」 is one, whatever else the words are like."""
        now = work.local(turn)
        found = {"category": mind.value(COMPLAINT, "category", text, now=now)}
        for name in ("location", "ref", "plate"):
            found[name] = next(iter(mind.find(name, text, now=now)), None)
        slots = {name: value for name, value in found.items() if value is not None}
        return Meaning((Item(COMPLAINT, 1.0, slots, text),), True, meaning.nearest, meaning.traditional)

    def _doable(self, meaning: Meaning) -> Meaning:
        """What we cannot do yet is none of ours; the guess still names it."""
        if not meaning.sure or any(item.intent in self.actions for item in meaning.items):
            return meaning
        first = meaning.items[0]
        silent = Item("none", round(1.0 - first.confidence, 3), {}, first.text)
        return Meaning((silent,), False, meaning.nearest, meaning.traditional, first)

    async def _danger(self, turn: Turn, meaning: Meaning) -> bool:
        items = [item for item in meaning.items if item.intent == "emergency.report"]
        if not (items and meaning.sure):
            return False
        turn.lane = Lane.DANGER
        for item in items:
            await self._do(turn, item)
        turn.state.missed = []
        return True

    async def _in_group(self, turn: Turn, mind: Understanding, meaning: Meaning, text: str) -> Meaning | None:
        """What a message in a group means for us; None when it is not for us.

        To who was asked, or filed something here just now, we listen as closely as in private.
        """
        now, state = milliseconds(turn.now), turn.state
        answering = state.form is not None and now - Open.read(state.form).at_ms < GROUP_FORM_FOR
        if state.form is not None and not answering:
            state.form, state.waiting = None, []
        unasked = meaning.sure and meaning.intent in mind.unasked
        if group_policy.spoken_to(turn.incoming.addressed, unasked, answering):
            return meaning if turn.incoming.addressed or not answering else self._closer(turn, mind, text)
        if now - state.recent_ms >= GROUP_FORM_FOR:
            return None
        closer = await follow_up.of_recent(turn, self._closer(turn, mind, text), mind, text)
        return closer if turn.incoming.photos or (closer.sure and closer.intent in GOES_ON) else None

    @staticmethod
    def _closer(turn: Turn, mind: Understanding, text: str) -> Meaning:
        return mind.understand(text, now=work.local(turn), group=False, role=turn.person.speaks_as)

    # ------------------------------------------------------------- no open form

    async def _begin(self, turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> None:
        meaning = await follow_up.of_recent(turn, meaning, mind, text)
        items = [item for item in meaning.items if item.intent in self.actions]
        if not (meaning.sure and items) or await follow_up.of_nothing(turn, items[0]):
            await self._missed(turn, meaning, mind, text)
            return
        turn.state.missed = []
        if items[0].intent not in PASSIVE:
            turn.state.offers = []
        for item in items:
            await self.start(turn, item)
        await self._next(turn)

    async def start(self, turn: Turn, item: Item) -> None:
        """Do what an item asks for, or ask for what is missing, or say who may."""
        action = self.actions[item.intent]
        turn.item = item
        if turn.incoming.anonymous and (item.intent == BIND or not turn.person.may(action.by)):
            raise Refusal("dialog.anonymous")
        if not turn.person.may(action.by):
            await self._not_allowed(turn, action, item)
            return
        values, missing = action.form.fill(turn.person, item.slots, item.text)
        if missing:
            turn.state.waiting.append(kept(item, milliseconds(turn.now)))
            return
        await self._do(turn, item, action, values)

    async def _not_allowed(self, turn: Turn, action: Action, item: Item) -> None:
        if turn.person.bound:
            raise Refusal("dialog.refused", role=action.by.chinese)
        waiting = await applications.of(turn.db, turn.person)
        if waiting is not None:
            if action.kept:
                turn.acted = True
                await applications.keep(turn.db, waiting, kept(item, milliseconds(turn.now)))
            turn.say("profile.bind.waits_kept" if action.kept else "profile.bind.waits", application=waiting)
            return
        if not action.kept:
            turn.say("profile.how")
            return
        bind = Item(BIND, 1.0, dict(item.slots), item.text)
        if not any(one["intent"] == bind.intent for one in turn.state.waiting):
            turn.state.waiting.insert(0, kept(bind, milliseconds(turn.now)))
        turn.state.waiting.append(kept(item, milliseconds(turn.now)))

    async def _do(
        self, turn: Turn, item: Item, action: Action | None = None, values: dict[str, Any] | None = None
    ) -> None:
        action = action or self.actions[item.intent]
        if values is None:
            values, _ = action.form.fill(turn.person, item.slots, item.text)
        turn.item, turn.acted = item, turn.acted or not action.question
        await action.deed(turn, action.form(**values))
        await self._lead_on(turn)

    async def _lead_on(self, turn: Turn) -> None:
        while (following := turn.pop_then()) is not None:
            await self._follow(turn, following)

    async def _follow(self, turn: Turn, item: Item) -> None:
        """What a deed leads to. For somebody else nothing is asked: it is done with what is there."""
        if turn.acting_for is None:
            await self.start(turn, item)
            await self._next(turn)
            return
        action = self.actions[item.intent]
        values, missing = action.form.fill(turn.person, item.slots, item.text)
        turn.item = item
        if any(action.form.must(name) for name in missing):
            turn.say("incomplete", brief=item.brief)
        else:
            await action.deed(turn, action.form(**values))

    async def _next(self, turn: Turn) -> None:
        """Take up the forms that wait: do what has become complete, ask for the first that has not."""
        state = turn.state
        while state.form is None and state.waiting:
            row = state.waiting.pop(0)
            form = Open.read(row)
            if form.intent not in self.actions:
                continue
            action = self.actions[form.intent]
            if not turn.person.may(action.by):
                if any(one["intent"] == BIND for one in state.waiting):
                    state.waiting.append(row)
                continue
            await self._ask_or_do(turn, form)

    async def _ask_or_do(self, turn: Turn, form: Open) -> None:
        action = self.actions[form.intent]
        values, missing = action.form.fill(turn.person, form.slots, form.text)
        open_questions = [name for name in missing if name not in form.asked]
        if any(action.form.must(name) and name in form.asked for name in missing):
            open_questions = []  # without that nothing else helps
        turn.item = form.item()
        if open_questions:
            asking = open_questions[0]
            asked = [*form.asked, asking]
            turn.state.form = kept(form.item(), milliseconds(turn.now), asking, asked)
            turn.say(f"{form.intent}.ask.{asking}", brief=form.brief)
            return
        turn.state.form = None
        if any(action.form.must(name) for name in missing):
            turn.say("incomplete", brief=form.brief)
            return
        await self._do(turn, form.item(), action, values)

    # ---------------------------------------------------------------- open form

    async def _go_on(self, turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> None:
        state = turn.state
        assert state.form is not None
        form = Open.read(state.form)
        if form.intent not in self.actions:
            state.form = None
            await self._begin(turn, meaning, mind, text)
            return
        patience = self.actions[form.intent].form.patience
        if patience is not None and milliseconds(turn.now) - form.at_ms > patience.total_seconds() * 1000:
            await self._finish(turn, form)
            await self._begin(turn, meaning, mind, text)
            return
        if form.replace is not None:
            await self._replaced(turn, form, meaning, mind, text)
            return
        if meaning.sure and meaning.intent == "dialog.cancel":
            state.form, state.waiting, state.photos = None, [], []
            turn.say("dialog.cancelled")
            return
        named = form.asking == "name" and plain_name(text) is not None
        free = self.actions[form.intent].form.free(form.asking)
        others = [
            item
            for item in meaning.items
            if meaning.sure
            and item.intent in self.actions
            and item.intent not in PASSIVE
            and not (named and item.confidence < WEAK)
            and not (free and "ref" not in item.slots and item.intent not in ASIDE)
            and not (item.intent == "ticket.urge" and "ref" not in item.slots)  # 「你们快点」 is of this one
        ]
        if others and others[0].intent != form.intent:
            await self._meanwhile(turn, form, others)
            return
        if others and self._another(form, others[0]):
            await self._finish(turn, form)
            for item in others:
                await self.start(turn, item)
            await self._next(turn)
            return
        await self._answered(turn, form, meaning, mind, text)

    @staticmethod
    def _another(form: Open, item: Item) -> bool:
        """The same kind of request about another thing, not the answer to the question."""
        mine, new = form.slots.get("category"), item.slots.get("category")
        return bool(mine and new and mine != new and form.asking not in item.slots)

    async def _meanwhile(self, turn: Turn, form: Open, items: list[Item]) -> None:
        """Something else in the middle of a form: a plain question is answered, more wants a yes."""
        if all(self.actions[item.intent].question for item in items):
            for item in items:
                await self.start(turn, item)
            turn.item = form.item()
            turn.say(f"{form.intent}.ask.{form.asking}", brief=form.brief)
            return
        if form.intent == BIND:
            for item in items:
                await self.start(turn, item)
            if not turn.spoke:
                turn.item = form.item()
                turn.say(f"{form.intent}.ask.{form.asking}", brief=form.brief)
            return
        assert turn.state.form is not None
        turn.state.form["replace"] = [kept(item, milliseconds(turn.now)) for item in items]
        turn.item = form.item()
        turn.say("dialog.replace", brief=form.brief or items[0].brief)

    async def _replaced(
        self, turn: Turn, form: Open, meaning: Meaning, mind: Understanding, text: str
    ) -> None:
        """The answer to 「先放下这个吗」: a yes takes the new, anything else goes on with the old."""
        assert turn.state.form is not None and form.replace is not None
        turn.state.form.pop("replace", None)
        if meaning.sure and meaning.intent in ("dialog.affirm", "dialog.cancel"):
            turn.state.form = None
            turn.state.waiting = [*form.replace, *turn.state.waiting]
            await self._next(turn)
        elif meaning.sure and meaning.intent == "dialog.deny":
            turn.item = form.item()
            turn.say(f"{form.intent}.ask.{form.asking}", brief=form.brief)
        else:
            await self._go_on(turn, meaning, mind, text)

    async def _answered(
        self, turn: Turn, form: Open, meaning: Meaning, mind: Understanding, text: str
    ) -> None:
        """Fill in what the answer says. A question is asked once: without an answer the deed goes on."""
        action, item = self.actions[form.intent], meaning.items[0]
        slots, said = dict(form.slots), dict(item.slots)
        if form.asking == "category":  # the answer by itself may name one of another trade
            said["category"] = mind.value(form.intent, "category", text, now=work.local(turn))
        if not action.form.free(form.asking):
            for name, value in said.items():
                if name == "location":
                    slots[name] = merge(slots.get(name), value)
                elif name == form.asking or name in CORRECTABLE or name not in slots:
                    slots[name] = value
            now = work.local(turn)
            for name in action.form.names() - said.keys():
                if name == form.asking or name in ("location", "urgency", "phone", "time"):
                    found = mind.find(name, text, now=now)
                    if found:
                        slots[name] = merge(slots.get(name), found[0]) if name == "location" else found[-1]
        if form.asking == "name" and "name" not in slots:
            slots["name"] = plain_name(text)
        words = f"{form.text}\n{text}" if text not in form.text else form.text
        brief = item.brief if form.asking == "category" else form.brief or item.brief
        filled = Open(form.intent, slots, "", form.asked, words, brief, form.at_ms)
        turn.state.form = None
        turn.state.missed = []
        await self._ask_or_do(turn, filled)
        await self._next(turn)

    async def finish(self, turn: Turn) -> None:
        """Do what the open form and those that wait are good for without their answers."""
        rows = [row for row in (turn.state.form, *turn.state.waiting) if row]
        turn.state.form, turn.state.waiting = None, []
        for form in map(Open.read, rows):
            if form.intent in self.actions and turn.person.may(self.actions[form.intent].by):
                await self._finish(turn, form)

    async def _finish(self, turn: Turn, form: Open) -> None:
        """Do what the form is good for without its open answer."""
        turn.state.form = None
        action = self.actions[form.intent]
        values, missing = action.form.fill(turn.person, form.slots, form.text)
        if not any(action.form.must(name) for name in missing):
            await self._do(turn, form.item(), action, values)

    # ----------------------------------------------------------- without meaning

    async def _wordless(self, turn: Turn) -> None:
        """A photo without words waits for them; a sticker gets an honest line."""
        if turn.incoming.photos:
            if "photo" in self.actions and await self._photo(turn):
                return
            self._keep_photos(turn)
            if turn.state.form is None and len(turn.state.photos) == len(turn.incoming.photos):
                turn.say("dialog.photo")
            return
        turn.say("dialog.wordless")

    @staticmethod
    def _keep_photos(turn: Turn) -> None:
        """Photos wait for the words that say what they show, or for the answer that is missing."""
        new = [
            row
            for p in turn.incoming.photos
            if (row := [p.path, p.media_type, p.name]) not in turn.state.photos
        ]
        if new:
            turn.state.photos = (turn.state.photos + new)[-PHOTOS:]
            turn.state.photos_ms = milliseconds(turn.now)

    async def _photo(self, turn: Turn) -> bool:
        """A photo soon after something was filed belongs to it."""
        if not turn.recent() or milliseconds(turn.now) - turn.state.recent_ms > PHOTO_FOR:
            return False
        turn.item = Item("photo", 1.0)
        await self.actions["photo"].deed(turn, self.actions["photo"].form())
        turn.acted = turn.acted or turn.spoke
        return turn.spoke

    async def _missed(self, turn: Turn, meaning: Meaning, mind: Understanding, text: str) -> None:
        """Say so, offer the nearest things; the second time a human gets the conversation."""
        guess = meaning.guess
        if guess is not None and guess.intent in mind.later and guess.confidence >= follow_up.WEAK:
            turn.say("dialog.later", what=mind.say(guess.intent))
            return
        turn.state.missed = [*turn.state.missed, text[:200]][-5:]
        if len(turn.state.missed) < MISSES and (ticket := await follow_up.asked_about(turn)) is not None:
            turn.say("ticket.complete.remind", ticket=ticket)
            return
        if len(turn.state.missed) >= MISSES and "human.handoff" in self.actions and turn.person.bound:
            turn.item = Item("human.handoff", 1.0)
            await self._do(turn, turn.item)
            return
        offers = [intent for intent in meaning.nearest if self._offered(turn, intent)]
        for intent in ("repair.report", "ticket.status", "help"):
            if intent not in offers and len(offers) < 3 and self._offered(turn, intent):
                offers.append(intent)
        labels = [turn.render(f"{intent}.offer").text.partition("=") for intent in offers[:3]]
        turn.state.offers = [[label, says or label] for label, _, says in labels]
        lines = "\n".join(f"{n} {label}" for n, (label, _) in enumerate(turn.state.offers, 1))
        turn.say("dialog.missed", offers=lines)

    def _offered(self, turn: Turn, intent: str) -> bool:
        action = self.actions.get(intent)
        return (
            action is not None
            and turn.community.wording.has(f"{intent}.offer")
            and (turn.person.may(action.by) or action.kept)
        )
