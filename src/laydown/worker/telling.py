"""Where a worker's loops say what they do."""

from typing import Protocol

from laydown.observe import LogEvent, Metric


class Numbers(Protocol):
    """Where the worker's metrics go."""

    def count(self, metric: Metric, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        ...

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Give a gauge its value."""
        ...

    def forget(self, metric: Metric) -> None:
        """Have a gauge be nowhere to be seen, until it is set again."""
        ...

    def time(self, metric: Metric, seconds: float, **labels: str) -> None:
        """Add an observation to a histogram."""
        ...


class Words(Protocol):
    """Where the worker's log goes."""

    def warning(self, event: LogEvent, **fields: object) -> None:
        """Log something an operator may want to know."""
        ...

    def error(
        self, event: LogEvent, *, error: BaseException | None = None, **fields: object
    ) -> None:
        """Log something an operator must look at."""
        ...
