"""Words typed with characters of the same sound: 绿花带 for 绿化带, as keyboards and dictation leave them.

The table of sounds, `words/syllables.txt`, is written by `python -m nlp.homophones`: a line a syllable, its
characters behind it. That needs pypinyin; what runs only reads the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import count
from pathlib import Path

TABLE = Path(__file__).parent / "words" / "syllables.txt"
#: Two characters sound like too much else; a word of more than six is hardly mistyped as a whole.
_SHORTEST, _LONGEST = 3, 6
#: Characters that most often stand for themselves: 电脑一开机 is no 电脑椅, 垃圾放门口 no 垃圾房.
_PLAIN = frozenset(
    "一是的了在有不我你他这那个们要就也都说去来到上下里很好没人过放会可能得地着吗呢吧和跟给用还又再只先停咬管气师证带栋底烧教公警试非课湿看枝长多务自事时捡见检加少心记力"
)
_HAN = re.compile("[\u4e00-\u9fff]+")
#: How much of a text is heard this way.
_HEARD = 1000


@cache
def _sounds() -> dict[int, str]:
    """For each character one that stands for its syllable."""
    syllables = (line.split()[1] for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {ord(c): characters[0] for characters in syllables for c in characters}


class Homophones:
    """Knows words by their sound."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {w for w in words if _SHORTEST <= len(w) <= _LONGEST and _HAN.fullmatch(w)}
        self._by_sound = {word.translate(_sounds()): word for word in sorted(self._words, reverse=True)}
        self._lengths = sorted({len(word) for word in self._words}, reverse=True)
        self._starts = {heard[:2] for heard in self._by_sound}

    def mend(self, plain: str) -> str:
        """The text, as long as it was, with words written as they are spelled."""
        heard = plain[:_HEARD].translate(_sounds())
        at, mended = 0, plain
        while at < len(heard) - _SHORTEST + 1:
            for length in self._lengths if heard[at : at + 2] in self._starts else ():
                word = self._by_sound.get(heard[at : at + length])
                if word is None:
                    continue
                typed = plain[at : at + length]
                if typed not in self._words and _mistyped(typed, word):
                    mended = mended[:at] + word + mended[at + length :]
                at += length - 1
                break
            at += 1
        return mended


def _mistyped(typed: str, word: str) -> bool:
    """Whether what differs is no plain word of its own, and something of the word is left."""
    wrong = [c for c, right in zip(typed, word, strict=True) if c != right]
    return len(wrong) < len(word) and _PLAIN.isdisjoint(wrong)


def table() -> str:
    """The characters of GB 2312 by the first reading that pypinyin gives them, a line a syllable."""
    from pypinyin import Style, pinyin  # noqa: PLC0415

    syllables: dict[str, str] = {}
    for c in _characters():
        syllable = pinyin(c, style=Style.NORMAL)[0][0]
        syllables[syllable] = syllables.get(syllable, "") + c
    return "".join(f"{name} {syllables[name]}\n" for name in sorted(syllables))


def _characters() -> Iterable[str]:
    """All of GB 2312, row by row, the frequent ones first."""
    for index in count(0):
        row, cell = divmod(index, 94)
        if row > 71:
            return
        try:
            yield bytes((0xB0 + row, 0xA1 + cell)).decode("gb2312")
        except UnicodeDecodeError:
            continue  # the last cells of a row may be empty


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
