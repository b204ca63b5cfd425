"""Obstacles that a small server puts in the way when it is told to."""

from collections.abc import Callable

from aiohttp import web

Obstacle = Callable[[web.Request], web.StreamResponse | None]


class Disturbed:
    """A server that answers some requests otherwise than it should."""

    def __init__(self) -> None:
        self._obstacles: list[Obstacle] = []

    def order(
        self, method: str, path: str, answer: Callable[[], web.Response | None], times: int = 1
    ) -> None:
        """Have the next such requests answered so; None cuts the connection."""
        left = times

        def obstacle(request: web.Request) -> web.StreamResponse | None:
            nonlocal left
            if not left or request.method != method or path not in request.path:
                return None
            left -= 1
            said = answer()
            if said is not None:
                return said
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self._obstacles.append(obstacle)

    def disturbance(self, request: web.Request) -> web.StreamResponse | None:
        """Return what was ordered for this request, None when nothing was."""
        for obstacle in self._obstacles:
            if (answer := obstacle(request)) is not None:
                return answer
        return None
