"""A file that could not be checked is no dead end: whoever looks is told, and tries it again."""

import signal
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import expect

from laydown.domain.jobs import MOST_ATTEMPTS
from tests.browser.chromium import IN_BROWSER
from tests.e2e.yard import tell, until

pytestmark = IN_BROWSER

_FILES = 3


class Withheld:
    """One file of a delivery, whose bytes the disk doesn't give out."""

    def __init__(self, batch: UUID, name: str, stored: Path) -> None:
        self.batch = batch
        self.name = name
        self._stored = stored
        self._aside = stored.with_name(f"{stored.name}-aside")

    def withhold(self) -> None:
        """Let whoever opens it follow a link that leads nowhere."""
        self._stored.rename(self._aside)
        self._stored.symlink_to(self._stored)

    def release(self) -> None:
        """Give it out again."""
        if self._stored.is_symlink():
            self._aside.rename(self._stored)


@pytest.fixture
def withheld(yard, client, project, make_folder):
    """Deliver files, and let the check of one be given up; it was its last attempt."""
    worker = yard.pid_of("worker")
    tell(worker, signal.SIGSTOP)
    try:
        push = yard.start_push(make_folder(files=_FILES, size=100).path, project=project.code)
        [batch] = until(
            lambda: [
                each
                for each in client.batches(project_id=project.id)
                if each.counts.get("checking") == _FILES
            ],
            what="all files have arrived",
        )
        upload = next(iter(client.uploads(batch.id)))
        [stored] = yard.data.rglob(f"{upload.id}.*")
        file = Withheld(batch.id, upload.path, stored)
        file.withhold()
        with yard.database() as database:
            database.execute(
                "UPDATE jobs SET attempt = %s WHERE upload_id = %s", (MOST_ATTEMPTS - 1, upload.id)
            )
    finally:
        tell(worker, signal.SIGCONT)
    assert push.end().counts == {"ready": _FILES - 1, "failed": 1}
    yield file
    file.release()
    with yard.database() as database:
        database.execute("DELETE FROM jobs WHERE dead_at IS NOT NULL")


async def test_a_delivery_is_tried_again(person, withheld):
    """Its page counts the file as failed; once the disk is well, one button makes it ready."""
    await person.visit(f"/deliveries/{withheld.batch}")
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES - 1, "Failed": 1}
    withheld.release()
    await person.button("Try 1 file again").click()
    await person.sees_ready(_FILES)
    await person.sees_end(_FILES)
    assert await person.numbers() == {"Ready": _FILES}


async def test_an_operator_tries_the_job_again(person, withheld):
    """The job stands among those given up with its error and its file; replayed, it succeeds."""
    await person.visit("/operate")
    jobs = person.page.get_by_role("region", name="Jobs given up")
    await expect(jobs.get_by_role("listitem")).to_have_count(1)
    await jobs.get_by_text("Checking a file").click()
    await expect(jobs.get_by_role("link", name=withheld.name)).to_be_visible()
    withheld.release()
    await jobs.get_by_role("button", name="Try again").click()
    await expect(jobs.get_by_text("The job is tried again.")).to_be_visible()
    await jobs.get_by_text("Checking a file").wait_for(state="detached")
    await person.visit(f"/deliveries/{withheld.batch}")
    await person.sees_ready(_FILES)


async def test_an_operator_lets_a_job_go(person, client, withheld):
    """Discarded, and that only when asked twice, it is off the list; its file stays failed."""
    await person.visit("/operate")
    jobs = person.page.get_by_role("region", name="Jobs given up")
    await jobs.get_by_role("button", name="Discard").click()
    question = person.page.get_by_role("dialog")
    await question.get_by_role("button", name="Keep it").click()
    await expect(jobs.get_by_role("listitem")).to_have_count(1)
    await jobs.get_by_role("button", name="Discard").click()
    await question.get_by_role("button", name="Discard").click()
    await expect(jobs.get_by_text("No job was given up.")).to_be_visible()
    assert client.batch(withheld.batch).counts == {"ready": _FILES - 1, "failed": 1}
