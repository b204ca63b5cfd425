"""What buckets of requests promise: never more than they have, whoever draws."""

import asyncio
from datetime import timedelta

import pytest

from laydown.domain.rates import Rate
from laydown.postgres.limits import PostgresAllowances
from laydown.postgres.pool import open_pool
from laydown.services.identifiers import new_id
from laydown.services.identity import Caller
from laydown.services.rating import Bucket, Rating
from tests.ledger_support import SOMEBODY, Tenant

SLOW = Rate(0.001, 10)
"""It gets nothing back while a test lasts."""


@pytest.fixture
def allowances(tenant: Tenant) -> PostgresAllowances:
    return tenant.database.allowances


async def age(tenant: Tenant, by: timedelta) -> None:
    """Let time pass for every bucket."""
    await tenant.ask("UPDATE rate_buckets SET full_at = full_at - %s", by)


async def test_a_bucket_gives_what_it_has_and_no_more(tenant, allowances):
    """A new bucket is full; what it hasn't got is not given."""
    drawn = [
        (await allowances.draw(tenant.organization, tenant.organization, SLOW, units)).units
        for units in (4, 4, 4, 4)
    ]
    assert drawn == [4, 4, 2, 0]


async def test_a_draught_says_what_is_left(tenant, allowances):
    """What is left is what the next one gets."""
    first = await allowances.draw(tenant.organization, tenant.organization, SLOW, 4)
    assert first.left == pytest.approx(6, abs=0.1)
    rest = await allowances.draw(tenant.organization, tenant.organization, SLOW, 100)
    assert (rest.units, rest.left) == (6, pytest.approx(0, abs=0.1))


async def test_more_than_a_bucket_holds_is_never_given(tenant, allowances):
    """Not by its first draught, nor after however long a rest."""
    bucket, rate = new_id(), Rate(1.0, 10)
    assert (await allowances.draw(tenant.organization, bucket, rate, 1_000)).units == 10
    await age(tenant, timedelta(days=365))
    assert (await allowances.draw(tenant.organization, bucket, rate, 1_000)).units == 10


async def test_a_bucket_fills_at_its_rate(tenant, allowances):
    """Three seconds give three times what one gives."""
    bucket, rate = new_id(), Rate(2.0, 100)
    await allowances.draw(tenant.organization, bucket, rate, 100)
    await age(tenant, timedelta(seconds=3))
    assert (await allowances.draw(tenant.organization, bucket, rate, 100)).units in (6, 7)


async def test_buckets_have_nothing_to_do_with_each_other(tenant, allowances):
    """What is drawn from one is not missing in another, of the same organization or not."""
    await allowances.draw(tenant.organization, tenant.organization, SLOW, 10)
    assert (await allowances.draw(tenant.organization, new_id(), SLOW, 10)).units == 10


async def test_a_smaller_burst_counts_at_once(tenant, allowances):
    """After the setting was cut, a bucket gives by the new one, and is never in debt for ever."""
    bucket = new_id()
    await allowances.draw(tenant.organization, bucket, Rate(1.0, 100), 60)
    assert (await allowances.draw(tenant.organization, bucket, Rate(1.0, 10), 5)).units == 0
    await age(tenant, timedelta(seconds=60))
    assert (await allowances.draw(tenant.organization, bucket, Rate(1.0, 10), 5)).units == 5


async def test_many_draw_at_once(tenant):
    """Two hundred draughts over eight connections get exactly what there is."""
    rate = Rate(0.001, 100)
    async with open_pool(tenant.owner, "laydown_system", size=8) as pool:
        allowances = PostgresAllowances(pool)
        async with asyncio.TaskGroup() as tasks:
            draughts = [
                tasks.create_task(
                    allowances.draw(tenant.organization, tenant.organization, rate, 1 + n % 3)
                )
                for n in range(200)
            ]
    assert sum(each.result().units for each in draughts) == 100


async def test_full_buckets_are_forgotten(tenant, allowances):
    """A bucket that is full again leaves no row, another one stays as it is."""
    old, new = new_id(), new_id()
    await allowances.draw(tenant.organization, old, Rate(1.0, 10), 10)
    await age(tenant, timedelta(seconds=11))
    await allowances.draw(tenant.organization, new, SLOW, 10)
    assert await allowances.forget(limit=10) == 1
    assert await tenant.ask("SELECT bucket_id FROM rate_buckets") == [(new,)]


class Counting:
    """Allowances, and how often they were asked."""

    def __init__(self, allowances):
        self._allowances = allowances
        self.draughts = 0

    async def draw(self, *given):
        self.draughts += 1
        return await self._allowances.draw(*given)

    async def forget(self, *, limit):
        return await self._allowances.forget(limit=limit)


def caller(tenant: Tenant) -> Caller:
    return Caller(
        organization=tenant.organization,
        token=new_id(),
        principal=SOMEBODY,
        name="somebody",
        rights=None,
    )


async def test_a_request_costs_no_look_into_the_database(tenant, allowances):
    """A hundred requests draw twice from the token's bucket and once from the organization's."""
    counting, ours = Counting(allowances), caller(tenant)
    rating = Rating(
        allowances=counting,
        per_token=Rate(100, 6_000),
        per_organization=Rate(500, 30_000),
        refused=pytest.fail,
    )
    for _ in range(100):
        await rating.spend(ours)
    assert counting.draughts == 3


async def test_who_is_refused_costs_no_look_either(tenant, allowances):
    """A flood against an empty bucket asks the database a few times, not every time."""
    refused: list[str] = []
    counting, ours = Counting(allowances), caller(tenant)
    rating = Rating(
        allowances=counting, per_token=SLOW, per_organization=None, refused=refused.append
    )
    for _ in range(500):
        await rating.spend(ours)
    assert len(refused) == 490
    assert counting.draughts == 11  # a unit each, and the one that came back empty
    [standing] = await rating.spend(ours)
    assert (standing.bucket, standing.left, standing.wait) == (Bucket.TOKEN, 0, 1_000)


async def test_an_organization_has_so_many_keys(tenant, allowances):
    """Kept answers have a bucket of their own, which all of an organization's callers share."""
    refused: list[str] = []
    rating = Rating(
        allowances=allowances,
        per_token=None,
        per_organization=SLOW,
        kept_answers=Rate(0.001, 3),
        refused=refused.append,
    )
    waits = [(await rating.spend_key(caller(tenant)))[0].wait for _ in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0
    assert refused == [Bucket.KEYS]
    [organization] = await rating.spend(caller(tenant))
    assert organization.wait == 0


async def test_requests_at_once_share_a_draught(tenant, allowances):
    """A hundred that find nothing in hand wait for one draught."""
    counting, ours = Counting(allowances), caller(tenant)
    rating = Rating(
        allowances=counting, per_token=Rate(1, 10_000), per_organization=None, refused=pytest.fail
    )
    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(rating.spend(ours))
    assert counting.draughts == 1


async def test_a_refused_request_takes_nothing_from_the_other_bucket(tenant, allowances):
    """A token past its rate leaves the organization's bucket to the others."""
    rating = Rating(
        allowances=allowances,
        per_token=Rate(0.001, 1),
        per_organization=SLOW,
        refused=lambda _: None,
    )
    hasty = caller(tenant)
    for _ in range(100):
        await rating.spend(hasty)
    others = [await rating.spend(caller(tenant)) for _ in range(9)]
    assert all(standing.wait == 0 for standings in others for standing in standings)
    _, organization = await rating.spend(caller(tenant))
    assert organization.bucket is Bucket.ORGANIZATION
    assert organization.wait > 0
