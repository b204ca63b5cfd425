"""The pages of the reference that are made from the code.

`python -m tests.repo.rendering` writes them; the tests beside this file compare.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

from laydown.domain.reasons import BY_CONTENT, EXPLANATIONS, RETRYABLE, Reason
from laydown.http import problems
from laydown.http.app import document
from tests.repo.access_page import access_page
from tests.repo.alert_rules import alerts_file
from tests.repo.cli_page import cli_page
from tests.repo.dashboards import dashboard_files
from tests.repo.objectives import DEPLOY
from tests.repo.operating_pages import metrics_page, settings_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def errors_page() -> str:
    """Return the page of every error code."""
    return "\n".join(_errors()) + "\n"


def reasons_page() -> str:
    """Return the page of every reason code."""
    return "\n".join(_reasons()) + "\n"


def openapi_file() -> str:
    """Return the OpenAPI document of the native API."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def observing_files() -> Mapping[Path, str]:
    """Return what is made from the objectives: rules for Prometheus, dashboards for Grafana."""
    boards = {DEPLOY / "grafana" / name: text for name, text in dashboard_files().items()}
    return {DEPLOY / "prometheus" / "alerts.yaml": alerts_file(), **boards}


PAGES: Mapping[str, Callable[[], str]] = {
    "access.md": access_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "reasons.md": reasons_page,
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "openapi.json": openapi_file,
}


def _errors() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Every error of the HTTP API is a problem of RFC 9457, `application/problem+json`. Its"
    yield "`code` is one of these and never changes its meaning; match on it, not on the text."
    yield "`detail` says what happened in this case; `errors` has a JSON pointer to each fault of a"
    yield "body (`/query/…` for a parameter). The answer's `X-Request-Id` finds it in the log."
    yield "Where seconds are given, they come as `Retry-After`: the same request makes sense then."
    told = [
        (error.code, status, problems.meaning(error), problems.RETRY_AFTER.get(error))
        for error, status in problems.STATUS.items()
    ] + [(told.code, status, told.meaning, None) for status, told in problems.TRANSPORT.items()]
    for code, status, meaning, seconds in sorted(told):
        yield ""
        yield f"## {code}"
        yield ""
        again = f", again after {seconds} s" if seconds else ""
        yield f"{status.value} {_phrase(status)}{again}"
        yield ""
        yield meaning


def _reasons() -> Iterator[str]:
    yield "# Reasons"
    yield ""
    yield "Why a file is where it is: the `reason` beside the state of an upload, a verdict, or a"
    yield "row of a receipt. Codes never change their meaning. A reason of severity *info* means"
    yield "that nothing is lost; with *error*, somebody must act before the file is in."
    for reason in Reason:
        explanation = EXPLANATIONS[reason]
        yield ""
        yield f"## {reason.value}"
        yield ""
        yield f"*{explanation.severity.value}*: {explanation.message}"
        yield ""
        yield explanation.remedy
        if reason in RETRYABLE:
            yield ""
            yield "Retrying the batch sets it going again."
        if reason in BY_CONTENT:
            yield ""
            yield "Remembered: the same bytes under the same extension are refused unsent."


def _phrase(status: HTTPStatus) -> str:
    # Python renames phrases between versions; the page must not change with the interpreter.
    renamed = {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range Not Satisfiable",
    }
    return renamed.get(status, status.phrase)


if __name__ == "__main__":
    for name, render in PAGES.items():
        (REFERENCE / name).write_text(render(), "utf-8")
    for path, text in observing_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
