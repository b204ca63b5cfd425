"""What the way in has done, for metrics to read at any time."""

from collections import Counter
from dataclasses import dataclass, field

from laydown.domain.upload import PartOutcome


@dataclass(slots=True)
class IntakeStats:
    """Counts since the start; only the event loop writes them."""

    bodies: int = 0  # admitted
    bytes_received: int = 0  # of bodies that ended, well or not
    outcomes: Counter[PartOutcome] = field(default_factory=Counter)
    groups: int = 0
    grouped: int = 0  # parts in all groups; divided by groups: their mean size
    largest_group: int = 0  # parts
    durable_seconds: float = 0.0  # writing, placing and flushing groups
    ledger_seconds: float = 0.0  # recording them
