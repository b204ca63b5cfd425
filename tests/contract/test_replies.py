"""What kept answers promise: one claim a key, an answer as long as it may be asked for."""

import asyncio
from datetime import timedelta

import pytest

from laydown.ports import Precedent
from laydown.postgres.limits import LEASE, PostgresReplies
from laydown.services.identifiers import new_id
from tests.ledger_support import Tenant, digest

DAY = timedelta(days=1)
KEY, ASKED = digest("key"), digest("asked")


@pytest.fixture
def replies(tenant: Tenant) -> PostgresReplies:
    return tenant.database.replies


async def age(tenant: Tenant, by: timedelta) -> None:
    """Let time pass for every answer and claim."""
    await tenant.ask("UPDATE replies SET forget_at = forget_at - %s", by)


async def test_the_first_claims_and_the_second_learns_of_it(tenant, replies):
    """Until the answer is there, who comes later sees that it is awaited."""
    mine = new_id()
    assert await replies.claim(tenant.organization, KEY, ASKED, claim=mine) is None
    again = await replies.claim(tenant.organization, KEY, digest("other"), claim=new_id())
    assert again == Precedent(fingerprint=ASKED, sealed=None)
    await replies.keep(tenant.organization, KEY, b"sealed", claim=mine, life=DAY)
    again = await replies.claim(tenant.organization, KEY, ASKED, claim=new_id())
    assert again == Precedent(fingerprint=ASKED, sealed=b"sealed")


async def test_one_of_many_claims(tenant, replies):
    """Of fifty that come at once, one gets the turn."""
    async with asyncio.TaskGroup() as tasks:
        claims = [
            tasks.create_task(replies.claim(tenant.organization, KEY, ASKED, claim=new_id()))
            for _ in range(50)
        ]
    assert [claim.result() for claim in claims].count(None) == 1


async def test_a_key_is_an_organization_s_own(tenant, stranger, replies):
    """Another organization's request with the same key has nothing to do with ours."""
    assert await replies.claim(tenant.organization, KEY, ASKED, claim=new_id()) is None
    assert await replies.claim(stranger.organization, KEY, ASKED, claim=new_id()) is None


async def test_a_released_claim_is_free(tenant, replies):
    """Who got nowhere leaves the key to the next."""
    mine = new_id()
    await replies.claim(tenant.organization, KEY, ASKED, claim=mine)
    await replies.release(tenant.organization, KEY, claim=mine)
    assert await replies.claim(tenant.organization, KEY, digest("other"), claim=new_id()) is None


async def test_a_claim_lapses_with_its_process(tenant, replies):
    """A claim that nobody answers is free after a while; who made it can't answer any more."""
    mine, yours = new_id(), new_id()
    await replies.claim(tenant.organization, KEY, ASKED, claim=mine)
    await age(tenant, LEASE)
    assert await replies.claim(tenant.organization, KEY, ASKED, claim=yours) is None
    await replies.keep(tenant.organization, KEY, b"late", claim=mine, life=DAY)
    await replies.release(tenant.organization, KEY, claim=mine)
    again = await replies.claim(tenant.organization, KEY, ASKED, claim=new_id())
    assert again == Precedent(fingerprint=ASKED, sealed=None)


async def test_an_answer_is_not_released(tenant, replies):
    """What was answered stays answered."""
    mine = new_id()
    await replies.claim(tenant.organization, KEY, ASKED, claim=mine)
    await replies.keep(tenant.organization, KEY, b"sealed", claim=mine, life=DAY)
    await replies.release(tenant.organization, KEY, claim=mine)
    again = await replies.claim(tenant.organization, KEY, ASKED, claim=new_id())
    assert again is not None


async def test_answers_are_kept_for_as_long_as_asked(tenant, replies):
    """Before its time an answer is there, after it the key is free, swept or not."""
    mine = new_id()
    await replies.claim(tenant.organization, KEY, ASKED, claim=mine)
    await replies.keep(tenant.organization, KEY, b"sealed", claim=mine, life=DAY)
    await age(tenant, DAY - timedelta(minutes=1))
    assert await replies.forget(limit=10) == 0
    assert await replies.claim(tenant.organization, KEY, ASKED, claim=new_id()) is not None
    await age(tenant, timedelta(minutes=2))
    assert await replies.claim(tenant.organization, KEY, digest("other"), claim=mine) is None


async def test_old_answers_are_forgotten(tenant, replies):
    """The oldest go first, so many at a time."""
    for name in ("a", "b", "c"):
        claim, key = new_id(), digest(name)
        await replies.claim(tenant.organization, key, ASKED, claim=claim)
        await replies.keep(tenant.organization, key, b"sealed", claim=claim, life=DAY)
        await age(tenant, timedelta(hours=8))
    await age(tenant, timedelta(hours=9))
    assert await replies.forget(limit=1) == 1
    assert await replies.forget(limit=10) == 1
    assert await tenant.ask("SELECT key_sha256 FROM replies") == [(digest("c"),)]
