"""What clients are told when something goes wrong, and what holds for every answer."""

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from laydown.domain import errors
from laydown.domain.access import Role, rights_of
from laydown.domain.people import PrincipalKind
from laydown.domain.policy import Policy
from laydown.http import problems
from laydown.http.app import Limits, Services, build
from laydown.http.edge import Edge
from laydown.ports import Credential
from laydown.services.audience import Audience
from laydown.services.auditing import Auditing
from laydown.services.completing import Completing
from laydown.services.declaring import Declaring
from laydown.services.documents import Documents
from laydown.services.filing import Filing
from laydown.services.forecasting import Forecasting
from laydown.services.identity import Identity
from laydown.services.members import Members
from laydown.services.operating import Operating
from laydown.services.passes import Links, Tokens
from laydown.services.projects import Projects
from laydown.services.quotas import Quotas
from laydown.services.rating import Rating
from laydown.services.receipts import Receipts
from laydown.services.replying import Replying
from laydown.services.rescanning import Rescanning
from laydown.services.sending import Sending
from laydown.services.sessions import Sessions
from laydown.services.tailing import Tail
from laydown.services.watching import Watching
from laydown.telemetry.traces import Traces

TOKEN = f"ldn_{'0' * 32}_{'s' * 43}"
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}
LIMITS = Limits(body_bytes=1000, declaration_bytes=3_000_000, body_patience=0.05)


class OneToken:
    """A keyring with a single token in it."""

    async def credential(self, _kind, id_):
        return Credential(
            id=id_,
            organization=uuid4(),
            secret_sha256=hashlib.sha256(b"s" * 43).digest(),
            is_valid=id_ == UUID(int=0),
            is_used=True,
            kind=PrincipalKind.MEMBER,
            principal=uuid4(),
            name="somebody",
            rights=rights_of(Role.OWNER, {}),
        )


class AwayLedger:
    """A ledger whose database does not answer; everything in front of it works."""

    @asynccontextmanager
    async def begin(self, _organization):
        raise errors.LedgerUnavailable("connection to 10.0.0.7 refused")
        yield

    snapshot = begin


@dataclass
class Answer:
    """What an application sent."""

    status: int = 0
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False

    @property
    def problem(self):
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)


async def ask(app, method, path, *, headers=None, body=(b"",), pause=0.0):
    """Send one request to an ASGI app, its body in chunks, and return the answer."""
    query = path.partition("?")[2]
    scope = {
        "type": "http",
        "method": method,
        "path": path.partition("?")[0],
        "query_string": query.encode(),
        "headers": [(name.encode(), text.encode()) for name, text in (headers or {}).items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 1),
        "client": ("127.0.0.1", 2),
        "asgi": {"spec_version": "2.3"},
    }
    answer = Answer()
    chunks = list(body)

    async def receive():
        if not chunks:
            await asyncio.Event().wait()
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): text.decode() for name, text in message["headers"]}
        else:
            answer.body += message["body"]
            answer.is_whole = not message.get("more_body", False)

    await app(scope, receive, send)
    return answer


async def door(_scope, _receive, send):
    """Stand where the byte door does."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"bytes"})


@pytest.fixture
def observed():
    """Collect what the application reports of its answers."""
    return []


@pytest.fixture
def app(observed):
    """The whole application, on a database that is away."""
    ledger, identity, policy = AwayLedger(), Identity(keyring=OneToken()), Policy()

    async def ready():
        return []

    declaring, completing = Declaring(ledger=ledger, policy=policy), Completing(ledger=ledger)
    audience = Audience(refused=print)
    watching = Watching(ledger=ledger, tail=Tail(log=None), identity=identity, audience=audience)
    return build(
        Services(
            identity=identity,
            filing=Filing(
                ledger=ledger,
                identity=identity,
                sink=None,
                declaring=declaring,
                completing=completing,
                watching=watching,
                policy=policy,
            ),
            rating=Rating(allowances=None, per_token=None, per_organization=None, refused=print),
            replying=Replying(replies=None, repeated=print),
            members=Members(ledger=ledger),
            tokens=Tokens(ledger=ledger),
            links=Links(ledger=ledger),
            sessions=Sessions(ledger=ledger, identity=identity),
            auditing=Auditing(ledger=ledger),
            quotas=Quotas(ledger=ledger),
            projects=Projects(ledger=ledger),
            declaring=declaring,
            forecasting=Forecasting(ledger=ledger, policy=policy),
            sending=Sending(ledger=ledger, signer=None),
            completing=completing,
            watching=watching,
            receipts=Receipts(ledger=ledger, policy=policy),
            documents=Documents(ledger=ledger, store=None, signer=None),
            operating=Operating(ledger=ledger),
            rescanning=Rescanning(ledger=ledger, store=None, scanner=None),
            ready=ready,
            metrics=lambda: (b"", "text/plain"),
            observe=lambda *seen: observed.append(seen[:3]),
            tracing=Traces(),
        ),
        byte_door=door,
        limits=LIMITS,
        stopping=asyncio.Event(),
    )


def raised(error):
    """Return an error of this type that names something only we should know."""
    given = {errors.NotFound: ("project", "x"), errors.IllegalMove: ("ready", "sent")}
    return error(*given.get(error, ("at /var/secret",)))


@pytest.mark.parametrize("error", problems.STATUS, ids=lambda error: error.code)
def test_every_error_is_a_problem(error):
    """The body has what RFC 9457 and our clients ask for, and the status twice alike."""
    status, body = problems.problem(raised(error), instance="/v1/x")
    assert body["status"] == status == problems.STATUS[error]
    assert body["code"] == error.code
    assert body["type"] == f"/docs#{error.code}"
    assert body["instance"] == "/v1/x"
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize(
    "error",
    [
        error
        for error, status in problems.STATUS.items()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or error is errors.ContentGone
    ],
    ids=lambda error: error.code,
)
def test_our_insides_stay_inside(error):
    """What a server error says itself is not in the body."""
    _, body = problems.problem(raised(error))
    assert "secret" not in json.dumps(body)


def test_faults_are_pointed_at():
    """An invalid request names each fault by its JSON pointer."""
    error = errors.InvalidRequest("no", (("/a/0", "too short"), ("/b", "missing")))
    _, body = problems.problem(error)
    assert body["errors"] == [
        {"pointer": "/a/0", "detail": "too short"},
        {"pointer": "/b", "detail": "missing"},
    ]


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}])
async def test_without_a_token_nothing_is_told(app, given):
    """No, a malformed and a foreign kind of credentials get 401 and how to do better."""
    answer = await ask(app, "GET", f"/v1/batches/{uuid4()}", headers=given)
    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.problem["code"] == "unauthenticated"


async def test_a_malformed_id_answers_as_an_unknown_path(app):
    """An id that can't be one is 404, never a complaint about its form."""
    answer = await ask(app, "GET", "/v1/uploads/..%2f", headers=AUTHORIZED)
    assert answer.status == HTTPStatus.NOT_FOUND
    assert answer.problem["code"] == "not_found"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/projects/", "/v2/projects", "/v1/projects//"])
async def test_a_path_that_does_not_exist_is_a_problem(app, path):
    """Unknown paths answer 404 as problems; nothing redirects."""
    answer = await ask(app, "GET", path, headers=AUTHORIZED)
    assert answer.problem["status"] == answer.status == HTTPStatus.NOT_FOUND


async def test_a_method_that_does_not_exist_names_those_that_do(app):
    """405 lists every method of the path, whichever route it belongs to."""
    answer = await ask(app, "DELETE", "/v1/projects", headers=AUTHORIZED)
    assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert answer.headers["allow"] == "GET, POST"
    assert answer.problem["code"] == "method_not_allowed"


@pytest.mark.parametrize("query", ["limit=many", "cursor=!", "cursor=AA", "code=%00"])
async def test_a_bad_parameter_is_pointed_at(app, query):
    """A parameter that can't be read is 400 and named."""
    answer = await ask(app, "GET", f"/v1/projects?{query}", headers=AUTHORIZED)
    assert answer.status == HTTPStatus.BAD_REQUEST
    [fault] = answer.problem["errors"]
    assert fault["pointer"] == f"/query/{query.partition('=')[0]}"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"nil", b'{"code": 1}', b"\xff", b'{"code": "\\ud800"}', b"[" * 900]
)
async def test_a_bad_body_is_never_a_server_error(app, body):
    """Whatever is no project answers 400 `invalid_request`."""
    answer = await ask(app, "POST", "/v1/projects", headers=AUTHORIZED, body=[body])
    assert (answer.status, answer.problem["code"]) == (400, "invalid_request")


async def test_too_many_entries_are_refused_before_the_ledger_is_asked(app):
    """5,001 entries answer 413; the database, which is away here, has no part in it."""
    body = json.dumps({"reference": "r", "entries": [{}] * 5001}).encode()
    path = f"/v1/projects/{uuid4()}/batches"
    answer = await ask(app, "POST", path, headers=AUTHORIZED, body=[body])
    assert (answer.status, answer.problem["code"]) == (413, "too_many_entries")


@pytest.mark.parametrize("length", [{}, {"content-length": "4000"}])
async def test_a_large_body_is_refused(app, length):
    """Past the limit the answer is 413, whether the length was announced or not."""
    given = {**AUTHORIZED, "transfer-encoding": "chunked"} if not length else AUTHORIZED | length
    answer = await ask(app, "POST", "/v1/projects", headers=given, body=[b" " * 500] * 8)
    assert (answer.status, answer.problem["code"]) == (413, "request_too_large")
    assert answer.is_whole


async def test_a_slow_body_is_not_waited_for(app):
    """A sender slower than the limits allow gets 408."""
    answer = await ask(app, "POST", "/v1/projects", headers=AUTHORIZED, body=[b" "] * 9, pause=0.03)
    assert (answer.status, answer.problem["code"]) == (408, "client_gone")


async def test_a_database_that_is_away_is_said_so(app, observed):
    """Everything that needs the ledger answers 503 and when to try again."""
    answer = await ask(app, "GET", f"/v1/projects/{uuid4()}", headers=AUTHORIZED)
    assert (answer.status, answer.problem["code"]) == (503, "ledger_unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "10.0.0.7" not in answer.body.decode()
    assert observed == [("GET", "/v1/projects/{project_id}", 503)]


async def test_bytes_go_straight_to_their_door(app, observed):
    """A request below /bytes/ meets nothing on its way: its answer is the door's own."""
    answer = await ask(app, "PUT", "/bytes/a/b", headers={"x-request-id": "mine"})
    assert (answer.status, answer.headers, answer.body) == (299, {}, b"bytes")
    assert observed == []


@pytest.mark.parametrize("path", ["/livez", "/nope", "/v1/projects", "/openapi.json"])
async def test_every_answer_is_safe_to_receive(app, path):
    """No answer may be sniffed, framed, cached, or tell others where it came from."""
    answer = await ask(app, "GET", path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_docs_page_needs_nothing_from_elsewhere(app):
    """The page for people has no script, no outside address, and an anchor for each code."""
    page = await ask(app, "GET", "/docs")
    text = page.body.decode()
    assert "<script" not in text
    assert "//" not in text
    assert all(f'id="{error.code}"' in text for error in problems.STATUS)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("abc-1.2:3_4", True), ("", False), ("a b", False), ("a" * 65, False), ("ä", False)],
)
async def test_a_sane_request_id_comes_back(app, given, is_kept):
    """The client's id is echoed if it is short and plain, else ours takes its place."""
    answer = await ask(app, "GET", "/livez", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) == is_kept
    assert answer.headers["x-request-id"]


async def test_a_crash_is_a_500_without_insides(observed):
    """An exception that nobody foresaw is answered as a problem and observed as 500."""

    async def crash(_scope, _receive, send):
        response = problems.transport_answer(HTTPStatus.INTERNAL_SERVER_ERROR, instance=None)
        await response({"type": "http"}, _receive, send)
        raise ZeroDivisionError("secret")

    edge = Edge(
        crash,
        byte_door=door,
        limits=LIMITS,
        observe=lambda *s: observed.append(s[:3]),
        tracing=Traces(),
    )
    answer = await ask(edge, "BREW", "/x")
    assert answer.problem["code"] == "internal_error"
    assert "secret" not in answer.body.decode()
    assert observed == [("other", "(none)", 500)]


async def test_a_reader_that_stalls_is_left():
    """A client that takes nothing for too long leaves an answer that never ends."""

    async def endless(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    async def stalled(_scope, receive, send):
        async def slow(message):
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()
            await send(message)

        limits = Limits(send_patience=0.01)
        await Edge(
            endless, byte_door=door, limits=limits, observe=lambda *_: None, tracing=Traces()
        )(_scope, receive, slow)

    answer = await ask(stalled, "GET", "/x")
    assert answer.status == HTTPStatus.OK
    assert not answer.is_whole
