"""Where something is: what was said, completed with the speaker's home, and nobody's door in a group."""

from __future__ import annotations

import pytest

from bot.domain.people import Home
from bot.domain.places import Place, complete

HOME = Home(1, "3", "2", "501")


@pytest.mark.parametrize(
    ("said", "category", "text", "line"),
    [
        (Place(place="厨房"), "plumbing", "厨房水管漏水", "3栋2单元501厨房"),
        (Place(), "appliance", "热水器坏了", "3栋2单元501"),
        (Place(place="电梯"), "elevator", "电梯不动了", "3栋2单元电梯"),
        (Place(), "elevator", "按18楼没反应", "3栋2单元电梯"),
        (Place(place="单元门"), "access", "单元门关不严", "3栋2单元单元门"),
        (Place(building="3", place="电梯"), "elevator", "3栋电梯坏了", "3栋2单元电梯"),
        (Place(building="5", place="电梯"), "elevator", "5栋电梯坏了", "5栋电梯"),
        (Place(building="8", unit="3", room="101", place="厕所"), "lighting", "灯不亮", "8栋3单元101厕所"),
        (Place(place="东门"), "lighting", "东门路灯不亮", "东门"),
        (Place(building="11", place="垃圾房"), "lighting", "灯坏了", "11栋垃圾房"),
        (Place(unit="1", place="电梯"), "elevator", "一单元电梯坏了", "3栋1单元电梯"),
    ],
)
def test_the_place_is_completed(said: Place, category: str, text: str, line: str) -> None:
    found = complete(said, HOME, category, text)
    assert found is not None
    assert found.line == line


@pytest.mark.parametrize(
    ("said", "home", "category", "text"),
    [
        (Place(), HOME, "lighting", "晚上遛弯那条路路灯黑好几天了"),
        (Place(), HOME, "facility", "健身器材的踏板断了"),
        (Place(place="厨房"), None, "plumbing", "厨房水管漏水"),
        (Place(), None, "elevator", "电梯坏了"),
    ],
)
def test_what_the_home_does_not_say_has_to_be_asked(
    said: Place, home: Home | None, category: str, text: str
) -> None:
    assert complete(said, home, category, text) is None


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Place("3", "2", "", "501", "厨房"), "3栋*单元厨房"),
        (Place("3", "2", "", "501"), "3栋*单元"),
        (Place("3", "2", "", "", "电梯"), "3栋2单元电梯"),
        (Place(place="东门"), "东门"),
    ],
)
def test_a_group_sees_no_door(place: Place, shown: str) -> None:
    assert place.for_group().line == shown
    assert "501" not in place.for_group().line


def test_a_correction_keeps_what_it_does_not_name() -> None:
    wrong = Place("5", "1", "", "", "电梯")
    assert wrong.corrected(Place(building="3")).line == "3栋电梯", "its unit was of the other building"
    assert Place("3", "", "", "", "电梯").corrected(Place(unit="2")).line == "3栋2单元电梯"


@pytest.mark.parametrize("place", [Place(), Place("3", "2", "4", "501", "厨房"), Place(place="东门")])
def test_a_place_reads_what_it_wrote(place: Place) -> None:
    assert Place.read(place.write()) == place


def test_near_is_the_same_staircase_as_far_as_is_known() -> None:
    assert Place("3", "1").near(Place("3", "1", place="电梯"))
    assert Place("3").near(Place("3", "2"))
    assert Place(place="楼道").near(Place("3", "2"))
    assert not Place("3", "1").near(Place("3", "2"))
    assert not Place("3").near(Place("5"))
