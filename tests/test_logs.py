"""Logs: a JSON object a line, and nothing in them that must stay with us."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from bot.logs import Masked

TOKEN = "7000001:AAHk-pretended-token-of-nobody"


def written(message: str, *arguments: object, secrets: tuple[str, ...] = ()) -> dict[str, str]:
    record = logging.LogRecord("bot.test", logging.WARNING, __file__, 1, message, arguments, None)
    line = Masked(secrets).format(record)
    assert "\n" not in line
    loaded: dict[str, str] = json.loads(line)
    return loaded


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("手机 13800001234 打不通", "手机 138****1234 打不通"),
        ("身份证 11010519491231002X", "身份证 110105********002X"),
        (
            f"POST https://api.telegram.org/bot{TOKEN}/sendMessage",
            "POST https://api.telegram.org/bot***/sendMessage",
        ),
        ("GET /cgi-bin/token?access_token=abcdef&x=1", "GET /cgi-bin/token?access_token=***&x=1"),
    ],
)
def test_what_must_not_be_in_a_log_is_masked(message: str, shown: str) -> None:
    assert written(message)["what"] == shown


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    assert written("it said %s", "hush-hush-1", secrets=("hush-hush-1",))["what"] == "it said ***"


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError(f"refused for {TOKEN} and 13800001234")
    except ValueError:
        record = logging.LogRecord("bot.test", logging.ERROR, __file__, 1, "broke", (), sys.exc_info())
    line = Masked().format(record)
    assert TOKEN not in line
    assert "13800001234" not in line
    assert "138****1234" in json.loads(line)["trace"]
