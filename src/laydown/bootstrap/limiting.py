"""What holds callers to their limits, composed from settings."""

from dataclasses import dataclass

from laydown import observe
from laydown.bootstrap.database import Database
from laydown.services.audience import Audience
from laydown.services.rating import Rating
from laydown.services.replying import Replying
from laydown.settings import Settings
from laydown.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiting:
    """What stands between a caller and the use cases."""

    rating: Rating
    replying: Replying
    audience: Audience


def limiting_of(settings: Settings, database: Database, metrics: Metrics) -> Limiting:
    """Return the limits that these settings ask for; *metrics* are told whom they refuse."""

    def refused(limit: str) -> None:
        metrics.count(observe.REFUSED_REQUESTS, limit=limit)

    audience = Audience(
        refused=refused,
        most=settings.event_streams,
        most_of_caller=settings.event_streams_of_token,
    )
    metrics.follow(observe.EVENT_STREAMS, lambda: audience.size)
    return Limiting(
        rating=Rating(
            allowances=database.allowances,
            per_token=settings.rate_of_token,
            per_organization=settings.rate_of_organization,
            refused=refused,
        ),
        replying=Replying(
            replies=database.replies,
            life=settings.answers_kept,
            repeated=lambda: metrics.count(observe.REPEATED_ANSWERS),
        ),
        audience=audience,
    )
