"""The names, keys and secrets of a pretended WeChat, and the settings that tell the service about them."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass

#: The channels whose settings `Credentials.environment` can give.
PARTS = ("oa", "wecom", "webhook", "aibot", "gateway")


def aes_key(secret: bytes) -> str:
    """An EncodingAESKey (43 characters) of 32 bytes."""
    return base64.b64encode(secret).decode().rstrip("=")


@dataclass(frozen=True)
class Credentials:
    """Invented, and the same in every run: a secret that turns up in a log is easy to look for."""

    oa_id: str = "gh_5e1f0a7c9b32"
    oa_app_id: str = "wx51a0c0ffee51a0c0"
    oa_app_secret: str = "oa-app-secret-of-nobody-0123456789ab"
    oa_token: str = "oatokenofnobody1"
    oa_aes_key: str = aes_key(b"official account key of nobody 1")
    corp_id: str = "ww51a0c0ffee51a0c0"
    agent_id: int = 1000002
    wecom_secret: str = "wecom-secret-of-nobody-0123456789abcdefghij"
    wecom_token: str = "wecomtokenofnobody1"
    wecom_aes_key: str = aes_key(b"wecom application key of nobody1")
    #: Group robots by name.
    webhooks: tuple[tuple[str, str], ...] = (("物业群", "693a91f6-7a00-4bc4-97a0-0ec2b6bd8e5a"),)
    aibot_id: str = "aib51a0c0ffee51a0c0"
    aibot_secret: str = "aibot-secret-of-nobody-0123456789"
    aibot_token: str = "aibottokenofnobody1"
    aibot_aes_key: str = aes_key(b"smart robot callback key nobody1")
    aibot_name: str = "邻里"
    open_kfid: str = "wk51a0C0FFEE51a0C0FFEE51a0C0FFEE"

    def environment(self, base: str, parts: Collection[str] = PARTS) -> dict[str, str]:
        """The LINLI_* settings of these channels, for a far side at `base` (http://host:port)."""
        hooks = self.webhooks
        settings = {
            "oa": {
                "LINLI_WECHAT_OA_APP_ID": self.oa_app_id,
                "LINLI_WECHAT_OA_APP_SECRET": self.oa_app_secret,
                "LINLI_WECHAT_OA_TOKEN": self.oa_token,
                "LINLI_WECHAT_OA_AES_KEY": self.oa_aes_key,
            },
            "wecom": {
                "LINLI_WECOM_CORP_ID": self.corp_id,
                "LINLI_WECOM_AGENT_ID": str(self.agent_id),
                "LINLI_WECOM_SECRET": self.wecom_secret,
                "LINLI_WECOM_TOKEN": self.wecom_token,
                "LINLI_WECOM_AES_KEY": self.wecom_aes_key,
            },
            "webhook": {
                "LINLI_WECOM_WEBHOOK_KEY": hooks[0][1]
                if len(hooks) == 1
                else ",".join(f"{name}={key}" for name, key in hooks),
            },
            "aibot": {
                "LINLI_WECOM_AIBOT_TOKEN": self.aibot_token,
                "LINLI_WECOM_AIBOT_AES_KEY": self.aibot_aes_key,
            },
            "gateway": {
                "LINLI_WECOM_AIBOT_ID": self.aibot_id,
                "LINLI_WECOM_AIBOT_SECRET": self.aibot_secret,
                "LINLI_WECOM_AIBOT_WS_URL": gateway_of(base),
            },
        }
        bases = {"LINLI_WECHAT_API_BASE": base, "LINLI_WECOM_API_BASE": base}
        return bases | {name: value for part in parts for name, value in settings[part].items()}


def gateway_of(base: str) -> str:
    """Where the long connection of a far side at `base` is."""
    return base.replace("http", "ws", 1) + "/aibot/ws"


#: Whom every pretended WeChat belongs to, unless a test says otherwise.
NOBODY = Credentials()
