"""An SQS to test against: moto's server, which also speaks S3 events but proves no signature."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.engines.process import Process, folder, free_ports, program

REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """A running SQS: how to reach it, and how to hurt it. It keeps nothing when it is killed.

    moto takes a `WaitTimeSeconds` of 0 for "not given" and then waits as long as the queue says:
    20 seconds, unless the queue was made with a time of its own, as those made here are.
    """

    endpoint: str  # such as http://127.0.0.1:20333; the same for every service
    region: str
    access_key: str
    secret_key: str
    process: Process = field(repr=False)

    async def queue(
        self,
        name: str,
        *,
        visibility: int = 30,
        dead_letters: str | None = None,
        max_receives: int = 5,
    ) -> str:
        """Make a queue and return its URL.

        A message that was received stays hidden for *visibility* seconds. With the URL of a
        queue for *dead_letters*, it goes there instead of being received once more than
        *max_receives* times. The queue doesn't wait for messages unless a receive says so.
        """
        return await asyncio.to_thread(
            self._make, name, visibility=visibility, dead=dead_letters, receives=max_receives
        )

    def _make(self, name: str, *, visibility: int, dead: str | None, receives: int) -> str:
        attributes = {"VisibilityTimeout": str(visibility), "ReceiveMessageWaitTimeSeconds": "0"}
        with self.client() as sqs:
            if dead is not None:
                answer = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
                policy = {
                    "deadLetterTargetArn": answer["Attributes"]["QueueArn"],
                    "maxReceiveCount": receives,
                }
                attributes["RedrivePolicy"] = json.dumps(policy)
            url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return str(url)

    @contextmanager
    def client(self, service: str = "sqs", **settings: Any) -> Iterator[Any]:
        """Yield a botocore client of *service*; *settings* go to its `Config`."""
        plain = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 30}
        client = botocore.session.Session().create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(**{**plain, **settings}),
        )
        try:
            yield client
        finally:
            client.close()

    def pause(self) -> None:
        """Answer nothing from now on, with connections left open."""
        self.process.pause()

    def resume(self) -> None:
        """Go on where `pause` stopped."""
        self.process.resume()

    def kill(self) -> None:
        """End it at once; its queues and messages are gone."""
        self.process.kill()

    async def start_again(self) -> None:
        """Start it after `kill`, on the same port and empty."""
        await asyncio.to_thread(self.start)

    def start(self) -> None:
        """Do what `start_again` does, for a caller that can't await."""
        with self.client(connect_timeout=1, read_timeout=5) as sqs:
            self.process.start(lambda: _answers(sqs))


@contextmanager
def running_queues() -> Iterator[Queues]:
    """Run moto's server; end it after.

    Raises `EngineMissingError` when it isn't installed, `EngineFailedError` when it won't start.
    """
    program("moto_server", otherwise="run 'make setup', which installs moto")
    [port] = free_ports(1)
    # What moto asks of the world for some services, it asks in vain; SQS needs none of it.
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    quiet = {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}
    with folder("moto") as place:
        # -P: or the modules beside the program would hide those of the standard library.
        server = Path(__file__).with_name("queue_server.py")
        argv = [sys.executable, "-P", str(server), "-H", "127.0.0.1", "-p", str(port)]
        queues = Queues(
            endpoint=f"http://127.0.0.1:{port}",
            region=REGION,
            access_key="testing",
            secret_key="testing",
            process=Process("moto", argv, folder=place, env={**nowhere, **quiet}),
        )
        try:
            queues.start()
            yield queues
        finally:
            queues.kill()


def _answers(sqs: Any) -> bool:
    try:
        sqs.list_queues()
    except (BotoCoreError, ClientError):
        return False
    return True
