"""A skill: the deeds of one topic, each under the name of its intent. Presence is registration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot.dialog.form import Form
from bot.dialog.turn import Turn
from bot.domain.people import Role
from nlp.meaning import Meaning
from nlp.understanding import Understanding

F = TypeVar("F", bound=Form)
#: Looks at a message before anybody else; True when it was for this topic and nothing is left to do.
Listener = Callable[[Turn, Meaning], Awaitable[bool]]
Deed = Callable[[Turn, F], Awaitable[None]]


class Ear(Protocol):
    """What hears a message; here for who reads a message that others' messages stand in."""

    async def hear(self, turn: Turn, mind: Understanding) -> bool:
        """Take one message. False when it was not meant for us and nothing happened."""

    async def finish(self, turn: Turn) -> None:
        """Do what the open questions of this conversation are good for without their answers."""


#: Looks at a private message before it is understood as its sender's words; True when it was for this topic.
Reader = Callable[[Turn, Ear, Understanding], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Action:
    """What is done for an intent, by whom, and with which form.

    A `question` changes nothing: it may be asked in the middle of a form. `kept` says that a stranger's form
    waits until somebody lets the stranger in. What is not `spoken` is reached without words: by a photo.
    """

    intent: str
    form: type[Form]
    deed: Deed[Any]
    by: Role
    question: bool
    kept: bool
    spoken: bool


class Skill:
    """Register of a topic: `handlers.repair` is the topic `repair`."""

    def __init__(self, module: str) -> None:
        self.topic = module.rsplit(".", 1)[-1]
        self.actions: dict[str, Action] = {}
        self.listeners: list[Listener] = []
        self.readers: list[Reader] = []

    def on(
        self,
        name: str,
        form: type[F],
        *,
        by: Role,
        question: bool = False,
        kept: bool = False,
        spoken: bool = True,
    ) -> Callable[[Deed[F]], Deed[F]]:
        """The decorated function does the deed of `topic.name` (or of `topic`, when both are the same)."""

        def register(deed: Deed[F]) -> Deed[F]:
            intent = self.topic if name == self.topic else f"{self.topic}.{name}"
            self.actions[intent] = Action(intent, form, deed, by, question, kept, spoken)
            return deed

        return register

    def listens(self, listener: Listener) -> Listener:
        """The decorated function hears every message first, after danger."""
        self.listeners.append(listener)
        return listener

    def reads(self, reader: Reader) -> Reader:
        """The decorated function sees every private message before it is understood at all.

        Danger in it is then the reader's to hear.
        """
        self.readers.append(reader)
        return reader
