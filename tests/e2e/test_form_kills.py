"""`kill -9` in the middle of a form: what it had brought is whole or absent, and may come again."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

import pytest

from tests.api.forms_talk import TYPE, field, file, form
from tests.e2e.ledger import check, holding_of
from tests.e2e.yard import PATIENCE, Yard, until

FILES = {
    f"photos/{number:03}.txt": hashlib.shake_128(b"%d" % number).digest(size)
    for number, size in enumerate([100, 70_000, 1_500_000, 5_000_000] * 8)
}


def pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


def body(before: Mapping[int, Callable[[], None]]) -> Iterator[bytes]:
    """Yield a form of all files; do what is to be done inside the file of that number."""
    yield field("reference", "r")
    for number, (path, data) in enumerate(FILES.items()):
        part = file(path, data)
        yield from pieces(part[: len(part) // 2])
        before.get(number, lambda: None)()
        yield from pieces(part[len(part) // 2 :])
    yield form()


def send(yard: Yard, project: str, content: Iterator[bytes]) -> tuple[int, dict]:
    """Send a form; return status and answer."""
    connection = HTTPConnection("127.0.0.1", yard.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {yard.connection.token}", "Content-Type": TYPE}
    try:
        connection.request(
            "POST", f"/v1/projects/{project}/files", content, headers, encode_chunked=True
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


# Not before 10 MB: what fits the buffers of a socket (4 and 6 MB at most, on Linux) may not have
# been read by anybody yet, and then whoever comes next takes the whole form.
@pytest.mark.parametrize(("victim", "at"), [("api", 7), ("api", 31), ("everything", 14)])
def test_a_form_survives_the_death_of_whoever_takes_it(make_yard, victim, at):
    """Nothing it had brought is half there; sent again, every file is, once, as it was sent."""
    yard = make_yard()
    yard.start()
    with yard.client() as client:
        project = str(client.ensure_project("X").id)

    def kill() -> None:
        if victim == "api":
            yard.kill("api")
        else:
            yard.crash()

    with suppress(OSError, HTTPException):
        send(yard, project, body({at: kill}))
        pytest.fail("the form was answered, although nobody was left who could")
    if victim == "everything":
        yard.start()
    until(yard.is_ready, what="it is back")

    status, answer = send(yard, project, body({}))
    assert status == 201, answer
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in FILES.items()}
    assert {each["path"]: each["sha256"] for each in answer["files"]} == digests
    check(yard)
    assert holding_of(yard).versions == {path: [digest] for path, digest in digests.items()}
