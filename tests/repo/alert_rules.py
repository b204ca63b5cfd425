"""Prometheus's rules, made from `deploy/objectives.toml`."""

from collections.abc import Iterator

from tests.repo.objectives import Burn, Objective, Promises, Symptom, promises

PAGE = "docs/howto/observability.md"
RATIO = "laydown:objective_errors:ratio_rate"


def alerts_file() -> str:
    """Return `deploy/prometheus/alerts.yaml`."""
    return "\n".join(_lines(promises())) + "\n"


def alert_of(objective: Objective, burn: Burn) -> str:
    """Return the name of the alert for a budget that burns."""
    return f"Laydown{objective.key.capitalize()}Budget{burn.name.capitalize()}"


def anchor_of(alert: str) -> str:
    """Return where the page explains an alert."""
    return f"{PAGE}#{alert.lower()}"


def _lines(said: Promises) -> Iterator[str]:
    yield "# Made from deploy/objectives.toml by `make docs`; change that. Add the file to"
    yield "# `rule_files` in Prometheus's configuration."
    yield "groups:"
    yield "  - name: laydown-objectives"
    yield "    rules:"
    for objective in said.objectives:
        for window in said.windows:
            yield f"      - record: {RATIO}{window}"
            yield f"        expr: {_text(_ratio(objective, window))}"
            yield "        labels:"
            yield f"          objective: {objective.key}"
    for objective in said.objectives:  # in one group: it goes from top to bottom
        for burn in said.burns:
            yield from _budget(objective, burn)
    yield "  - name: laydown-symptoms"
    yield "    rules:"
    for symptom in said.symptoms:
        yield from _symptom(symptom)


def _ratio(objective: Objective, window: str) -> str:
    bad, total = objective.bad.promql, objective.total.promql
    return f"(sum(rate({bad}[{window}])) or vector(0)) / sum(rate({total}[{window}]))"


def _budget(objective: Objective, burn: Burn) -> Iterator[str]:
    most = f"{burn.factor:g} * {objective.budget}"
    sides = [
        f'{RATIO}{window}{{objective="{objective.key}"}} > {most}'
        for window in (burn.long, burn.short)
    ]
    if objective.least:
        count = f"sum(increase({objective.total.promql}[{burn.long}]))"
        sides.append(f"on () {count} >= {objective.least}")
    yield from _alert(
        alert_of(objective, burn),
        " and ".join(sides),
        severity=burn.severity,
        summary=burning(objective, burn),
        action=objective.action,
    )


def burning(objective: Objective, burn: Burn) -> str:
    """Return what an alert for a budget says."""
    return (
        f"{objective.title}: the error budget burns {burn.factor:g} times too fast, seen over "
        f"{burn.long} and {burn.short}."
    )


def _symptom(symptom: Symptom) -> Iterator[str]:
    yield from _alert(
        f"Laydown{symptom.name}",
        symptom.promql,
        severity=symptom.severity,
        summary=symptom.says,
        action=symptom.action,
        hold=symptom.hold,
    )


def _alert(
    name: str, expr: str, *, severity: str, summary: str, action: str, hold: str | None = None
) -> Iterator[str]:
    yield f"      - alert: {name}"
    yield f"        expr: {_text(expr)}"
    if hold is not None:
        yield f"        for: {hold}"
    yield "        labels:"
    yield f"          severity: {severity}"
    yield "        annotations:"
    yield f"          summary: {_text(summary)}"
    yield f"          action: {_text(action)}"
    yield f"          runbook: {_text(anchor_of(name))}"


def _text(text: str) -> str:
    """Return a string of one line as YAML has it between single quotes."""
    return "'" + text.replace("'", "''") + "'"
