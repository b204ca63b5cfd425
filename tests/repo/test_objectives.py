"""Rules and dashboards come from the objectives, name what exists, and fire when they should."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from laydown.observe import METRICS, Kind, Metric
from tests.repo.alert_rules import PAGE, alert_of, anchor_of, burning
from tests.repo.dashboard_panels import BOARDS
from tests.repo.objectives import DEPLOY, Burn, promises
from tests.repo.rendering import observing_files

SAID = promises()
RULES = DEPLOY / "prometheus" / "alerts.yaml"
BY_NAME = {metric.name: metric for metric in METRICS}
SCRAPED = frozenset({"instance", "job"})  # labels that Prometheus adds

_SELECTOR = re.compile(r"\b(laydown_[a-z_]+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\bby \(([^)]*)\)\(")


@pytest.fixture(scope="module")
def promtool() -> str:
    """Return Prometheus's own checker."""
    found = shutil.which("promtool")
    if found is None:
        missing = "there is no promtool: `make test` installs it, or `apt-get install prometheus`"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def checked(promtool: str, *arguments: str | Path) -> None:
    """Run it; fail with what it says."""
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions() -> Iterator[str]:
    """Yield every expression of every rule and dashboard."""
    yield from re.findall(r"^ +expr: '(.*)'$", RULES.read_text("utf-8"), re.MULTILINE)
    for board in BOARDS:
        for panel in board.panels:
            yield from (expr for _, expr in panel.series)


def declared(name: str) -> tuple[Metric, frozenset[str]]:
    """Return the metric that a series belongs to, and the labels that the series has."""
    for ending in ("_bucket", "_count", "_sum"):
        metric = BY_NAME.get(name.removesuffix(ending))
        if name.endswith(ending) and metric is not None and metric.kind is Kind.HISTOGRAM:
            extra = {"le"} if ending == "_bucket" else set()
            return metric, frozenset({*metric.labels, *extra})
    return BY_NAME[name], frozenset(BY_NAME[name].labels)


@pytest.mark.parametrize("path", observing_files(), ids=lambda path: path.name)
def test_what_is_made_from_the_objectives_is_fresh(path: Path):
    """Rules and dashboards are what `make docs` writes, to the letter."""
    assert path.read_text("utf-8") == observing_files()[path], "python -m tests.repo.rendering"


def test_nothing_else_is_beside_them():
    """No dashboard is left over that nobody makes any more."""
    found = {path for folder in ("grafana", "prometheus") for path in (DEPLOY / folder).iterdir()}
    assert found == set(observing_files())


@pytest.mark.parametrize("expr", sorted(set(expressions())))
def test_rules_and_dashboards_name_what_is_declared(expr: str):
    """Every metric exists, with every label that is selected or grouped by."""
    names = _SELECTOR.findall(expr)
    for name, wanted in names:
        _, labels = declared(name)
        chosen = {each.partition("=")[0].rstrip("!~") for each in wanted.split(",") if each}
        assert chosen <= labels, name
    grouped = {each.strip() for found in _GROUPED.findall(expr) for each in found.split(",")}
    known = frozenset().union(*(declared(name)[1] for name, _ in names), SCRAPED)
    assert grouped - {""} <= known
    assert names or "laydown:objective_errors:" in expr


@pytest.mark.parametrize("objective", SAID.objectives, ids=lambda each: each.key)
def test_an_objectives_selections_are_counters(objective):
    """What is divided only grows, and what is bad is part of the total."""
    for selection in (objective.bad, objective.total):
        metric = BY_NAME[selection.metric]
        assert metric.kind in {Kind.COUNTER, Kind.RUNNING}
        assert set(selection.labels) <= set(metric.labels)
    assert 0 < objective.target < 1


@pytest.mark.parametrize("symptom", SAID.symptoms, ids=lambda each: each.name)
def test_a_symptom_compares_what_it_may(symptom):
    """A counter is asked for its growth, a gauge for what it is; each alert has one condition."""
    metric = BY_NAME[symptom.selection.metric]
    assert (metric.kind is Kind.GAUGE) == (symptom.growth is None)
    assert sum([symptom.above is not None, symptom.below is not None, symptom.missing]) == 1
    assert set(symptom.selection.labels) <= set(metric.labels)


def test_every_alert_is_explained():
    """The page that alerts refer to has a heading for each."""
    page = (DEPLOY.parent / PAGE).read_text("utf-8")
    anchors = {f"{PAGE}#{head.lower()}" for head in re.findall(r"^#+ (\w+)$", page, re.MULTILINE)}
    alerts = [alert_of(each, burn) for each in SAID.objectives for burn in SAID.burns]
    alerts += [f"Laydown{symptom.name}" for symptom in SAID.symptoms]
    assert {anchor_of(alert) for alert in alerts} <= anchors


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.key)
def test_a_dashboard_is_as_grafana_takes_it(board):
    """Panels have ids of their own, lie on the grid without overlap, and ask the chosen source."""
    dashboard: dict[str, Any] = json.loads((DEPLOY / "grafana" / f"{board.key}.json").read_text())
    panels: Sequence[Mapping[str, Any]] = dashboard["panels"]
    assert dashboard["uid"] == f"laydown-{board.key}"
    assert len({panel["id"] for panel in panels}) == len(panels) == len(board.panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    [variable] = dashboard["templating"]["list"]
    for panel in panels:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["description"].endswith(".")
        for target in [panel, *panel["targets"]]:
            assert target["datasource"] == {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
        references = [target["refId"] for target in panel["targets"]]
        assert references == [chr(65 + n) for n in range(len(references))]
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def test_prometheus_takes_the_rules(promtool: str):
    """Its own checker finds nothing wrong with them."""
    checked(promtool, "check", "rules", RULES)


def test_prometheus_takes_what_dashboards_ask(promtool: str, tmp_path: Path):
    """Every panel's expression parses, with Grafana's variable filled in."""
    asked = [
        {
            "record": "laydown:asked",
            "expr": expr.replace("$__rate_interval", "5m"),
            "labels": {"n": str(n)},
        }
        for n, expr in enumerate(expressions())
    ]
    rules = tmp_path / "rules.yaml"  # JSON is YAML
    rules.write_text(json.dumps({"groups": [{"name": "asked", "rules": asked}]}))
    checked(promtool, "check", "rules", rules)


REQUESTS = 'laydown_control_requests_total{result="%s"}'
OBJECTIVE = SAID.objectives[0]
FAST, STEADY, SLOW = (burn.name for burn in SAID.burns)


@pytest.mark.parametrize(
    ("answered", "failed", "at", "firing"),
    [
        pytest.param("0+600x4400", "0x4319 0+60x80", "73h", {FAST, STEADY, SLOW}, id="burst"),
        pytest.param("0+600x4400", "0x4319 0+60x80", "72h20m", {FAST}, id="short burst"),
        pytest.param("0+600x4400", "0x4200 0+60x10 600x180", "72h30m", set(), id="it is over"),
        pytest.param("0+600x4400", "0+0.9x4400", "73h", {SLOW}, id="slow leak"),
        pytest.param("0+600x4400", "0+0.3x4400", "73h", set(), id="within the budget"),
        pytest.param("0x4320 1x70", "0x4330 1x60", "72h20m", set(), id="quiet, and one fails"),
        pytest.param("0x300", "0x300", "5h", set(), id="silence"),
    ],
)
def test_budgets_fire_when_they_burn(promtool, tmp_path, answered, failed, at, firing):
    """A burst of errors fires fast, a slow leak slowly, and quiet traffic not at all."""
    series = {"answered": answered, "failed": failed}  # a value a minute
    test = {
        "interval": "1m",
        "input_series": [
            {"series": REQUESTS % result, "values": values} for result, values in series.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": alert_of(OBJECTIVE, burn),
                "exp_alerts": [_alert(burn)] if burn.name in firing else [],
            }
            for burn in SAID.burns
        ],
    }
    file = tmp_path / "test.yaml"
    whole = {"rule_files": [str(RULES)], "evaluation_interval": "10m", "tests": [test]}
    file.write_text(json.dumps(whole))
    checked(promtool, "test", "rules", file)


def _alert(burn: Burn) -> Mapping[str, Any]:
    """Return an alert as Prometheus sends it."""
    return {
        "exp_labels": {"severity": burn.severity, "objective": OBJECTIVE.key},
        "exp_annotations": {
            "summary": burning(OBJECTIVE, burn),
            "action": OBJECTIVE.action,
            "runbook": anchor_of(alert_of(OBJECTIVE, burn)),
        },
    }
