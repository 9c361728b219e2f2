"""A community is a file: what may stand in it, and what is said when something may not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.communities import CommunityError, read_file, read_folder
from bot.responses import Wording

BUILT_IN = Path(__file__).parents[1] / "communities"
WORDING = Wording.load()


def test_the_sample_community_is_as_the_contract_describes_it() -> None:
    sample = read_file(BUILT_IN / "xingfuli.toml", WORDING)
    assert sample.name == "幸福里"
    assert sample.buildings == {str(n) for n in range(1, 13)}
    assert (sample.units, sample.floors, sample.rooms) == (3, 18, ("01", "02", "03", "04"))
    for place in ("东门", "南门", "活动室", "快递柜", "儿童乐园", "健身角"):
        assert place in sample.places
    assert set(sample.trades) == {"水电", "电梯", "综合", "保洁", "保安", "陪护", "托管"}
    assert sample.promise("normal").claim == timedelta(minutes=30)
    assert sample.promise("urgent").visit == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("building", "unit", "room", "impossible"),
    [
        ("3", "2", "501", False),
        ("12", "3", "1804", False),
        ("13", "1", "101", True),
        ("3", "4", "501", True),
        ("3", "2", "1901", True),
        ("3", "2", "505", True),
        ("3", None, None, False),
        (None, None, "501", False),
    ],
)
def test_a_home_that_cannot_be_is_known(
    building: str | None, unit: str | None, room: str | None, impossible: bool
) -> None:
    sample = read_file(BUILT_IN / "xingfuli.toml", WORDING)
    assert sample.impossible(building, unit, room) is impossible


def test_a_category_may_have_its_own_promises(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        "name = '甲'\n[promises.normal]\nvisit = 600\n[promises.normal.elevator]\nvisit = 120\n", "utf-8"
    )
    found = read_file(path, WORDING)
    assert found.promise("normal").visit == timedelta(minutes=600)
    assert found.promise("normal", "elevator").visit == timedelta(minutes=120)
    assert found.promise("normal", "elevator").claim == timedelta(minutes=30)
    assert found.promise("urgent", "elevator").visit == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("slug = 'a'", "name"),
        ("name = '甲'\ncolour = 'red'", "unknown colour"),
        ("name = '甲'\nzone = 'Asia/Nowhere'", "zone"),
        ("name = '甲'\n[buildings]\nnumbers = [1, 2]", "must be in quotes"),
        ("name = '甲'\n[promises.normal]\nclaim = '5'", "promises.normal"),
        ("name = '甲'\n[promises.normal]\nvisits = 5", "promises.normal"),
        ("name = '甲'\n[promises.soon]\nclaim = 5", "promises.soon"),
        ("name = '甲'\n[promises.normal.elevator]\nvisit = 0", "promises.normal.elevator"),
        ("name = '甲'\n[hours]\n'周一' = ['8点']", "hours.周一"),
        ("name = '甲'\n[dispatch]\nmode = '抽签'", "dispatch"),
        ("name = '甲'\n[dispatch]\nanswer = 0", "dispatch.answer"),
        ("name = '甲'\n[incidents]\nurgent = 1", "incidents.urgent"),
        ("name = '甲'\n[wording]\n'no.such' = '好'", "no such wording"),
        ("name = '甲\n", "a.toml"),
    ],
)
def test_a_file_with_a_fault_is_refused_in_one_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommunityError) as refused:
        read_file(path, WORDING)
    assert fault in str(refused.value)
    assert str(refused.value).startswith("a.toml: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("[channels.telgram]\nname = 'x'", "channels.telgram: unknown; there is webhook, wechat_oa", 2),
        ("[channels.wechat_oa]\ncolour = 'red'", "channels.wechat_oa: unknown colour", 2),
        ("[[channels.wechat_oa.menu]]\nsays = '报修'", "a button has a name", 2),
        ("[[channels.wechat_oa.menu]]\nname = '很长很长的名字'\nsays = 'x'", "很长很长的名字: too long", 2),
        ("[[channels.wechat_oa.menu]]\nname = '报修'\nurl = 'x'", "报修: unknown url", 2),
        ("\n[channels.wechat_oa]\n[channels.wechat_oa.template]\nid = 'T'", "id, fields, and kind", 4),
        ("[channels.wechat_oa.template]\nid = 'T'\nfields = 'x'", "id, fields, and kind", 2),
        (
            "[channels.wechat_oa.template]\nid = 'T'\nfields = { a = '{phone}' }",
            "{phone}: {text}, {time}, {name}",
            2,
        ),
        ("[channels.wechat_oa]\nmenu = ['报修']", "a button has a name", 2),
    ],
)
def test_what_it_says_to_a_channel_is_checked_with_the_file(
    tmp_path: Path, text: str, fault: str, line: int
) -> None:
    path = tmp_path / "a.toml"
    path.write_text(f"name = '甲'\n{text}\n", encoding="utf-8")
    with pytest.raises(CommunityError) as refused:
        read_file(path, WORDING)
    assert str(refused.value).startswith("a.toml: channels.")
    assert fault in str(refused.value)
    assert str(refused.value).endswith(f" (at line {line})")


def test_a_channel_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("name = '甲'\nchannels = ['wechat_oa']", encoding="utf-8")
    with pytest.raises(CommunityError, match=r"a\.toml: channels: a table a channel"):
        read_file(tmp_path / "a.toml", WORDING)


@pytest.mark.parametrize("page", ["wechat_oa.md", "community.md"])
def test_what_the_manual_shows_can_be_pasted(tmp_path: Path, page: str) -> None:
    text = (BUILT_IN.parent / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    assert blocks
    for block in blocks:
        (tmp_path / "a.toml").write_text(f'name = "甲"\n{block}', encoding="utf-8")
        read_file(tmp_path / "a.toml", WORDING)


def test_the_nearer_folder_wins(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("name = '桂花苑'", encoding="utf-8")
    found = read_folder([tmp_path, BUILT_IN], WORDING)
    assert [one.slug for one in found] == ["own"]
    assert [one.slug for one in read_folder([tmp_path / "none", BUILT_IN], WORDING)] == ["xingfuli"]


def test_two_of_one_name_and_none_at_all_are_refused(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        (tmp_path / f"{stem}.toml").write_text("name = '甲'\nslug = 'same'", encoding="utf-8")
    with pytest.raises(CommunityError, match="two communities"):
        read_folder([tmp_path], WORDING)
    with pytest.raises(CommunityError, match="no community"):
        read_folder([tmp_path / "none"], WORDING)
