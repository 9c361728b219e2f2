"""The command line from outside: what it prints, how it ends, and that nobody ever sees a traceback."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.serving import Service, linli, serving

COMMANDS = (
    "run",
    "chat",
    "parse",
    "check",
    "invite",
    "import",
    "export",
    "verify",
    "backup",
    "restore",
    "doctor",
    "migrate",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
LIST = "楼栋,单元,房号,姓名,手机\n8栋,1单元,302,周明,13800138000\n8,1,303,吴丽,\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("house"), "--demo") as service:
        yield service


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def one_line(text: str) -> str:
    """The only line of a text, without its end."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


def fails(folder: Path, *arguments: str, code: int = 1, **settings: str) -> str:
    """Run what must not work; the one line it says about it."""
    done = linli(folder, *arguments, **settings)
    assert done.returncode == code, done.stderr
    return one_line(done.stderr)


# ---- help and wrong use


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_chinese(command: str, tmp_path: Path) -> None:
    done = linli(tmp_path, command, "--help")
    assert done.returncode == 0
    assert not done.stderr
    described = [line for line in done.stdout.splitlines() if line.strip() and "Usage" not in line]
    assert CHINESE.search(described[0])
    assert not list(tmp_path.iterdir()), "asking for help leaves nothing behind"


def test_the_whole_explains_itself_and_names_every_command(tmp_path: Path) -> None:
    done = linli(tmp_path, "--help")
    assert done.returncode == 0
    assert set(re.findall(r"^  ([a-z]+) {2,}\S*[\u4e00-\u9fff]", done.stdout, re.M)) == set(COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("run", "--dance"),
        ("run", "now"),
        ("parse",),
        ("parse", "--slot", "time", "明天"),
        ("invite",),
        ("invite", "--community", "xingfuli", "--role", "king"),
        ("invite", "--community", "nowhere", "--role", "resident"),
        ("invite", "--community", "xingfuli", "--role", "resident", "--home", "在那边"),
        ("invite", "--community", "xingfuli", "--role", "resident", "--home", "99-1-101"),
        ("invite", "--community", "xingfuli", "--role", "staff", "--trade", "跳舞"),
        ("import",),
        ("import", "nothing.csv", "--community", "xingfuli"),
        ("backup",),
        ("restore", "nothing.db"),
        ("chat", "--dance"),
    ],
    ids=" ".join,
)
def test_a_wrong_use_is_one_line_and_two(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert fails(tmp_path, *arguments, code=2)


# ---- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINLI_PORT", "abc"),
        ("LINLI_PORT", "70000"),
        ("LINLI_CLOCK_SPEED", "0"),
        ("LINLI_CLOCK_SPEED", "fast"),
        ("LINLI_CLOCK_START", "tomorrow"),
    ],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str, tmp_path: Path) -> None:
    said = fails(tmp_path, "run", code=2, **{name: value})
    assert name in said
    assert CHINESE.search(said)


def test_a_file_of_settings_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LINLI_PORT=abc\n", encoding="utf-8")
    assert "LINLI_PORT" in fails(tmp_path, "run", code=2)


def no_communities(folder: Path) -> dict[str, str]:
    return {"LINLI_COMMUNITY_DIR": str(folder / "nowhere")}


def broken_community(folder: Path) -> dict[str, str]:
    (folder / "ours.toml").write_text('name = "我们的\n', encoding="utf-8")
    return {"LINLI_COMMUNITY_DIR": str(folder)}


def unknown_table(folder: Path) -> dict[str, str]:
    (folder / "ours.toml").write_text('name = "我们的"\n[prices]\n', encoding="utf-8")
    return {"LINLI_COMMUNITY_DIR": str(folder)}


def building_without_quotes(folder: Path) -> dict[str, str]:
    (folder / "ours.toml").write_text('name = "我们的"\n[buildings]\nnumbers = [1]\n', encoding="utf-8")
    return {"LINLI_COMMUNITY_DIR": str(folder)}


def database_in_a_file(folder: Path) -> dict[str, str]:
    """No folder can be made there, whoever asks: root may write nearly everywhere."""
    (folder / "file").touch()
    return {"LINLI_DATABASE_URL": f"sqlite://{folder}/file/linli.db"}


def database_of_letters(folder: Path) -> dict[str, str]:
    (folder / "linli.db").write_text("not a database, only letters\n" * 100, encoding="utf-8")
    return {"LINLI_DATABASE_URL": f"sqlite://{folder}/linli.db"}


def database_of_nobody(_: Path) -> dict[str, str]:
    return {"LINLI_DATABASE_URL": "postgres://nobody:pw@127.0.0.1:9/linli"}


def unknown_database(_: Path) -> dict[str, str]:
    return {"LINLI_DATABASE_URL": "oracle://here/linli"}


def host_of_others(_: Path) -> dict[str, str]:
    return {"LINLI_HOST": "192.0.2.1"}


@pytest.mark.parametrize(
    "trouble",
    [
        no_communities,
        broken_community,
        unknown_table,
        building_without_quotes,
        database_in_a_file,
        database_of_letters,
        database_of_nobody,
        unknown_database,
        host_of_others,
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_line(
    trouble: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    done = linli(tmp_path, "run", **({"LINLI_PORT": "0"} | trouble(tmp_path)))
    assert done.returncode not in {0, -9}, done.stdout
    assert "Traceback" not in done.stderr
    assert CHINESE.search(one_line(done.stderr))


def test_a_port_that_is_taken_is_said(house: Service, tmp_path: Path) -> None:
    port = house.address.rstrip("/").rpartition(":")[2]
    assert port in fails(tmp_path, "run", LINLI_PORT=port)


# ---- the service


def test_the_service_prints_its_address_and_answers(house: Service) -> None:
    assert f"邻里已启动：{house.address}" in house.said()
    assert get(house.address + "healthz") == (200, "ok\n")
    assert get(house.address + "readyz") == (200, "ok\n")
    status, metrics = get(house.address + "metrics")
    assert status == 200
    assert re.search(r"^# TYPE \S+", metrics, re.M)
    status, page = get(house.address)
    assert status == 200
    assert "<!doctype html>" in page
    assert get(house.address + "nowhere")[0] == 404


def test_the_service_ends_when_told_and_begins_again_where_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        with serving(tmp_path, "--demo") as service:
            assert get(service.address + "readyz")[0] == 200
            assert service.stop() == 0
            assert "Traceback" not in service.said()
    with closing(sqlite3.connect(tmp_path / "data/linli.db")) as database:
        assert database.execute("select count(*) from person where name = '王芳'").fetchone() == (1,)
    assert (tmp_path / "data/secret.key").stat().st_mode & 0o077 == 0


def test_only_one_service_at_a_database(house: Service) -> None:
    folder = house.output.parent
    assert CHINESE.search(fails(folder, "run", LINLI_PORT="0"))
    assert get(house.address + "readyz")[0] == 200


# ---- parse, check, doctor


def test_parse_explains_a_sentence(tmp_path: Path) -> None:
    done = linli(tmp_path, "parse", "厨房水管漏水了，麻烦派人来看看")
    assert done.returncode == 0
    assert "repair.report" in done.stdout
    assert "厨房" in done.stdout


def test_parse_answers_every_line_even_a_bad_one(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": "a", "text": "厨房水管漏水了", "now": "2026-03-04T10:00"}),
        "not json",
        json.dumps({"id": 3}),
        json.dumps({"id": "b", "text": "接 12", "role": "staff", "group": False}),
    ]
    done = linli(tmp_path, "parse", "--jsonl", said="\n".join(lines) + "\n")
    assert done.returncode == 0
    first, second, third, fourth = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["id"], first["intent"], first["slots"]["category"]) == ("a", "repair.report", "plumbing")
    assert set(second) == set(third) == {"error"}
    assert (fourth["id"], fourth["intent"], fourth["slots"]) == ("b", "ticket.accept", {"ref": 12})


def test_parse_finds_one_slot_whatever_the_text_is_about(tmp_path: Path) -> None:
    line = json.dumps({"id": 1, "text": "明天下午三点来", "now": "2026-03-04T10:00"})
    done = linli(tmp_path, "parse", "--jsonl", "--slot", "time", said=line)
    (found,) = json.loads(done.stdout)["found"]
    assert found["start"].startswith("2026-03-05T15:00")
    assert found["span"][0] == 0


def test_check_is_content_with_what_we_ship_and_leaves_nothing(tmp_path: Path) -> None:
    done = linli(tmp_path, "check")
    assert (done.returncode, done.stdout) == (0, "都好。\n")
    assert not list(tmp_path.iterdir())


def test_check_names_a_fault_in_a_line_of_its_own(tmp_path: Path) -> None:
    done = linli(tmp_path, "check", **broken_community(tmp_path))
    assert done.returncode == 1
    assert "ours.toml" in one_line(done.stdout)


def test_doctor_goes_through_everything(tmp_path: Path) -> None:
    done = linli(tmp_path, "doctor")
    assert done.returncode == 0
    assert all(line.startswith("✓ ") for line in done.stdout.splitlines()), done.stdout
    assert "数据库" in done.stdout


def test_doctor_says_what_to_do(tmp_path: Path) -> None:
    done = linli(tmp_path, "doctor", **database_of_letters(tmp_path))
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("✗ ")]
    assert "Traceback" not in done.stderr


def test_migrate_says_what_it_did_and_that_nothing_is_left(tmp_path: Path) -> None:
    first, second = linli(tmp_path, "migrate"), linli(tmp_path, "migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "已升级" in first.stdout
    assert second.stdout == "已经是最新的。\n"


# ---- the office


def test_an_invite_is_a_code_to_send(tmp_path: Path) -> None:
    given = ("--community", "xingfuli", "--role", "staff", "--name", "老周", "--trade", "水电")
    codes = {one_line(linli(tmp_path, "invite", *given).stdout) for _ in range(3)}
    assert len(codes) == 3
    assert all(re.fullmatch(r"[0-9A-Z]{6,}", code) for code in codes)


def test_a_list_is_entered_once(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(LIST, encoding="utf-8")
    command = ("import", str(file), "--community", "xingfuli")
    assert "2" in one_line(linli(tmp_path, *command, "--dry-run").stdout)
    assert "新增 2 人" in one_line(linli(tmp_path, *command).stdout)
    assert "新增 0 人，已有 2 人" in one_line(linli(tmp_path, *command).stdout)


@pytest.mark.parametrize("kind", ["gb18030", "xlsx", "tabs"])
def test_a_list_comes_as_offices_keep_it(kind: str, tmp_path: Path) -> None:
    file = tmp_path / ("list.xlsx" if kind == "xlsx" else "list.csv")
    if kind == "xlsx":
        book = Workbook()
        assert book.active is not None
        for row in LIST.splitlines():
            book.active.append([int(cell) if cell.isdigit() else cell for cell in row.split(",")])
        book.save(file)
    else:
        file.write_bytes(LIST.encode("gb18030") if kind == "gb18030" else LIST.replace(",", "\t").encode())
    done = linli(tmp_path, "import", str(file), "--community", "xingfuli")
    assert "新增 2 人" in one_line(done.stdout), done.stderr


def test_rows_that_cannot_be_are_named_and_the_rest_is_entered(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(LIST + "99,1,101,张三,\n8,1,304,,\n8,1,304,李四,12\n", encoding="utf-8")
    done = linli(tmp_path, "import", str(file), "--community", "xingfuli")
    assert done.returncode == 1
    *faults, total = done.stdout.splitlines()
    assert [line.split("：")[0] for line in faults] == ["第 4 行", "第 5 行", "第 6 行"]
    assert "新增 2 人" in total
    assert "3 行" in total


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("你好\n", encoding="utf-8")
    (tmp_path / "list.xlsx").write_text("你好\n", encoding="utf-8")
    for name in ("list.csv", "list.xlsx"):
        assert CHINESE.search(fails(tmp_path, "import", name, "--community", "xingfuli", code=2))


def test_a_backup_of_the_running_house_brings_it_back(tmp_path: Path) -> None:
    with serving(tmp_path, "--demo") as service:
        said = {"id": "0123456789", "as": "wangfang", "text": "厨房水管漏水了"}
        request = urllib.request.Request(
            service.address + "api/chat/wangfang/messages",
            json.dumps(said).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        assert linli(tmp_path, "backup", "kept.db").returncode == 0
        assert [one.name for one in tmp_path.glob("kept*")] == ["kept.db"]
        assert service.stop() == 0
    (tmp_path / "data/linli.db").write_text("spoilt", encoding="utf-8")
    done = linli(tmp_path, "restore", "kept.db")
    assert done.returncode == 0, done.stderr
    with serving(tmp_path, "--demo") as service:
        status, history = get(service.address + "api/chat/wangfang/messages")
        assert status == 200
        assert "已报修 #1" in json.loads(history)["messages"][1]["text"]
        assert service.stop() == 0


def test_nothing_is_restored_under_a_running_house(house: Service, tmp_path: Path) -> None:
    """It would go on writing into the file that was put aside."""
    folder, kept = house.output.parent, str(tmp_path / "kept.db")
    assert linli(folder, "backup", kept).returncode == 0
    assert CHINESE.search(fails(folder, "restore", kept))
    assert not list((folder / "data").glob("*.before-restore*"))


def test_only_a_backup_is_restored(tmp_path: Path) -> None:
    (tmp_path / "letters.db").write_text("letters\n" * 1000, encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("create table something (name text)")
    assert linli(tmp_path, "migrate").returncode == 0
    before = (tmp_path / "data/linli.db").read_bytes()
    for name in ("letters.db", "other.db"):
        assert name in fails(tmp_path, "restore", name)
    assert (tmp_path / "data/linli.db").read_bytes() == before


def test_a_backup_that_cannot_be_says_so(tmp_path: Path) -> None:
    assert CHINESE.search(fails(tmp_path, "backup", "kept.db"))
    assert linli(tmp_path, "migrate").returncode == 0
    assert CHINESE.search(fails(tmp_path, "backup", str(tmp_path / "nowhere/kept.db")))
