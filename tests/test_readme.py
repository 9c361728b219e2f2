"""What the README promises is there: a tested chat, a walk that is played, names that exist."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from bot.__main__ import cli
from bot.config import Settings

HOUSE = Path(__file__).resolve().parent.parent
PAGES = [
    HOUSE / "README.md",
    HOUSE / "CHANGELOG.md",
    *sorted((HOUSE / "docs").glob("*.md")),
    *sorted(
        page
        for part in ("bot", "handlers", "nlp", "scheduler", "communities", "tests")
        for page in (HOUSE / part).rglob("README.md")
    ),
]
README = (HOUSE / "README.md").read_text(encoding="utf-8")
STORIES = HOUSE / "tests/chats"
COMMAND = re.compile(r"\blinli ([a-z]+)((?: +--?[a-z-]+)*)")
TARGET = re.compile(r"\bmake ([a-z-]+)")
SETTING = re.compile(r"`?LINLI_([A-Z_]+)")
OURS = re.compile(r"`((?:bot|handlers|nlp|scheduler|communities|tests|docs)/[\w./-]+)`")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))


def code(text: str) -> str:
    """What stands in fences and between backticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return "\n".join(chain(fences, inline))


def test_the_chat_is_the_story_letter_by_letter() -> None:
    (block,) = re.findall(r"^```chat\n(.*?)^```", README, re.M | re.S)
    assert block == (STORIES / "readme.chat").read_text(encoding="utf-8")


def test_every_sentence_of_the_walk_is_played() -> None:
    rows = re.findall(r"^\| \d+ \| ([^|]+) \| ([^|]+) \|", README, re.M)
    assert len(rows) >= 8
    played = (STORIES / "walk.chat").read_text(encoding="utf-8")
    for who, what in rows:
        speaker = who.removeprefix("业主群，选").strip()
        for sentence in re.findall(r"`([^`]+)`", what):
            assert re.search(rf"^{speaker}(@群)?> {re.escape(sentence)}$", played, re.M), f"{who}: {sentence}"


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, heading = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", aim.read_text(encoding="utf-8"), re.M)
            assert heading in {re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings}


@every_page
def test_commands_and_their_options_exist(page: Path) -> None:
    for name, options in COMMAND.findall(code(page.read_text(encoding="utf-8"))):
        assert name in cli.commands, f"linli {name}"
        known = set(chain.from_iterable(one.opts for one in cli.commands[name].params)) | {"--help", "-h"}
        assert set(options.split()) <= known, f"linli {name}{options}"


@every_page
def test_targets_settings_and_files_exist(page: Path) -> None:
    text = code(page.read_text(encoding="utf-8"))
    targets = re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(TARGET.findall(text)) <= set(targets)
    known = {name.upper() for name in Settings.model_fields}
    assert {name for name in SETTING.findall(text) if not name.startswith("TEST_")} <= known
    for path in OURS.findall(page.read_text(encoding="utf-8")):
        assert (HOUSE / path).exists(), path


def test_every_setting_is_in_the_table_once_it_does_something() -> None:
    told = set(SETTING.findall(README))
    assert {name.upper() for name in Settings.model_fields} == told


def test_every_folder_says_how_to_add_one() -> None:
    folders = ("bot", "bot/channels", "bot/domain", "bot/dialog", "handlers", "nlp", "scheduler")
    for folder in (*folders, "communities", "tests"):
        assert "怎么加" in (HOUSE / folder / "README.md").read_text(encoding="utf-8"), folder
        assert f"]({folder}/README.md)" in README


def test_the_version_is_in_the_changelog() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"## [{project['version']}]" in (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
