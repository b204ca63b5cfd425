"""The collector beside each task: OTLP in, traces to X-Ray, metrics to CloudWatch as logs."""

import json

from laydown_infra.objectives import Selection, read

VERSION = "v0.47.0"
"""Of AWS's distribution for OpenTelemetry, as the release workflow mirrors it."""

DIMENSION = {"OTelLib": "laydown"}
"""What the exporter adds to every metric's labels: the name of the meter that it comes from."""

_EVERY = "60s"
_MEMORY = 200  # MiB, of the 256 that its container has


ANNOUNCED = Selection(metric="laydown_announced_files", labels={})
"""Files declared and not yet settled: what workers are started on before the bytes come."""


def configuration(*, region: str, namespace: str, log_group: str) -> str:
    """Return the collector's configuration; JSON is YAML.

    CloudWatch files the metrics in *namespace*, under the names that `/metrics` gives them. Only
    those that an alarm or the scaling asks for become metrics, with just the labels it asks for:
    CloudWatch sums over nothing by itself, and every combination of labels is paid for. All others
    are in the log, where its queries find them.
    """
    return json.dumps(
        {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}}},
            "processors": {
                "memory_limiter": {"check_interval": "1s", "limit_mib": _MEMORY},
                # Which task it is: `{TaskId}` below is `undefined` without it.
                "resourcedetection": {"detectors": ["ecs"], "timeout": "5s", "override": False},
                "batch/traces": {"timeout": "5s"},
                "batch/metrics": {"timeout": _EVERY},
            },
            "exporters": {
                "awsxray": {"region": region},
                "awsemf": {
                    "region": region,
                    "namespace": namespace,
                    "log_group_name": log_group,
                    "log_stream_name": "{TaskId}",
                    "dimension_rollup_option": "NoDimensionRollup",
                    # A counter begins at 0 with its task, and its first failure counts.
                    "retain_initial_value_of_delta_metric": True,
                    "resource_to_telemetry_conversion": {"enabled": False},
                    "metric_declarations": [
                        _declared(selection) for selection in (*read().selections, ANNOUNCED)
                    ],
                },
            },
            "service": {
                "pipelines": {
                    "traces": {
                        "receivers": ["otlp"],
                        "processors": ["memory_limiter", "resourcedetection", "batch/traces"],
                        "exporters": ["awsxray"],
                    },
                    "metrics": {
                        "receivers": ["otlp"],
                        "processors": ["memory_limiter", "resourcedetection", "batch/metrics"],
                        "exporters": ["awsemf"],
                    },
                }
            },
        }
    )


def _declared(selection: Selection) -> dict[str, object]:
    return {
        "dimensions": [[*DIMENSION, *selection.labels]],
        "metric_name_selectors": [f"^{selection.metric}$"],
    }
