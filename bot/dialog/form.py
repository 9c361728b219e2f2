"""A form: what an intent needs, found in what was said, completed with what is known, asked when missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from typing import Any, ClassVar, dataclass_transform

#: Completes a slot from what was said (None when nothing) and what is known; None when it must be asked.
Known = Callable[[Any, "Context"], Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What a form may know besides the sentence: the speaker, the other slots and the words."""

    person: Any
    slots: Mapping[str, Any]
    text: str


def needed(*, known: Known | None = None, must: bool = False, free: bool = False) -> Any:
    """A slot that is asked for when missing, once. Without an answer the deed goes on, unless it `must`.

    What answers a `free` one is taken as it is said, whatever else it could mean.
    """
    return field(default=None, metadata={"needed": True, "known": known, "must": must, "free": free})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(needed,))
class Form:
    """Base of all forms. A field is a slot of the contract; a plain default is only noticed, never asked."""

    questions: ClassVar[tuple[str, ...]] = ()
    #: How long its question waits for the answer; None for as long as it takes.
    patience: ClassVar[timedelta | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)
        cls.questions = tuple(f.name for f in fields(cls) if f.metadata.get("needed"))  # type: ignore[arg-type]

    @classmethod
    def fill(cls, person: Any, slots: Mapping[str, Any], text: str) -> tuple[dict[str, Any], list[str]]:
        """The values of the fields, and the names of those that are needed and still missing.

        Slots that the form doesn't have are dropped: a release in mid-conversation harms nobody.
        """
        context = Context(person, slots, text)
        values: dict[str, Any] = {}
        missing: list[str] = []
        for spec in fields(cls):  # type: ignore[arg-type]
            value = slots.get(spec.name)
            known: Known | None = spec.metadata.get("known")
            if known is not None:
                value = known(value, context)
            if value is None and spec.metadata.get("needed"):
                missing.append(spec.name)
            if value is None and spec.default is not MISSING:
                value = spec.default
            values[spec.name] = value
        return values, missing

    @classmethod
    def names(cls) -> frozenset[str]:
        """The slots of this form."""
        return frozenset(f.name for f in fields(cls))  # type: ignore[arg-type]

    @classmethod
    def free(cls, name: str) -> bool:
        """Whether any words answer the question for this slot."""
        return any(f.name == name and f.metadata.get("free") for f in fields(cls))  # type: ignore[arg-type]

    @classmethod
    def must(cls, name: str) -> bool:
        """Whether the deed can't be done without this slot."""
        return any(f.name == name and f.metadata.get("must") for f in fields(cls))  # type: ignore[arg-type]


class Nothing(Form):
    """For intents that need nothing."""
