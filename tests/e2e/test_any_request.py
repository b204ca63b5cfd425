"""Requests nobody thought of, made from the OpenAPI document, against a real `laydown up`.

Chance is seeded: the same document makes the same requests. Half of the ids are replaced by real
ones, because behind most of what is made up nothing answers but 404.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from laydown import wire
from laydown.http.app import document
from tests.e2e.yard import Yard

EXAMPLES = 6  # of chance for each operation, beside those at the edges of its schema
PATIENCE = 20.0  # seconds for an answer

DEAD_JOB = """
INSERT INTO jobs (id, organization_id, kind, upload_id, dead_at)
SELECT gen_random_uuid(), organization_id, 'prove', id, now() FROM uploads LIMIT 1
"""

api = schemathesis.openapi.from_dict(document())
api.config.generation.update(with_security_parameters=False)
api.config.checks.negative_data_rejection.expected_statuses.append("431")  # of a long query

# Checks that an operation is not held to, and why.
LEFT_OUT = {
    "watch_batch": [response_schema_conformance],  # OpenAPI has no words for a stream's events
    "declare_batch": [negative_data_rejection],  # a bad entry is told in its verdict, with 200
    "declare_entries": [negative_data_rejection],
}


@dataclass
class Place:
    """A running laydown with a ready file, and what else requests may be about."""

    url: str
    token: str
    settled: Mapping[str, str]  # ids of what has come to rest, by the names of path parameters
    ids: Mapping[str, str]  # and of what has not, of people and of their tokens
    session: requests.Session


@pytest.fixture(scope="module")
def running(made_yard: Path) -> Iterator[Yard]:
    """Return a laydown that serves every test of this module."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))
    shutil.copytree(made_yard, folder / "data")
    yard = Yard(folder / "data", settings={"LOG_LEVEL": "debug", "TOKEN_RATE": "0"})
    yard.start()
    (folder / "files").mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / "files" / name).write_text(name)
    pushed = yard.push(folder / "files", project="fuzz")
    assert pushed.code == 0
    yield yard
    log = (yard.data / "logs" / "api.log").read_text()
    yard.dispose()
    shutil.rmtree(folder)
    assert "request.crashed" not in log


@pytest.fixture(scope="module")
def settled(running: Yard) -> Mapping[str, str]:
    """Return the ids of what has come to rest."""
    with running.client() as client:
        [project] = client.projects()
        [batch] = client.batches(project_id=project.id)
        found = next(iter(client.documents(project.id)))
    assert found.current is not None
    return {
        "project_id": str(project.id),
        "batch_id": str(batch.id),
        "document_id": str(found.id),
        "version_id": str(found.current.id),
    }


references = count(1)


@pytest.fixture
def place(running: Yard, settled: Mapping[str, str]) -> Iterator[Place]:
    """Return the laydown, with an open batch and a dead job of this test's own."""
    with running.client() as client, running.database() as database:
        declared = client.declare(
            UUID(settled["project_id"]),
            reference=f"open {next(references)}",
            entries=[wire.Entry(key=name, path=name, size=1) for name in ("x.txt", "y.txt")],
        )
        database.execute(DEAD_JOB)
        [(job,)] = database.execute("SELECT id FROM jobs WHERE dead_at IS NOT NULL LIMIT 1")
    connection = running.connection
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {connection.token}"

    def made(path: str, **fields: str) -> str:
        answer = session.post(f"{connection.url}/v1/{path}", json=fields, timeout=PATIENCE)
        assert answer.status_code == 201, answer.text
        said = answer.json()
        return str((said.get("token") or said.get("link") or said)["id"])

    live = {
        "member_id": (member := made("members", name="Ann", role="manager")),
        "token_id": made("tokens", name="Ann's", member_id=member),
        "link_id": made(f"projects/{settled['project_id']}/links", label="Ben"),
        "batch_id": str(declared.batch.id),
        "upload_id": str(declared.verdicts[0].upload_id),
        "job_id": str(job),
    }
    with session:
        yield Place(connection.url, connection.token, settled, {**settled, **live}, session)


def problem(_context: Any, response: Any, case: Any) -> None:
    """Every error is a problem of RFC 9457 that says no more than it should."""
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"], "no problem"
    if case.method == "HEAD":
        return
    told = json.loads(response.content)
    assert told["status"] == response.status_code, "another status than it says"
    assert {"type", "title", "detail", "code"} <= told.keys(), "half a problem"
    assert ("instance" in told) == (response.status_code != 431), "no instance"
    assert "Traceback" not in response.text, "a stack trace"
    assert "/site-packages/" not in response.text, "a path of ours"


def documented(_context: Any, response: Any, case: Any) -> None:
    """Every status is one that the operation's documentation names."""
    if response.status_code == 431:
        return  # no operation has been reached
    if case.method.upper() != case.operation.method.upper():
        assert response.status_code in (405, 400), "a method that nobody documented"
        return
    named = case.operation.definition.raw["responses"]
    assert str(response.status_code) in named, f"{response.status_code} is not documented"


def safe(_context: Any, response: Any, _case: Any) -> None:
    """Every answer has the headers of the frontier."""
    assert response.headers["x-content-type-options"] == ["nosniff"], "no nosniff"
    assert response.headers["referrer-policy"] == ["no-referrer"], "no referrer policy"
    assert len(response.headers["x-request-id"]) == 1, "no request id"


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_is_answered_as_documented(case: Any, place: Place) -> None:
    """No request is a 5xx, an undocumented status, no problem, or another shape than its schema."""
    operation = case.operation.definition.raw["operationId"]
    ids = place.settled if operation == "watch_batch" else place.ids  # other streams have no end
    for name, value in case.path_parameters.items():
        case.path_parameters[name] = _swapped(value, ids[name])
    uploads = case.body.get("uploads") if isinstance(case.body, dict) else None
    for each in uploads if isinstance(uploads, list) else ():
        if isinstance(each, dict) and "id" in each:
            each["id"] = _swapped(each["id"], ids["upload_id"])
    case.call_and_validate(
        base_url=place.url,
        session=place.session,
        headers={"Authorization": f"Bearer {place.token}"},
        additional_checks=[problem, documented, safe],
        # What a schema permits may still be no cursor of this list.
        excluded_checks=[positive_data_acceptance, *LEFT_OUT.get(operation, [])],
        timeout=PATIENCE,
    )


def _swapped(made_up: Any, real: str) -> Any:
    """Return a real id in place of every other value that could be one."""
    try:
        return real if UUID(str(made_up)).int % 2 == 0 else made_up
    except ValueError:
        return made_up
