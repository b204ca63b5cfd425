"""`deploy/objectives.toml` as values, and its selections as PromQL."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).parents[2] / "deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One metric, and the values that its labels must equal."""

    metric: str
    labels: Mapping[str, str]

    @property
    def promql(self) -> str:
        """The selector."""
        wanted = ",".join(f'{name}="{value}"' for name, value in sorted(self.labels.items()))
        return f"{self.metric}{{{wanted}}}" if wanted else self.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How fast an error budget burns when somebody is told."""

    name: str
    severity: str
    long: str
    short: str
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise with a number."""

    key: str
    title: str
    promise: str
    target: float
    window: str
    least: int
    unit: str
    bad: Selection
    total: Selection
    action: str

    @property
    def budget(self) -> str:
        """The part that may fail, as a decimal fraction."""
        return f"{1 - self.target:.10f}".rstrip("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something that is wrong at once."""

    name: str
    severity: str
    selection: Selection
    hold: str
    says: str
    action: str
    over: str | None = None
    growth: str | None = None
    above: float | None = None
    below: float | None = None
    missing: bool = False

    @property
    def promql(self) -> str:
        """The condition."""
        if self.missing:
            return f"absent({self.selection.promql})"
        value = f"{self.over}({self.selection.promql})"
        if self.growth is not None:
            value = f"sum(increase({self.selection.promql}[{self.growth}]))"
        if self.above is not None:
            return f"{value} > {self.above:g}"
        assert self.below is not None
        return f"{value} < {self.below:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """All of the file."""

    burns: Sequence[Burn]
    objectives: Sequence[Objective]
    symptoms: Sequence[Symptom]

    @property
    def windows(self) -> Sequence[str]:
        """Every window over which an error ratio is looked at, the shortest first."""
        seconds = {"m": 60, "h": 3_600, "d": 86_400}
        found = {window for burn in self.burns for window in (burn.short, burn.long)}
        return sorted(found, key=lambda window: int(window[:-1]) * seconds[window[-1]])


def promises() -> Promises:
    """Read the file; a key that nobody knows is an error."""
    with (DEPLOY / "objectives.toml").open("rb") as file:
        said = tomllib.load(file)
    return Promises(
        burns=[Burn(**burn) for burn in said.pop("burns")],
        objectives=[
            Objective(key=key, **_selecting(table, "bad", "total"))
            for key, table in said.pop("objectives").items()
        ],
        symptoms=[Symptom(**_selecting(table, "selection")) for table in said.pop("symptoms")],
        **said,
    )


def _selecting(table: dict[str, Any], *names: str) -> dict[str, Any]:
    return table | {name: Selection(**table[name]) for name in names}
