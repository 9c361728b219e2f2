"""How many of the common parts are left, how many came, how many were counted: for staff only."""

from __future__ import annotations

import re

from bot.dialog.skill import Skill
from bot.dialog.turn import Turn
from bot.domain import parts, stock
from bot.domain.parts import Stocked
from bot.domain.people import Role
from bot.unit_of_work import Refusal
from nlp.meaning import Item, Meaning
from nlp.slots.numbers import number

skill = Skill(__name__)

MOST = 100_000
_N = r"(?P<n>-?\d{1,9}|[零〇一二两三四五六七八九十百千]{1,8})"
_UNIT = r"\s*[个只根条套米卷块盒桶袋瓶片副支]?"
_LEFT = re.compile(
    rf"(?:还|现在|目前)*(?:剩下?|有|余)(?:多少|几){_UNIT}[了呢吗]?|(?:的)?库存(?:还?有?(?:多少|几){_UNIT})?[了呢吗]?"
)
_CAME = re.compile(
    rf"(?:进|到|补|入库|新来|又来|买)(?:货|库)?了?\s*{_N}{_UNIT}|入库\s*{_N.replace('<n>', '<m>')}"
)
_COUNTED = re.compile(
    rf"(?:盘点|实有|实际|清点)(?:是|有|了|出)?\s*{_N}{_UNIT}|改成\s*{_N.replace('<n>', '<m>')}"
)
_ALL = re.compile(
    r"(?:配件|零件|材料)?(?:的)?库存(?:还有|清单|表|多少|情况|呢)*[?？。]*|配件(?:还有|剩)(?:多少|哪些|几).{0,4}"
)


@skill.listens
async def heard(turn: Turn, _: Meaning) -> bool:
    """「角阀还剩几个」「角阀进了20个」「角阀盘点15个」 from who works here, where parts are kept."""
    known = turn.community.parts
    works = turn.person.may(Role.STAFF) or turn.person.may(Role.LEAD)
    text = turn.incoming.text.strip()
    if (
        not known
        or not works
        or len(text) > 30
        or "\n" in text
        or (turn.group and not turn.incoming.addressed)
    ):
        return False
    turn.item = Item("stock.left", 1.0)
    if _ALL.fullmatch(text):
        lines = [f"{one.name} {await stock.count(turn, one)}" for one in known]
        turn.say("stock.all", lines="\n".join(lines))
        return True
    part = parts.meant(known, text)
    if part is None:
        return False
    rest = max((word for word in part.names if word in text), key=len)
    said = text.replace(rest, "", 1).strip(" ，,。?？!！:：的")
    if came := _CAME.fullmatch(said):
        await _add(turn, part, _number(came))
    elif counted := _COUNTED.fullmatch(said):
        count = await stock.set_to(turn, turn.person, part, _number(counted))
        turn.say("stock.counted", item=part.name, count=count)
    elif _LEFT.fullmatch(said):
        turn.say("stock.left", item=part.name, count=await stock.count(turn, part))
    else:
        return False
    return True


async def _add(turn: Turn, part: Stocked, pieces: int) -> None:
    if not pieces:
        raise Refusal("stock.how_many", item=part.name)
    count = await stock.add(turn, turn.person, part, pieces)
    turn.say("stock.came", item=part.name, pieces=pieces, count=count)


def _number(match: re.Match[str]) -> int:
    text = match["n"] or match["m"]
    value = int(text) if text.lstrip("-").isdigit() else number(text)
    if value is None or not 0 <= value <= MOST:
        raise Refusal("stock.odd", number=text)
    return value
