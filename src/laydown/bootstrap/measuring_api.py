"""What the API says of requests, bodies and the disk in its metrics."""

import shutil
from http import HTTPStatus
from math import nan

from laydown import observe
from laydown.http.bytes import ByteDoor
from laydown.objects.disk import DiskStore
from laydown.objects.intake import Intake
from laydown.telemetry.metrics import Metrics

_CONTROL = "/v1/"
_ANSWERED, _REFUSED, _FAILED = "answered", "refused", "failed"


def follow_door(metrics: Metrics, intake: Intake, store: DiskStore, door: ByteDoor) -> None:
    """Have the numbers of the byte door, and of the disk it fills, be read."""
    stats = intake.stats
    metrics.follow(observe.BYTES_RECEIVED, lambda: stats.bytes_received)
    metrics.follow(observe.BODIES, lambda: stats.bodies)
    metrics.follow(observe.BODIES_IN_FLIGHT, lambda: intake.in_flight)
    metrics.follow_all(observe.BODIES_REFUSED, lambda: door.refusals)
    metrics.follow(observe.GROUPS, lambda: stats.groups)
    metrics.follow(observe.GROUPED_PARTS, lambda: stats.grouped)
    metrics.follow(observe.FLUSH_SECONDS, lambda: stats.durable_seconds)
    metrics.follow(observe.LEDGER_SECONDS, lambda: stats.ledger_seconds)
    metrics.follow(observe.STORE_HEALTHY, lambda: float(store.is_healthy))
    metrics.follow(observe.STORE_FREE, lambda: _free(store)[0])
    metrics.follow(observe.STORE_FREE_RATIO, lambda: _free(store)[1])


def begin(metrics: Metrics) -> None:
    """Have what objectives stand on begin with 0, so that its first growth is seen as such."""
    for result in (_ANSWERED, _REFUSED, _FAILED):
        metrics.count(observe.CONTROL_REQUESTS, 0, result=result)


def answered(metrics: Metrics, method: str, route: str, status: int, seconds: float) -> None:
    """Count a request that was answered with *status* after so many seconds."""
    metrics.count(observe.REQUESTS, method=method, route=route, status=str(status))
    metrics.time(observe.REQUEST_SECONDS, seconds, route=route)
    if route.startswith(_CONTROL):
        metrics.count(observe.CONTROL_REQUESTS, result=_result(status))


def _result(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _FAILED
    return _REFUSED if status >= HTTPStatus.BAD_REQUEST else _ANSWERED


def _free(store: DiskStore) -> tuple[float, float]:
    """Return the bytes free on a store's disk, and the part of it that this is."""
    try:
        room = shutil.disk_usage(store.layout.root)
    except OSError:
        return nan, nan
    return room.free, room.free / room.total
