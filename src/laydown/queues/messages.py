"""What a job looks like in a queue: its id and whose it is, and nothing of what it does."""

import json
from uuid import UUID

from laydown.domain.upload import OrganizationId
from laydown.ports import Announced
from laydown.queues.client import Letter


def letter_of(job: Announced) -> Letter:
    """Return the message that announces a job, grouped by organization.

    A standard queue with groups is a fair one: it holds back the messages of an organization that
    has many under way, for the good of the others.
    """
    body = {"job": str(job.id), "organization": str(job.organization)}
    return Letter(body=json.dumps(body), group=str(job.organization), trace=job.trace)


def announced_of(body: str) -> Announced:
    """Return the job a message announces; raise `ValueError` for what is no such message."""
    match decoded(body):
        case {"job": str(job), "organization": str(organization)}:
            return Announced(id=UUID(job), organization=OrganizationId(UUID(organization)))
        case _:
            raise ValueError("not the announcement of a job")


def decoded(body: str) -> object:
    """Return what a message says in JSON; raise `ValueError` for anything that is none."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply to be meant") from error
