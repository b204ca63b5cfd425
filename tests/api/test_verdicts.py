"""A verdict that never comes is seen: in the metrics, in what readiness says, and by doctor."""

import asyncio
import re
import sys
from dataclasses import replace
from itertools import count

import pytest

from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import parse_key
from laydown.ports import Judgement
from laydown.services.arriving import Arriving
from laydown.settings import Settings
from tests.api.installation import Installation
from tests.api.talk import Talk

CLEAN = Scan(scanner="guardduty", verdict=Verdict.CLEAN)
_numbers = count(1)


@pytest.fixture
async def settings(settings: Settings, seaweed, queues, sqs, monkeypatch) -> Settings:
    """Return settings of a server whose bucket GuardDuty is said to look through."""
    name = f"verdicts-{next(_numbers)}"
    sqs.create_queue(QueueName=name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweed.secret_key)
    bucket = await seaweed.bucket(name)
    return replace(
        settings,
        store=f"s3://{bucket}?endpoint={seaweed.endpoint}&region={seaweed.region}",
        notices=f"sqs://{name}?endpoint={queues.endpoint}&region={queues.region}",
        scanner="guardduty",
    )


@pytest.fixture
async def waiting(server: Installation, ours: Talk, project: str) -> list[str]:
    """Send two files and prove them; return the keys of their objects, oldest first."""
    await ours.lay(project, {"a.txt": b"a", "b.txt": b"b"})
    await server.run_until_quiet()
    return [key for (key,) in await server.ask("SELECT object_key FROM uploads ORDER BY key")]


async def told(ours: Talk) -> tuple[float, float]:
    """Return what the metrics say: how many files wait, and the oldest for how many seconds."""
    text = (await ours.ask("GET", "/metrics", expect=200)).body.decode()
    values = dict(re.findall(r"^laydown_unjudged_(\w+) (.+)$", text, re.MULTILINE))
    return float(values["files"]), float(values["oldest_seconds"])


async def scanner(ours: Talk) -> dict:
    """Return what readiness says of the scanner."""
    ready = await ours.get("/readyz")
    assert ready["ok"] is True
    [check] = [each for each in ready["checks"] if each["name"] == "scanner"]
    return check


async def older(server: Installation, key: str, minutes: int) -> None:
    """Let a file have waited for so much longer."""
    age = f"{minutes} minutes"
    await server.ask(
        "UPDATE proofs SET proven_at = proven_at - %s::interval WHERE object_key = %s", age, key
    )


async def judged(server: Installation, key: str) -> None:
    """Let the scanner call a file clean, and have it published."""
    said = Judgement(name=parse_key(key), scan=CLEAN)
    await Arriving(ledger=server.database.ledger).judged([said])
    await server.run_until_quiet()


async def test_what_waits_for_a_verdict_is_counted(server, ours, waiting):
    """Files count from their proof to their verdict, and the oldest tells since when."""
    first, second = waiting
    await older(server, first, 5)
    files, oldest = await told(ours)
    assert files == 2
    assert 300 <= oldest < 400
    assert (await scanner(ours))["remedy"] is None

    await judged(server, first)
    files, oldest = await told(ours)
    assert files == 1
    assert 0 <= oldest < 100
    await judged(server, second)
    assert await told(ours) == (0, 0)


async def test_proving_again_does_not_make_it_young(server, ours, waiting):
    """A file that is looked at again has waited since the first time."""
    await older(server, waiting[0], 20)
    await server.ask(
        "INSERT INTO jobs (id, organization_id, kind, upload_id) SELECT gen_random_uuid(), "
        "organization_id, 'prove', id FROM uploads"
    )
    await server.run_until_quiet()
    assert (await told(ours))[1] >= 1200


async def test_what_is_no_longer_checked_does_not_wait(server, ours, waiting):
    """A proof that an upload left behind when it was given up is not counted."""
    assert (await told(ours))[0] == len(waiting)
    await server.ask("UPDATE uploads SET state = 'failed', reason = 'processing_gave_up'")
    assert await told(ours) == (0, 0)
    assert (await scanner(ours))["detail"] == "no file waits for GuardDuty's verdict"


async def test_a_verdict_that_never_comes_has_a_remedy(server, ours, waiting):
    """After ten minutes readiness, and doctor by it, say what to look at; requests are taken."""
    await older(server, waiting[1], 11)
    check = await scanner(ours)
    assert check["detail"] == "2 files wait for GuardDuty's verdict, the oldest for 11 min"
    assert "LAYDOWN_NOTICES" in check["remedy"]

    doctor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "laydown", "doctor", "--url", server.url, "--token", ours.token),
        stdout=asyncio.subprocess.PIPE,
    )
    said = (await doctor.communicate())[0].decode()
    assert doctor.returncode == 1
    assert f"✗ scanner: {check['detail']}\n  {check['remedy']}\n" in said
