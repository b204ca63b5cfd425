"""The page of metrics is what is declared, and everything declared is used."""

import ast
import re
from pathlib import Path

import pytest

import laydown
from laydown import observe
from laydown.observe import METRICS, Kind, LogEvent, Metric
from laydown.telemetry.metrics import Metrics
from tests.repo.operating_pages import metrics_page
from tests.repo.rendering import REFERENCE

SOURCE = Path(laydown.__file__).parent
CODE = "\n".join(
    path.read_text("utf-8") for path in SOURCE.rglob("*.py") if path.name != "observe.py"
)
NAMES = {name: value for name, value in vars(observe).items() if isinstance(value, Metric)}


def test_the_page_of_metrics_is_as_rendered():
    """`docs/reference/metrics.md` says what the code says, to the letter."""
    page = (REFERENCE / "metrics.md").read_text("utf-8")
    assert page == metrics_page(), "python -m tests.repo.rendering"


def test_every_metric_is_listed_once():
    """`METRICS` has each metric of the module, and no two share a name."""
    assert sorted(metric.name for metric in METRICS) == sorted(
        metric.name for metric in NAMES.values()
    )
    assert len({metric.name for metric in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metrics_name_tells_its_unit(metric):
    """Names follow Prometheus: counters end in _total, times are in seconds."""
    assert re.fullmatch(r"laydown_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind in {Kind.COUNTER, Kind.RUNNING})
    assert (metric.kind is Kind.HISTOGRAM) <= metric.name.endswith("_seconds")


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_is_counted_somewhere(name):
    """Nothing is declared that nobody counts."""
    assert re.search(rf"\b{name}\b", CODE)


@pytest.mark.parametrize("event", LogEvent, ids=lambda event: event.value)
def test_every_log_event_is_logged_somewhere(event):
    """Nothing is declared that nobody logs."""
    assert f"LogEvent.{event.name}" in CODE


def test_nothing_is_logged_that_is_not_declared():
    """No call of a log's methods has its event as a string."""
    undeclared = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                says = node.func.attr in {"debug", "info", "warning", "error", "exception"}
                is_log = owner.rpartition(".")[2] in {"_log", "log", "words"}
                if says and is_log and node.args and isinstance(node.args[0], ast.Constant):
                    undeclared.append(f"{path.name}:{node.lineno}")
    assert undeclared == []


def test_an_undeclared_metric_is_an_error():
    """Counting what isn't declared raises at once."""
    stray = Metric(name="laydown_stray_total", kind=Kind.COUNTER, meaning="None.")
    with pytest.raises(KeyError):
        Metrics().count(stray)
