"""The token of a WeCom app, for every door that calls as the app (WeCom doc 91039)."""

from __future__ import annotations

from bot.channels.wechat_api import TokenStore, WeChatApi, trouble


def app_tokens(api: WeChatApi, corp_id: str, secret: str) -> TokenStore:
    """The same token comes back while it is good, whoever asks: several doors may each have a store."""

    async def fetch(_: bool) -> tuple[str, float]:
        asked = {"corpid": corp_id, "corpsecret": secret}
        answer = await api.call("/cgi-bin/gettoken", params=asked)
        return str(answer["access_token"]), float(answer.get("expires_in", 7200))

    return TokenStore(fetch)


def app_trouble(problem: Exception) -> str:
    """For a channel's `probe`: what to do about a failed call of the app, in one line."""
    return trouble(problem, "企业微信", key_in="LINLI_WECOM_SECRET", id_in="LINLI_WECOM_CORP_ID")
