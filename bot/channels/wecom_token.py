"""The token of a WeCom app, for every door that calls as the app (WeCom doc 91039)."""

from __future__ import annotations

import asyncio

from bot.channels.wechat_api import TokenStore, WeChatApi, trouble


def app_tokens(api: WeChatApi, corp_id: str, secret: str) -> TokenStore:
    """The same token comes back while it is good, whoever asks: several doors may each have a store."""

    async def fetch(_: bool) -> tuple[str, float]:
        asked = {"corpid": corp_id, "corpsecret": secret}
        answer = await api.call("/cgi-bin/gettoken", params=asked)
        return str(answer["access_token"]), float(answer.get("expires_in", 7200))

    return TokenStore(fetch)


async def refusal(tokens: TokenStore, name: str) -> str:
    """For a channel's `probe`: "" when the app is let in, else what to do."""
    try:
        await asyncio.wait_for(tokens.get(), 4)
    except Exception as problem:
        return app_trouble(problem, name)
    return ""


def app_trouble(problem: Exception, name: str) -> str:
    """What to do about a failed call of the app, in one line."""
    return trouble(problem, name, key_in="LINLI_WECOM_SECRET", id_in="LINLI_WECOM_CORP_ID")
