"""The same delivery has the same receipt on one machine and on a distributed set-up."""

from pathlib import Path
from uuid import UUID

import pytest

from laydown import Client
from tests.e2e.site_ledger import check
from tests.e2e.test_schependomlaan import FOLDER

_PROJECT = "SCHEPENDOMLAAN"


def receipt(client: Client, batch: str) -> dict[str, tuple[object, ...]]:
    """Return what a receipt says of each path that depends on the delivery alone."""
    told = client.receipt(UUID(batch))
    assert told.final
    assert len({row.path for row in told.rows}) == len(told.rows)
    return {
        row.path: (row.state, row.reason, row.size, row.sha256, row.version) for row in told.rows
    }


def test_a_generated_delivery_has_one_receipt(yard, site, sample):
    """State, reason, digest and version of every path are the same on both, twice."""
    _compare(yard, site, sample[0], counts=sample[1].expected)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the sample is not beside the repository")
def test_a_real_delivery_has_one_receipt(yard, site):
    """A project of 334 files comes to the same on both, and again without a byte on the wire."""
    _compare(
        yard,
        site,
        FOLDER,
        counts={"ready": 276, "duplicate": 30, "skipped": 17, "rejected": 11},
    )


def _compare(yard, site, folder: Path, *, counts) -> None:
    expected = {state: number for state, number in counts.items() if number}
    for again in (False, True):
        here = yard.start_push(folder, project=_PROJECT).end(within=120)
        there = site.start_push(folder, project=_PROJECT).end(within=120)

        assert (here.code, here.counts) == (there.code, there.counts)
        assert again or there.counts == expected
        assert not again or there.sent == 0
        with yard.client() as one, site.client() as other:
            assert receipt(one, here.said["batch"]) == receipt(other, there.said["batch"])
    check(site)
