"""Grafana's dashboards, made from what they show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.repo.dashboard_panels import BOARDS
from tests.repo.panels import Board, Panel

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_COLUMNS = 24  # of Grafana's grid
_HEIGHT = 8  # rows of the grid that a panel takes
_SCHEMA = 39  # of Grafana 10.2 and later, which migrate it


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a panel is on the grid."""

    x: int
    y: int
    width: int


def dashboard_files() -> Mapping[str, str]:
    """Return each file of `deploy/grafana/` by its name."""
    return {
        f"{board.key}.json": json.dumps(_dashboard(board), indent=2, ensure_ascii=False) + "\n"
        for board in BOARDS
    }


def _dashboard(board: Board) -> dict[str, Any]:
    places = _places(board.panels)
    return {
        "uid": f"laydown-{board.key}",
        "title": f"laydown: {board.title}",
        "description": board.says,
        "tags": ["laydown"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "graphTooltip": 1,  # one cross-hair through all panels
        "refresh": "30s",
        "time": {"from": f"now-{board.span}", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "source",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                    "current": {},
                    "hide": 0,
                }
            ]
        },
        "links": [
            {
                "title": "laydown",
                "type": "dashboards",
                "tags": ["laydown"],
                "asDropdown": True,
                "keepTime": True,
            }
        ],
        "annotations": {"list": []},
        "panels": [
            _panel(number, panel, place)
            for number, (panel, place) in enumerate(zip(board.panels, places, strict=True), 1)
        ],
    }


def _places(panels: Sequence[Panel]) -> Sequence[_Place]:
    """Put panels side by side, as many as fit."""
    places = []
    x = y = 0
    for panel in panels:
        if x + panel.width > _COLUMNS:
            x, y = 0, y + _HEIGHT
        places.append(_Place(x, y, panel.width))
        x += panel.width
    return places


def _panel(number: int, panel: Panel, place: _Place) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.floor is not None:
        defaults["min"] = panel.floor
    if panel.limit is not None:
        steps = [{"color": panel.colors[0], "value": None}]
        steps.append({"color": panel.colors[1], "value": panel.limit})
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        if panel.kind == "timeseries":
            defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": {"x": place.x, "y": place.y, "w": place.width, "h": _HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for index, (legend, expr) in enumerate(panel.series)
        ],
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
