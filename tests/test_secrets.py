"""Secrets that are changed while the house is at work, half given, or half written."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from bot.channels.wechat_envelope import Secret, secrets_of
from bot.config import Fresh, Settings
from bot.doors import Misconfigured, open_doors, rotating, whole
from bot.logs import Masked
from tests.house import open_house

KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


def pairs(settings: Settings) -> tuple[Secret, ...]:
    return secrets_of(settings.wechat_oa_token or "", settings.wechat_oa_aes_key or "")


def write(path: Path, text: str, at: int) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at, at))


def test_a_secret_changed_in_the_file_is_in_force_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = tmp_path / ".env"
    write(env, f"LINLI_WECHAT_OA_TOKEN=old1\nLINLI_WECHAT_OA_AES_KEY={KEY}\n", 1000)
    read = rotating(Fresh(Settings()), pairs)
    assert [one.token for one in read()] == ["old1"]
    write(env, f"LINLI_WECHAT_OA_TOKEN=new1,old1\nLINLI_WECHAT_OA_AES_KEY={KEY}\n", 2000)
    assert [one.token for one in read()] == ["new1", "old1"]
    write(env, f"LINLI_WECHAT_OA_TOKEN=new1\nLINLI_WECHAT_OA_AES_KEY={KEY}\n", 3000)
    assert [one.token for one in read()] == ["new1"]


@pytest.mark.parametrize("broken", ["LINLI_WECHAT_OA_TOKEN=\n", "LINLI_WECHAT_OA_TOKEN=a b\n"])
def test_a_secret_that_is_no_secret_lets_nobody_in(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    env = tmp_path / ".env"
    write(env, f"LINLI_WECHAT_OA_TOKEN=old1\nLINLI_WECHAT_OA_AES_KEY={KEY}\n", 1000)
    read = rotating(Fresh(Settings()), pairs)
    write(env, broken + f"LINLI_WECHAT_OA_AES_KEY={KEY}\n", 2000)
    assert list(read()) == []


def test_a_file_that_cannot_be_read_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    env = tmp_path / ".env"
    write(env, "LINLI_PORT=81\n", 1000)
    fresh = Fresh(Settings())
    write(env, "LINLI_PORT=many\n", 2000)
    with caplog.at_level(logging.ERROR):
        assert fresh().port == 81
    write(env, "LINLI_PORT=82\n", 3000)
    assert fresh().port == 82


async def test_a_door_does_not_stand_half_open(tmp_path: Path) -> None:
    house = await open_house(f"sqlite://{tmp_path}/linli.db", channels=[])
    try:
        house.settings = house.settings.model_copy(update={"wechat_oa_app_id": "wx1"})
        with pytest.raises(Misconfigured, match="LINLI_WECHAT_OA_TOKEN"):
            open_doors(house, demo_people=False)
    finally:
        await house.close()


def test_a_door_is_open_with_all_its_settings_or_not_at_all() -> None:
    none = Settings(_env_file=None)  # type: ignore[call-arg]
    assert not whole("公众号", none, "wechat_oa_", "app_id", "token")
    both = none.model_copy(update={"wechat_oa_app_id": "wx1", "wechat_oa_token": "t"})
    assert whole("公众号", both, "wechat_oa_", "app_id", "token")


def test_no_secret_of_any_channel_is_in_a_log() -> None:
    names = [name for name in Settings.model_fields if name.endswith(("token", "secret", "_key"))]
    assert len(names) > 8
    given: dict[str, Any] = {name: f"secret-value-of-{name}" for name in names}
    settings = Settings(_env_file=None, **given)  # type: ignore[call-arg]
    masked = Masked(settings.secrets())
    for value in given.values():
        assert value not in masked.mask(f"calling with {value}")


def test_each_of_several_secrets_is_kept_out_of_the_log() -> None:
    settings = Settings(_env_file=None, wecom_webhook_key="物业群=693a91f6-7a00-4bc4,值班=0ec2b6bd8e5a")  # type: ignore[call-arg]
    line = Masked(settings.secrets()).mask("POST …?key=693a91f6-7a00-4bc4 and 0ec2b6bd8e5a")
    assert "693a91f6" not in line
    assert "0ec2b6bd8e5a" not in line
