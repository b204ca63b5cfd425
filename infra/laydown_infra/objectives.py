"""What laydown promises, read from `deploy/objectives.toml`, as Prometheus's rules are."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "deploy" / "objectives.toml"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One metric, and the values that some of its labels must have."""

    metric: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How fast an error budget must burn, over two windows, for somebody to be told."""

    name: str
    is_urgent: bool
    long: timedelta
    short: timedelta
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise, and what counts against it."""

    name: str
    promise: str
    target: float
    least: float  # of the total in a window, below which nothing is said
    bad: Selection
    total: Selection
    action: str

    @property
    def budget(self) -> float:
        """The ratio of failures that keeps the promise exactly."""
        return 1 - self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is wrong at once, whatever the budgets say."""

    name: str
    is_urgent: bool
    selection: Selection
    statistic: str  # CloudWatch's name for how to make one number of many
    above: float | None
    below: float | None
    is_missing: bool  # whether silence is the symptom
    growth: timedelta | None  # of a counter, in so long
    hold: timedelta
    says: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """All of the file."""

    burns: tuple[Burn, ...]
    objectives: tuple[Objective, ...]
    symptoms: tuple[Symptom, ...]

    @property
    def selections(self) -> tuple[Selection, ...]:
        """Everything that is measured against."""
        return (
            *(each for objective in self.objectives for each in (objective.bad, objective.total)),
            *(symptom.selection for symptom in self.symptoms),
        )


def read() -> Objectives:
    """Return what the file says; raises `KeyError` for what it lacks."""
    given = tomllib.loads(_FILE.read_text())
    return Objectives(
        burns=tuple(_burn(each) for each in given["burns"]),
        objectives=tuple(_objective(name, each) for name, each in given["objectives"].items()),
        symptoms=tuple(_symptom(each) for each in given["symptoms"]),
    )


def _burn(given: Mapping[str, Any]) -> Burn:
    return Burn(
        name=given["name"],
        is_urgent=given["severity"] == "page",
        long=_span(given["long"]),
        short=_span(given["short"]),
        factor=given["factor"],
    )


def _objective(name: str, given: Mapping[str, Any]) -> Objective:
    return Objective(
        name=name,
        promise=given["promise"],
        target=given["target"],
        least=given["least"],
        bad=_selection(given["bad"]),
        total=_selection(given["total"]),
        action=given["action"],
    )


def _symptom(given: Mapping[str, Any]) -> Symptom:
    growth = given.get("growth")
    return Symptom(
        name=given["name"],
        is_urgent=given["severity"] == "page",
        selection=_selection(given["selection"]),
        statistic="Sum"
        if growth
        else {"max": "Maximum", "min": "Minimum", "sum": "Sum"}[given["over"]],
        above=given.get("above"),
        below=given.get("below"),
        is_missing=given.get("missing", False),
        growth=_span(growth) if growth else None,
        hold=_span(given["hold"]),
        says=given["says"],
        action=given["action"],
    )


def _selection(given: Mapping[str, Any]) -> Selection:
    return Selection(metric=given["metric"], labels=dict(given["labels"]))


def _span(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
