"""Which database a run is about, and a house to speak in.

One run, one database (`--database sqlite`, the default, or `--database postgres`): Tortoise keeps statements
by connection and table, whatever the database is, so that two in one process would get each other's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from bot.app import House
from tests import postgres
from tests.fakes.platforms_wechat import WECHAT_FAR_SIDES
from tests.fakes.telegram import FarSide
from tests.fakes.telegram_house import FAR_SIDES
from tests.fakes.wechat_side import WeChatFarSide
from tests.house import opened

# How long an example takes says something about the machine; what must be quick is measured in its own test.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")
#: Files that take longest.
LONG = {
    "test_nlp_measured",
    "test_month",
    "test_booking_month",
    "test_power_cut",
    "test_chats",
    "test_kill",
    "test_doors",
    "test_wechat_oa",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="the database of this run; with postgres only the tests that use one are run",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite: says something about SQLite only")
    config.addinivalue_line("markers", "postgres: says something about PostgreSQL only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test runs at least once: without a database with SQLite, with one on each it is about."""
    database = config.getoption("--database")
    other = {"sqlite": "postgres", "postgres": "sqlite"}[database]

    def wanted(item: pytest.Item) -> bool:
        if item.get_closest_marker(other):
            return False
        uses_one = "database_url" in getattr(item, "fixturenames", ()) or item.get_closest_marker("postgres")
        return database == "sqlite" or bool(uses_one)

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]
    # The long files first: with several at work (`-n 3 --dist loadfile`) the last must not be one of them.
    items.sort(key=lambda item: item.path.stem not in LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"database: {config.getoption('--database')}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    with postgres.server() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own, migrated where it is PostgreSQL; `House.open` migrates SQLite."""
    if request.config.getoption("--database") == "sqlite":
        yield f"sqlite://{tmp_path}/linli.db"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
def empty_database_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database without a table."""
    if request.config.getoption("--database") == "sqlite":
        yield f"sqlite://{tmp_path}/empty.db"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.database(migrated=False) as url:
        yield url


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """The sample community with its people (tests/house.py), on a Friday evening that stands still."""
    async with opened(database_url) as house:
        yield house


@pytest.fixture(params=FAR_SIDES)
async def far_side(request: pytest.FixtureRequest) -> AsyncIterator[FarSide]:
    """A pretended Telegram: our own, and the one beside the repository where it is there."""
    far = FAR_SIDES[request.param]()
    await far.start()
    yield far
    await far.stop()


@pytest.fixture(params=WECHAT_FAR_SIDES)
async def wechat_far(request: pytest.FixtureRequest) -> AsyncIterator[WeChatFarSide]:
    """A pretended WeChat and WeCom: our own, and the one beside the repository where it is there."""
    far = WECHAT_FAR_SIDES[request.param]()
    await far.start()
    yield far
    await far.stop()
