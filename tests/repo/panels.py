"""What a dashboard is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

GOOD_BELOW = ("green", "red")
GOOD_ABOVE = ("red", "green")
RATE = "$__rate_interval"  # Grafana's: long enough for the scrape interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. A series is its legend and its expression."""

    title: str
    says: str
    unit: str
    series: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    width: int = 12
    floor: float | None = 0
    limit: float | None = None  # where the colour changes
    colors: tuple[str, str] = GOOD_BELOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    key: str
    title: str
    says: str
    panels: Sequence[Panel]
    span: str = "6h"


def rate(metric: str, *by: str, where: str = "") -> str:
    """Return how fast a counter grows a second, by these labels."""
    total = f"sum by ({', '.join(by)})" if by else "sum"
    return f"{total}(rate({metric}{where}[{RATE}]))"


def by_group(metric: str) -> str:
    """Return what a group that shares a commit had of it."""
    return f"{rate(metric)} / {rate('laydown_commit_groups_total')}"


def quantile(part: str, histogram: str, *by: str) -> str:
    """Return what such a part of all observations doesn't exceed, by these labels."""
    labels = ", ".join(("le", *by))
    rates = f"sum by ({labels})(rate({histogram}_bucket[{RATE}]))"
    return f"histogram_quantile({part}, {rates})"


def quantiles(histogram: str) -> Sequence[tuple[str, str]]:
    """Return the series of what is usual, and of what is slow."""
    return [(f"{part} of all", quantile(part, histogram)) for part in ("0.5", "0.95", "0.99")]
