"""A role that can't be assumed is called that, and not a store or a queue that is away."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laydown.bootstrap.doctoring import examine
from laydown.domain.errors import StoreUnavailable
from laydown.objects.credentials import Credentials
from laydown.objects.s3 import S3Store
from laydown.objects.s3_http import S3Client, connected
from laydown.settings import Settings
from tests.byte_support import make_upload, serving
from tests.engines.queue import Queues
from tests.engines.seaweed import Seaweed
from tests.s3_support import address_of

ROLE = "arn:aws:iam::123456789012:role/laydown"
# As "Common errors" and "AssumeRoleWithWebIdentity" of the AWS STS API reference have them.
REFUSALS = {
    "AccessDenied": (403, f"User: is not authorized to perform: sts:AssumeRole on: {ROLE}"),
    "InvalidIdentityToken": (400, "No OpenIDConnect provider found in your account"),
}


@asynccontextmanager
async def refusing_sts(code: str) -> AsyncIterator[int]:
    """Yield the port of an STS that answers everything with one error."""
    status, message = REFUSALS[code]
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    body = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>".encode()

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/xml")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async with serving(answer) as port:
        yield port


@pytest.fixture(params=REFUSALS)
async def refused(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> AsyncIterator[str]:
    """Have AWS's tools assume a role, by a profile or a token, and yield the code STS refuses with.

    The one is how a machine does it, the other how a cluster does. *settings* come before, because
    they may have brought keys that would be taken first.
    """
    assert settings.data
    if request.param == "AccessDenied":
        keys = "aws_access_key_id = AKIASOMEBODY\naws_secret_access_key = secret\n"
        role = f"role_arn = {ROLE}\nsource_profile = somebody\n"
        (tmp_path / "config").write_text(f"[profile somebody]\n{keys}[profile site]\n{role}")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_PROFILE", "site")
    else:
        (tmp_path / "token").write_text("a token")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    async with refusing_sts(request.param) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{port}")
        yield request.param


async def test_later_a_role_refused_is_a_store_away(refused: str, seaweed: Seaweed) -> None:
    """Permissions may come back: above the port it is what a later try may fix."""
    address = address_of(seaweed, "plans")
    async with connected() as session:
        client = S3Client(address, Credentials(region=address.region), session)
        with pytest.raises(StoreUnavailable, match=refused) as away:
            await S3Store(client).size(make_upload(1).key)
        assert type(away.value) is StoreUnavailable


@pytest.mark.parametrize("fix", [False, True])
async def test_doctor_names_a_role_refused(
    refused: str, settings: Settings, seaweed: Seaweed, queues: Queues, *, fix: bool
) -> None:
    """Of the bucket and of the queue it says the same, and nothing of what is well."""
    chosen = replace(
        settings,
        database=None,
        store=f"s3://plans?endpoint={seaweed.endpoint}&region={seaweed.region}",
        queue=f"sqs://plans?endpoint={queues.endpoint}&region={queues.region}",
        notices=None,
        scanner="none",
    )
    store, queue, _ = [each async for each in examine(chosen, fix=fix)]
    for setting, found in (("LAYDOWN_STORE", store), ("LAYDOWN_QUEUE", queue)):
        assert not found.is_well
        assert re.match(rf"{setting}: the role.*{refused}.*AWS_ROLE_ARN", found.sentence)
        assert "look at `endpoint`" not in found.sentence
        assert found.remedy == ""
