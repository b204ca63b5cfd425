"""What the tests' own servers enforce: a promise proven on one that enforces nothing is none."""

import base64
import http.client
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from awscrt import checksums
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.compat import get_current_datetime
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.engines.clamd import VERDICT, Clamd, eicar, instream, running_clamd, zipped
from tests.engines.process import EngineFailedError, Process
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed, running_seaweed

MIB = 1 << 20
SMALLEST_PART = 5 * MIB
_numbers = count(1)


def crc(content: bytes) -> str:
    """Return the CRC64NVME of *content* as S3 writes it."""
    return base64.b64encode(checksums.crc64nvme(content).to_bytes(8, "big")).decode()


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    """Return what S3 called it."""
    return str(refused.value.response["Error"]["Code"])


@dataclass(frozen=True)
class Bucket:
    """A bucket of the test's own, spoken to with signed URLs and with botocore."""

    server: Seaweed
    name: str
    s3: Any

    def url(
        self,
        key: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        expires: int = 60,
        secret: str | None = None,
    ) -> str:
        """Return a URL for a PUT of *key*, which must come with these headers."""
        address = f"{self.server.endpoint}/{self.name}/{key}"
        request = AWSRequest("PUT", address, headers=dict(headers or {}), params=dict(query or {}))
        credentials = Credentials(self.server.access_key, secret or self.server.secret_key)
        S3SigV4QueryAuth(credentials, "s3", self.server.region, expires=expires).add_auth(request)
        return str(request.url)

    def put(self, url: str, content: bytes, **headers: str) -> tuple[int, str]:
        """Send *content*; return the status, and the code of the error or else the ETag."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        try:
            spoken = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("PUT", f"{parts.path}?{parts.query}", body=content, headers=spoken)
            answer = connection.getresponse()
            body = answer.read().decode()
            found = re.search(r"<Code>(\w+)</Code>", body)
            return answer.status, found[1] if found else answer.headers.get("ETag", "")
        finally:
            connection.close()

    def begin(self, key: str) -> str:
        """Begin a multipart upload with a checksum of the whole; return its id."""
        answer = self.s3.create_multipart_upload(
            Bucket=self.name, Key=key, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
        )
        return str(answer["UploadId"])

    def part(self, key: str, upload: str, number: int, content: bytes) -> dict[str, Any]:
        """Send a part; return what completing needs of it."""
        query = {"partNumber": str(number), "uploadId": upload}
        status, etag = self.put(self.url(key, query=query), content)
        assert status == 200, etag
        return {"PartNumber": number, "ETag": etag}

    def complete(self, key: str, upload: str, *parts: Mapping[str, Any], **more: Any) -> Any:
        """Join the parts."""
        return self.s3.complete_multipart_upload(
            Bucket=self.name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **more
        )

    def holds(self, key: str) -> bool:
        """Tell whether there is such an object."""
        return key in {
            found["Key"] for found in self.s3.list_objects_v2(Bucket=self.name).get("Contents", ())
        }


@pytest.fixture
def bucket(seaweed: Seaweed) -> Iterator[Bucket]:
    name = seaweed.make_bucket(f"engines-{next(_numbers)}")
    with seaweed.client() as s3:
        yield Bucket(seaweed, name, s3)


def test_seaweed_takes_what_is_signed_and_nothing_else(bucket: Bucket):
    """A wrong secret, a changed URL, another key and no signature at all are refused."""
    url = bucket.url("plan.pdf")
    plain = url.partition("?")[0]

    assert bucket.put(bucket.url("plan.pdf", secret="wrong"), b"x")[1] == "SignatureDoesNotMatch"
    assert bucket.put(f"{url}0", b"x")[1] == "SignatureDoesNotMatch"
    assert bucket.put(url.replace("plan", "other"), b"x")[1] == "SignatureDoesNotMatch"
    assert bucket.put(plain, b"x") == (403, "AccessDenied")
    assert not bucket.holds("plan.pdf")
    assert bucket.put(url, b"x")[0] == 200


def test_seaweed_refuses_an_expired_url(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """A URL signed an hour ago for a minute is good for nothing; one for two hours still is."""
    now = get_current_datetime(remove_tzinfo=True)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: now - timedelta(hours=1))

    assert bucket.put(bucket.url("plan.pdf", expires=60), b"x") == (403, "AccessDenied")
    assert bucket.put(bucket.url("plan.pdf", expires=7200), b"x")[0] == 200


@pytest.mark.parametrize("sent", [b"1234", b"123456"])
def test_seaweed_enforces_a_signed_length(bucket: Bucket, sent: bytes):
    """A URL for five bytes takes five bytes."""
    url = bucket.url("plan.pdf", headers={"content-length": "5"})

    assert bucket.put(url, sent) == (403, "SignatureDoesNotMatch")
    assert bucket.put(url, b"12345")[0] == 200


def test_seaweed_enforces_a_signed_checksum(bucket: Bucket):
    """Other bytes, no checksum or another checksum than the signed one: refused, not stored."""
    name = "x-amz-checksum-crc64nvme"
    url = bucket.url("plan.pdf", headers={name: crc(b"hello")})

    assert bucket.put(url, b"hallo", **{name: crc(b"hello")}) == (400, "BadDigest")
    assert bucket.put(url, b"hello") == (403, "SignatureDoesNotMatch")
    assert bucket.put(url, b"hallo", **{name: crc(b"hallo")}) == (403, "SignatureDoesNotMatch")
    assert not bucket.holds("plan.pdf")
    assert bucket.put(url, b"hello", **{name: crc(b"hello")})[0] == 200


def test_seaweed_keeps_a_checksum_for_who_asks(bucket: Bucket):
    """HEAD tells the checksum that was sent, when it is asked to."""
    name = "x-amz-checksum-crc64nvme"
    url = bucket.url("plan.pdf", headers={name: crc(b"hello")})
    bucket.put(url, b"hello", **{name: crc(b"hello")})

    silent = bucket.s3.head_object(Bucket=bucket.name, Key="plan.pdf")
    asked = bucket.s3.head_object(Bucket=bucket.name, Key="plan.pdf", ChecksumMode="ENABLED")

    assert "ChecksumCRC64NVME" not in silent
    assert asked["ChecksumCRC64NVME"] == crc(b"hello")


def test_seaweed_never_writes_over_an_object_when_told_not_to(bucket: Bucket):
    """Of many PUTs with `If-None-Match: *` one succeeds; the others are told 412."""
    url = bucket.url("plan.pdf", headers={"if-none-match": "*"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: bucket.put(url, bytes([n]), **{"if-none-match": "*"}), range(8))
        )

    assert sorted(answers)[1:] == [(412, "PreconditionFailed")] * 7
    assert bucket.put(url, b"x") == (403, "SignatureDoesNotMatch")


def test_seaweed_checks_the_whole_when_parts_are_joined(bucket: Bucket):
    """A wrong CRC64NVME of the whole is refused and the parts stay; the right one is answered."""
    upload = bucket.begin("plan.pdf")
    big, rest = b"a" * SMALLEST_PART, b"the rest"
    parts = [bucket.part("plan.pdf", upload, 1, big), bucket.part("plan.pdf", upload, 2, rest)]
    whole = {"ChecksumType": "FULL_OBJECT", "IfNoneMatch": "*"}

    with pytest.raises(ClientError) as refused:
        bucket.complete("plan.pdf", upload, *parts, ChecksumCRC64NVME=crc(big), **whole)
    joined = bucket.complete("plan.pdf", upload, *parts, ChecksumCRC64NVME=crc(big + rest), **whole)

    assert code_of(refused) == "BadDigest"
    assert joined["ChecksumCRC64NVME"] == crc(big + rest)
    assert joined["ChecksumType"] == "FULL_OBJECT"


def test_seaweed_refuses_small_parts_and_wrong_ones(bucket: Bucket):
    """A part under 5 MiB that isn't the last and an ETag of other bytes: refused, parts stay."""
    upload = bucket.begin("plan.pdf")
    parts = [bucket.part("plan.pdf", upload, n, bytes([n]) * 1000) for n in (1, 2)]

    with pytest.raises(ClientError) as small:
        bucket.complete("plan.pdf", upload, *parts)
    with pytest.raises(ClientError) as wrong:
        bucket.complete("plan.pdf", upload, {"PartNumber": 1, "ETag": '"0"'})

    assert (code_of(small), code_of(wrong)) == ("EntityTooSmall", "InvalidPart")
    listed = bucket.s3.list_parts(Bucket=bucket.name, Key="plan.pdf", UploadId=upload)
    assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2]


def test_seaweed_joins_onto_nothing_when_told_so(bucket: Bucket):
    """`If-None-Match: *` holds for a join too."""
    upload = bucket.begin("plan.pdf")
    part = bucket.part("plan.pdf", upload, 1, b"second")
    bucket.s3.put_object(Bucket=bucket.name, Key="plan.pdf", Body=b"first")

    with pytest.raises(ClientError) as refused:
        bucket.complete("plan.pdf", upload, part, IfNoneMatch="*")

    assert code_of(refused) == "PreconditionFailed"


def test_seaweed_denies_what_a_policy_denies(bucket: Bucket):
    """A bucket policy binds us too: objects tagged as rejected can't be read."""
    for key, state in (("good.pdf", "clean"), ("bad.pdf", "rejected")):
        bucket.s3.put_object(
            Bucket=bucket.name, Key=key, Body=b"x", Tagging=urlencode({"state": state})
        )
    condition = {"StringEquals": {"s3:ExistingObjectTag/state": "rejected"}}
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket.name}/*",
        "Condition": condition,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bucket.s3.put_bucket_policy(Bucket=bucket.name, Policy=policy)

    assert bucket.s3.get_object(Bucket=bucket.name, Key="good.pdf")["Body"].read() == b"x"
    with pytest.raises(ClientError) as refused:
        bucket.s3.get_object(Bucket=bucket.name, Key="bad.pdf")
    assert code_of(refused) == "AccessDenied"


def test_seaweed_keeps_what_it_answered_for_when_it_is_killed(seaweed: Seaweed):
    """After a `kill -9` it comes back on the same address with every object it confirmed."""
    del seaweed  # skips where there is none; the one that is hurt is our own
    with running_seaweed() as hurt, hurt.client(read_timeout=0.5) as s3:
        hurt.make_bucket("kept")
        s3.put_object(Bucket="kept", Key="plan.pdf", Body=b"safe")

        hurt.kill()
        with pytest.raises(EndpointConnectionError):
            s3.list_objects_v2(Bucket="kept")
        hurt.start()
        assert s3.get_object(Bucket="kept", Key="plan.pdf")["Body"].read() == b"safe"

        hurt.pause()
        with pytest.raises(ReadTimeoutError):
            s3.list_objects_v2(Bucket="kept")
        hurt.resume()
        assert s3.get_object(Bucket="kept", Key="plan.pdf")["Body"].read() == b"safe"


async def test_a_queue_gives_up_on_a_message_after_its_receives(queues: Queues):
    """What was received too often is in the queue for dead letters, and only there."""
    dead = await queues.queue("given-up")
    jobs = await queues.queue("jobs", visibility=0, dead_letters=dead, max_receives=2)

    with queues.client() as sqs:
        sqs.send_message(QueueUrl=jobs, MessageBody="poison", MessageGroupId="acme")
        received = [
            len(sqs.receive_message(QueueUrl=jobs, WaitTimeSeconds=0).get("Messages", []))
            for _ in range(3)
        ]
        [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=0)["Messages"]

    assert received == [1, 1, 0]
    assert letter["Body"] == "poison"


async def test_a_queue_loses_nothing_that_is_sent_while_it_is_emptied(queues: Queues):
    """Whatever is sent is received, also when others delete at the same moment."""
    url = await queues.queue("busy")

    def send(sender: int) -> None:
        with queues.client() as sqs:
            for number in range(20):
                sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}")

    def empty() -> set[str]:
        got: set[str] = set()
        with queues.client() as sqs:
            while answer := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages"):
                for message in answer:
                    got.add(message["Body"])
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return got

    with ThreadPoolExecutor(4) as pool:
        senders = [pool.submit(send, number) for number in range(3)]
        received = pool.submit(empty).result()
        for sender in senders:
            sender.result()
        received |= empty()

    assert received == {f"{sender}-{number}" for sender in range(3) for number in range(20)}


def test_clamd_finds_eicar_however_it_is_wrapped(clamd: Clamd):
    """Bare, in a zip, in a zip in a zip and in the middle of something: found. A plan: clean."""
    wrapped = [eicar(), zipped(eicar()), zipped(eicar(), depth=2), b"%PDF" + eicar() + bytes(999)]

    assert {instream(clamd.path, content) for content in wrapped} == {
        f"stream: {VERDICT} FOUND\0".encode()
    }
    assert instream(clamd.path, b"a plan") == b"stream: OK\0"


def test_clamd_says_so_when_a_stream_is_too_long(clamd: Clamd):
    """One byte more than it may take isn't called clean."""
    assert clamd.stream_max > MIB
    with running_clamd(stream_max=MIB) as small:
        assert instream(small.path, bytes(MIB)) == b"stream: OK\0"
        assert b"size limit exceeded" in instream(small.path, bytes(MIB + 1))


LEFT_ALONE = """
import os, sys
from pathlib import Path
from tests.engines.process import EngineFailedError, Process

process = Process("idle", ["sleep", "600"], folder=Path(sys.argv[1]), env={})
process.start(lambda: True)
print(process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_test_session_leaves_no_server(tmp_path: Path):
    """Even `kill -9` of the tests ends what they started."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT_ALONE, tmp_path],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        timeout=30,
        check=False,
    )

    fd = _handle(int(done.stdout))
    if fd is not None:
        with os.fdopen(fd):
            readable, _, _ = select.select([fd], [], [], 10)
            assert readable, "the server outlived the session by ten seconds"


def test_a_server_that_does_not_start_says_why(tmp_path: Path):
    """The error holds the server's own last words."""
    script = "echo no room on this machine; exit 3"
    process = Process("broken", ["/bin/sh", "-c", script], folder=tmp_path, env={})

    with pytest.raises(EngineFailedError, match=r"(?s)ended with code 3.*no room on this machine"):
        process.start(lambda: False)


def _handle(pid: int) -> int | None:
    """Return a descriptor that is readable once the process has ended; None when it has."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None
