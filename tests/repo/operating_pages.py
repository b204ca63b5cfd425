"""The pages of the reference for those who run it: settings, metrics and log events."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from laydown.domain.filetypes import PROGRAM_EXTENSIONS
from laydown.domain.names import JUNK_PATTERNS
from laydown.observe import METRICS, SPANS, Kind, LogEvent, SpanName
from laydown.settings import CLIENT_SETTINGS, PREFIX, Settings, knobs

# Defaults that are lists of their own, documented elsewhere.
LISTED = {
    JUNK_PATTERNS: "[the junk list](names.md#system-junk)",
    tuple(sorted(PROGRAM_EXTENSIONS)): "[programs](filetypes.md#programs)",
}

KINDS = {
    str: "text",
    str | None: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    Path: "path",
    timedelta: "seconds",
    tuple[str, ...]: "list",
}

COUNTED = {
    Kind.COUNTER: "counter",
    Kind.RUNNING: "counter",
    Kind.GAUGE: "gauge",
    Kind.HISTOGRAM: "histogram",
}


def settings_page() -> str:
    """Return the page of every setting."""
    return "\n".join(_settings()) + "\n"


def metrics_page() -> str:
    """Return the page of every metric and log event."""
    return "\n".join(_metrics()) + "\n"


def _settings() -> Iterator[str]:
    client = " and ".join(f"`{PREFIX}{name.upper()}`" for name in sorted(CLIENT_SETTINGS))
    yield "# Settings"
    yield ""
    yield "Every setting is an environment variable, read once when a process starts. A variable"
    yield f"that begins with `{PREFIX}` and is not listed here stops it, as does a value that can't"
    yield "be read: a misspelt name must not pass for a default. Options of the command line come"
    yield f"first. The client commands read {client} too."
    yield ""
    yield "| Variable | Takes | Default | Meaning |"
    yield "|---|---|---|---|"
    defaults = {field.name: field.default for field in fields(Settings)}
    for name, (kind, meaning) in knobs().items():
        default = _default(defaults[name])
        yield f"| `{PREFIX}{name.upper()}` | {KINDS[kind]} | {default} | {meaning} |"


def _default(value: Any) -> str:
    match value:
        case None | ():
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{value.total_seconds():g}`"
        case tuple():
            return LISTED.get(value, f"`{','.join(value)}`")
        case _:
            return f"`{value}`"


def _metrics() -> Iterator[str]:
    yield "# Metrics, spans and log events"
    yield ""
    yield "## Metrics"
    yield ""
    yield "Every process keeps its own and serves them at `/metrics` in the text format of"
    yield "Prometheus: the api on its port, a worker where `LAYDOWN_WORKER_METRICS` says; `laydown"
    yield "up` serves both at the api's. Labels take their values from closed sets: a route's"
    yield "template, a status, a kind; never an id or a name. What a process has nothing to say of"
    yield "is absent. [Observability](../howto/observability.md) has the objectives, rules and"
    yield "dashboards that stand on them."
    yield ""
    yield "| Name | Kind | Kept by | Labels | Meaning |"
    yield "|---|---|---|---|---|"
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        told = f"`{metric.name}` | {COUNTED[metric.kind]} | {metric.of.value} | {labels}"
        yield f"| {told} | {metric.meaning} |"
    yield ""
    yield "## Spans"
    yield ""
    yield "Sent to the collector of `LAYDOWN_OTLP`. A batch is one trace: the request that declared"
    yield "it, those of the same client, and all jobs of its files. Attributes are sent as"
    yield "`laydown.NAME`."
    yield ""
    yield "| Span | Attributes | Meaning |"
    yield "|---|---|---|"
    for span in SpanName:
        attributes = ", ".join(f"`{name}`" for name in sorted(SPANS[span]))
        yield f"| `{span.value}` | {attributes} | {span.meaning} |"
    yield ""
    yield "## Log events"
    yield ""
    yield "Logs are lines of JSON on standard error. `event` is one of these; all else is in"
    yield "fields: `timestamp`, `level`, `process`, and what the event is about: `request_id` and"
    yield "`trace_id` of the request, `upload_id` and `trace_id` of the job."
    yield ""
    yield "| Event | Meaning |"
    yield "|---|---|"
    for event in LogEvent:
        yield f"| `{event.value}` | {event.meaning} |"
