"""What a client that is no `push` does with a site, step by step, through whichever api."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

from laydown import Client, wire
from laydown.domain.upload import object_key
from laydown.ports import Office
from tests.e2e.ledger import Database
from tests.e2e.site import Site
from tests.e2e.yard import PATIENCE, until

_LOCKS = 0x6C61_7964  # what offices' advisory locks begin with, see postgres/queries/leading.sql
_OFFICES = {1: Office.RELAY, 2: Office.SWEEPER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Files that were declared together; *part_sizes* only of those that go in parts."""

    batch: UUID
    contents: Mapping[str, bytes]  # by path
    uploads: Mapping[str, UUID]
    part_sizes: Mapping[UUID, int]


def declared(client: Client, reference: str, contents: Mapping[str, bytes]) -> Delivery:
    """Declare files in a batch of that reference, none with its digest."""
    project = client.ensure_project("BY-HAND")
    entries = [
        wire.Entry(key=path, path=path, size=len(content)) for path, content in contents.items()
    ]
    answer = client.declare(project.id, reference=reference, entries=entries)
    verdicts = {verdict.key: verdict for verdict in answer.verdicts}
    assert {verdict.verdict for verdict in verdicts.values()} == {"send"}
    uploads, part_sizes = {}, {}
    for path, verdict in verdicts.items():
        assert verdict.upload_id is not None
        assert verdict.plan is not None
        uploads[path] = verdict.upload_id
        if verdict.plan.part_size is not None:
            part_sizes[verdict.upload_id] = verdict.plan.part_size
    return Delivery(
        batch=answer.batch.id, contents=contents, uploads=uploads, part_sizes=part_sizes
    )


def send(client: Client, delivery: Delivery, *paths: str) -> None:
    """Put every byte of these files, of all when none is named, and say nothing of it."""
    names = {delivery.uploads[path]: path for path in paths or delivery.contents}
    wanted = [wire.WantedUpload(id=upload) for upload in names]
    for grant in client.grants(delivery.batch, wanted, limit=1_000):
        assert grant.needs_completion
        content = delivery.contents[names[grant.id]]
        size = delivery.part_sizes.get(grant.id, len(content))
        for part in grant.parts:
            _put(part, content[(part.number - 1) * size : part.number * size])


def _put(grant: wire.PartGrant, content: bytes) -> None:
    """Do what a browser does with a grant."""
    url = urlsplit(grant.url)
    line = HTTPConnection(url.netloc, timeout=PATIENCE)
    try:
        line.request(grant.method, f"{url.path}?{url.query}", content, dict(grant.headers))
        answer = line.getresponse()
        told = answer.read()
        assert answer.status == HTTPStatus.OK, told
    finally:
        line.close()


def complete(client: Client, delivery: Delivery, *paths: str) -> None:
    """Say that these files, all when none is named, are sent; they must be."""
    uploads = [delivery.uploads[path] for path in paths or delivery.contents]
    answers = client.complete(delivery.batch, uploads)
    assert {answer.code for answer in answers} == {None}


def is_ready(client: Client, delivery: Delivery) -> bool:
    """Say whether every file of a delivery is ready."""
    return client.batch(delivery.batch).counts == {"ready": len(delivery.contents)}


def tell(site: Site, *keys: str) -> None:
    """Have the store's queue carry, in one message, that these objects were put."""
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": site.seaweed.region,
            "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": site.bucket, "arn": f"arn:aws:s3:::{site.bucket}"},
                "object": {"key": key},
            },
        }
        for key in keys
    ]
    say(site, {"Records": records})


def say(site: Site, message: object) -> None:
    """Have the store's queue carry a message."""
    with site.queues.client() as sqs:
        sqs.send_message(QueueUrl=site.notices, MessageBody=json.dumps(message))


def keys_of(site: Site, delivery: Delivery) -> list[str]:
    """Return the keys under which a delivery's first attempts are stored."""
    with site.database() as database:
        [[organization]] = database.execute(
            "SELECT organization_id FROM batches WHERE id = %s", [delivery.batch]
        )
    return [object_key(organization, upload, 1) for upload in delivery.uploads.values()]


def holders(database: Database, office: Office) -> list[str]:
    """Return the names of the nodes that hold an office at this moment."""
    rows = database.execute(
        "SELECT a.usename, l.objid FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s"
        " AND a.datname = current_database()",
        [_LOCKS],
    )
    return [name for name, number in rows if _OFFICES.get(number) is office]


def holder(site: Site, office: Office, *, within: float = 15.0) -> str:
    """Return the name of the node that holds an office, once one does; never do two."""
    with site.database() as database:

        def found() -> list[str]:
            names = holders(database, office)
            assert len(names) <= 1, f"{names} are the {office} at once"
            return names

        [name] = until(found, what=f"a worker is the {office}", within=within)
    return str(name)
