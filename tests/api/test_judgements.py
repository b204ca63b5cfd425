"""A scanner beside the store tells us what it found: its word and our proof meet in any order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import pytest

from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import OrganizationId, UploadId, parse_key
from laydown.ports import Judgement
from laydown.services.arriving import Arriving
from laydown.services.proving import Proving
from tests.api.installation import Installation
from tests.api.talk import Talk

PLAN = b"a plan\n"
PATH = "plan.txt"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A file that has arrived and of which nothing is known yet."""

    server: Installation
    talk: Talk
    project: str
    batch: str
    upload: UploadId
    key: str

    async def prove(self) -> None:
        """Do the job that reads it, as a worker does that awaits another's verdicts."""
        proving = Proving(
            ledger=self.server.database.ledger,
            store=self.server.store,
            reader=self.server.store,
            patrol=self.server.database.system,
            policy=self.server.settings.policy,
            awaits_verdicts=True,
        )
        await proving.prove(OrganizationId(parse_key(self.key).organization), [self.upload])

    async def judge(
        self, verdict: Verdict, threat: str | None = None, version: str | None = None
    ) -> None:
        """Say what the scanner says."""
        scan = Scan(scanner="guardduty", verdict=verdict, threat=threat, version=version)
        told = Judgement(name=parse_key(self.key), scan=scan)
        await Arriving(ledger=self.server.database.ledger).judged([told])

    async def state(self) -> tuple[str, str | None]:
        """Return where the upload is, and why."""
        return await self.talk.state(self.batch, PATH)

    async def proofs(self) -> int:
        """Return how many proofs wait for a word."""
        return len(await self.server.ask("SELECT object_key FROM proofs"))


@pytest.fixture
async def waiting(server: Installation, ours: Talk, project: str) -> Waiting:
    """Send a file, and let no worker near it."""
    batch, uploads = await ours.lay(project, {PATH: PLAN})
    [(key,)] = await server.ask("SELECT object_key FROM uploads")
    upload = UploadId(UUID(uploads[PATH]))
    return Waiting(server=server, talk=ours, project=project, batch=batch, upload=upload, key=key)


async def proof_first(waiting: Waiting, verdict: Verdict, threat: str | None = None) -> None:
    """Prove it, then hear the word; hearing has it proven again."""
    await waiting.prove()
    assert await waiting.state() == ("checking", None)
    assert await waiting.talk.documents(waiting.project) == []
    await waiting.judge(verdict, threat)
    await waiting.prove()


async def word_first(waiting: Waiting, verdict: Verdict, threat: str | None = None) -> None:
    """Hear the word before anybody has read a byte."""
    await waiting.judge(verdict, threat)
    assert await waiting.state() == (waiting.server.arrived, None)
    await waiting.prove()


both_orders = pytest.mark.parametrize(
    "order", [proof_first, word_first], ids=["proof first", "word first"]
)


@both_orders
async def test_clean_publishes_whichever_comes_second(
    waiting: Waiting, order: Callable[..., Awaitable[None]]
) -> None:
    """It takes both, and nothing waits once both are there."""
    await order(waiting, Verdict.CLEAN)
    assert await waiting.state() == ("ready", None)
    assert await waiting.server.ask("SELECT scanned_by FROM blobs") == [("guardduty",)]
    assert await waiting.proofs() == 0


@both_orders
async def test_infected_refuses_whichever_comes_second(
    waiting: Waiting, order: Callable[..., Awaitable[None]]
) -> None:
    """It is refused by the threat's name, and no version was ever there."""
    await order(waiting, Verdict.INFECTED, "Trojan.Test")
    assert await waiting.state() == ("rejected", "infected")
    assert (await waiting.talk.uploads(waiting.batch))[PATH]["detail"] == "Trojan.Test"
    assert await waiting.server.ask("SELECT id FROM versions") == []
    assert await waiting.proofs() == 0


async def test_hearing_it_twice_changes_nothing(waiting: Waiting) -> None:
    """Results come at least once; the second time there is nothing left to do."""
    await proof_first(waiting, Verdict.CLEAN)
    before = await waiting.server.ask("SELECT number FROM events ORDER BY number")
    await waiting.judge(Verdict.CLEAN)
    await waiting.prove()
    assert await waiting.server.ask("SELECT number FROM events ORDER BY number") == before


async def test_a_word_about_other_bytes_is_not_the_one_awaited(waiting: Waiting) -> None:
    """A verdict on another version of the object publishes nothing; the one on this does."""
    await waiting.prove()
    await waiting.server.ask("UPDATE proofs SET store_version = 'v2'")
    await waiting.judge(Verdict.CLEAN, version="v1")
    await waiting.prove()
    assert await waiting.state() == ("checking", None)
    await waiting.judge(Verdict.CLEAN, version="v2")
    await waiting.prove()
    assert await waiting.state() == ("ready", None)


async def test_a_word_that_comes_too_late_takes_it_back(waiting: Waiting) -> None:
    """Found infected after it was published, it can't be fetched, and its bytes are to go."""
    await proof_first(waiting, Verdict.CLEAN)
    version = (await waiting.talk.document(waiting.project, PATH))["current"]["id"]
    await waiting.judge(Verdict.INFECTED, "Trojan.Test")
    answer = await waiting.talk.ask("GET", f"/v1/versions/{version}/content", expect=403)
    assert answer.code == "infected"
    assert await waiting.state() == ("ready", None)
    found = await waiting.server.ask("SELECT object_key FROM jobs WHERE kind = 'quarantine'")
    assert found == [(waiting.key,)]
