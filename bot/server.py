"""The HTTP server: the channels' routes, and whether the house lives (/healthz), serves (/readyz), counts."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import web

log = logging.getLogger(__name__)

BODY = 1024 * 1024  # bytes
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def never_500(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What nobody foresaw is logged whole and answered 503 with one line: nothing was kept, say it again."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.status >= 400:
            return web.Response(status=exc.status, text=f"{exc.status} {exc.reason}\n", headers=_allow(exc))
        raise
    except (ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("%s %s broke", request.method, request.path)
        return web.Response(status=503, text="503 try again\n")


def _allow(exc: web.HTTPException) -> dict[str, str]:
    return {"Allow": exc.headers["Allow"]} if "Allow" in exc.headers else {}


async def neutral(_: web.Request, response: web.StreamResponse) -> None:
    """No word of what we are made of."""
    response.headers["Server"] = "linli"


def application(
    routes: Iterable[web.RouteDef],
    ready: Callable[[], Awaitable[Mapping[str, str]]],
    metrics: Callable[[], Awaitable[bytes]],
) -> web.Application:
    """`ready` gives a line a trouble by name, and nothing when all is well; `metrics` is Prometheus text."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        troubles = await ready()
        if not troubles:
            return web.Response(text="ok\n")
        lines = "".join(f"{name}: {what}\n" for name, what in troubles.items())
        return web.Response(status=503, text=lines)

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(
            body=await metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    app = web.Application(middlewares=[never_500], client_max_size=BODY)
    app.on_response_prepare.append(neutral)
    app.router.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", exposition),
            *routes,
        ]
    )
    return app
