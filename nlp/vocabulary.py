"""What one community calls its places and things, added to the words that every community shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Vocabulary:
    """`places` are named public spots (东门, 地下车库); `words` map a canonical word to its synonyms here."""

    places: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
