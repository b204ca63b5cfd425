"""How long to wait before starting again what just failed."""


def delay_after(failures: int, *, first: float = 1.0, longest: float = 15.0) -> float:
    """Return the seconds to wait after that many failures in a row: doubled each time."""
    return min(first * 2.0 ** (min(failures, 32) - 1), longest)
