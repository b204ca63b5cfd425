"""Rates: who asks too often is told when to come back, and nobody else notices."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from laydown import AsyncClient
from laydown.client import backoff
from tests.api.installation import installed
from tests.api.talk import entry, talking

pytestmark = pytest.mark.embedded  # where bytes are kept plays no part

FEW = {"token_rate": 1, "token_burst": 5}
FEW_TOGETHER = {"organization_rate": 1, "organization_burst": 5}


async def until_refused(talk, most=50):
    """Ask until 429; return how many requests were let through, and the refusal."""
    for count in range(most):
        answer = await talk.ask("GET", "/v1/me")
        if answer.status == 429:
            return count, answer
        assert answer.status == 200
    raise AssertionError("nobody was refused")


def left(answer, bucket):
    """Return how many requests of a bucket an answer says are left."""
    found = re.search(rf'"{bucket}";r=(\d+);t=\d+', answer.headers["RateLimit"])
    return int(found[1])


@pytest.mark.knobs(**FEW)
async def test_a_token_past_its_rate_is_told_when_to_come_back(ours):
    """After its burst a token gets 429 with the seconds to wait, as a problem."""
    count, answer = await until_refused(ours)
    assert 5 <= count <= 7
    assert answer.code == "rate_limited"
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    assert left(answer, "token") == 0


@pytest.mark.knobs(**FEW)
async def test_another_token_is_not_held_to_it(server, ours):
    """One token's flood is nothing to another of the same organization."""
    await until_refused(ours)
    async with talking(server.url, await server.token("ours")) as other:
        assert (await other.ask("GET", "/v1/me")).status == 200


@pytest.mark.knobs(**FEW_TOGETHER)
async def test_an_organization_s_tokens_share_its_rate(server, ours, theirs):
    """What one token took is missing to the other; another organization has its own."""
    await until_refused(ours)
    async with talking(server.url, await server.token("ours")) as other:
        answer = await other.ask("GET", "/v1/me")
        assert (answer.status, left(answer, "organization")) == (429, 0)
        assert left(answer, "token") > 0
    assert (await theirs.ask("GET", "/v1/me")).status == 200


async def test_every_answer_says_how_the_caller_stands(ours):
    """Policy and standing come with successes and refusals alike, and count down."""
    policy = '"token";q=6000;w=60, "organization";q=30000;w=60'
    first = await ours.ask("GET", "/v1/me")
    missing = await ours.ask("GET", "/v1/projects/00000000-0000-0000-0000-000000000000")
    bad = await ours.ask("POST", "/v1/projects", {})
    assert (first.status, missing.status, bad.status) == (200, 404, 400)
    for answer in (first, missing, bad):
        assert answer.headers["RateLimit-Policy"] == policy
        assert 0 < left(answer, "token") <= 6_000
        assert 0 < left(answer, "organization") <= 30_000


@pytest.mark.knobs(**FEW)
async def test_standing_counts_down_to_nothing(ours):
    """Each answer leaves one less, as far as the process knows."""
    counted = [left(await ours.ask("GET", "/v1/me"), "token") for _ in range(3)]
    assert counted == sorted(counted, reverse=True)
    assert counted[0] <= 4


@pytest.mark.knobs(**FEW)
async def test_what_needs_no_token_is_not_counted(ours):
    """Health, metrics and the documents answer however often, and say nothing of rates."""
    await until_refused(ours)
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json"):
        answer = await ours.ask("GET", path)
        assert answer.status == 200
        assert "RateLimit" not in answer.headers
    assert 'laydown_refused_requests_total{limit="token"} 1.0' in (
        (await ours.ask("GET", "/metrics")).body.decode()
    )


@pytest.mark.knobs(**FEW)
async def test_bytes_are_not_counted(ours):
    """A grant of many parts may be used at once, whatever the rate of its token."""
    project = await ours.project("tower")
    files = {f"{n}.txt": b"%d" % n for n in range(20)}
    declared = await ours.declare(project, *[entry(*each) for each in files.items()])
    granted = await ours.grants(declared["batch"]["id"])
    assert len(granted) == 20
    by_id = {each["upload_id"]: each["key"] for each in declared["verdicts"]}
    for grant in granted:
        answer = await ours.put(grant["parts"][0], files[by_id[grant["id"]]])
        assert answer.status == 200


@pytest.mark.knobs(token_rate=0, organization_rate=0)
async def test_no_rate_is_no_limit(ours):
    """A rate of 0 lets everything through, and says nothing."""
    for _ in range(20):
        answer = await ours.ask("GET", "/v1/me")
        assert answer.status == 200
        assert "RateLimit" not in answer.headers


@pytest.mark.knobs(**FEW)
async def test_a_bad_token_is_no_flood(ours):
    """Who isn't let in gets 401 each time, and learns of no rate."""
    for _ in range(10):
        answer = await ours.ask("GET", "/v1/me", headers={"Authorization": "Bearer ldn_nonsense"})
        assert answer.status == 401
        assert "RateLimit" not in answer.headers


@pytest.mark.knobs(**FEW)
async def test_processes_share_the_buckets(server, ours):
    """What a token may ask of two api processes together is what it may ask of one."""
    async with (
        installed(replace(server.settings, data=server.settings.data / "second")) as second,
        talking(second.url, ours.token) as there,
    ):
        assert urlsplit(second.url).port != urlsplit(server.url).port
        through = 0
        for _ in range(10):
            for talk in (ours, there):
                through += (await talk.ask("GET", "/v1/me")).status == 200
        assert 5 <= through <= 7


@pytest.mark.knobs(token_rate=20, token_burst=5)
async def test_the_sdk_waits_and_gets_through(server, monkeypatch):
    """A client that asks three times as much as it may is slowed down, and fails at nothing."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.001)
    async with AsyncClient(server.url, await server.token("ours")) as client:
        for _ in range(15):
            assert (await client.me()).organization == "ours"
