"""What a bucket must be for us: there, open to browsers, and tidied by its own life cycle."""

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from laydown.domain.errors import StoreUnavailable
from laydown.objects.credentials import NoCredentials
from laydown.objects.s3_address import DEFAULT_REGION, BadStore, BucketAddress
from laydown.objects.s3_answers import S3Answer, S3Refused
from laydown.objects.s3_http import S3Client
from laydown.objects.s3_rules import (
    NAMESPACE,
    aborts_after,
    deletes_rejected,
    denies_rejected,
    lets_browsers_send,
    with_cors,
    with_denial,
    with_life_cycle,
)

STALE_AFTER: Final = timedelta(days=7)
REJECTED_FOR: Final = timedelta(days=30)
ANY_ORIGIN: Final = ("*",)

_PATIENCE: Final = 10.0  # seconds for a store that has just been started
_NOT_THERE: Final = frozenset({"NotImplemented", "MethodNotAllowed", "501"})
_FIX: Final = "`laydown doctor --fix` sets it."
_ABSENT: Final = frozenset(
    {"NoSuchCORSConfiguration", "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy"}
)


class BucketMissing(BadStore):
    """There is no such bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a bucket, in a sentence, and what to do about it."""

    is_well: bool
    sentence: str
    remedy: str = ""


async def verify(client: S3Client) -> None:
    """Return when the bucket is there and takes our signatures.

    Raises `BucketMissing`, or another `BadStore`, with a sentence, for what else can be wrong.
    """
    address = client.address
    where = f"{address.place().scheme}://{address.place().host}"
    try:
        answer = await client.ask(
            "GET",
            query={"list-type": "2", "max-keys": "1", "prefix": f"{address.prefix}u/"},
            deadline=_PATIENCE,
        )
        is_list = answer.xml.tag == "ListBucketResult"
    except S3Refused as refused:
        raise _refusal(address, where, refused) from refused
    except NoCredentials:
        raise
    except StoreUnavailable as error:
        raise BadStore(f"{where} can't be used, look at `endpoint`: {error}") from error
    if not is_list:
        raise BadStore(f"{where} does not speak S3: look at `endpoint`")


def _refusal(address: BucketAddress, where: str, refused: S3Refused) -> BadStore:
    """Return what a refusal means, and what to do about it."""
    bucket = address.bucket
    match refused.reason:
        case "NoSuchBucket":
            return BucketMissing(
                f"there is no bucket {bucket} at {where}: `laydown doctor --fix` makes it"
            )
        case "InvalidAccessKeyId" | "InvalidToken" | "ExpiredToken":
            sentence = "does not know our access key: look at AWS_ACCESS_KEY_ID"
        case "SignatureDoesNotMatch":
            sentence = "does not take our signature: look at AWS_SECRET_ACCESS_KEY"
        case "RequestTimeTooSkewed":
            sentence = "does not agree with this machine's clock: turn on time synchronisation"
        case "AccessDenied":
            sentence = f"does not let us into the bucket {bucket}: allow s3:ListBucket"
        case "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraint":
            sentence = f"says that {bucket} is in another region: look at `region`"
        case reason if reason.isdecimal():
            return BadStore(f"{where} does not speak S3 (status {reason}): look at `endpoint`")
        case _:
            return BadStore(f"{where} can't be used: {refused}")
    return BadStore(f"{where} {sentence}" + (f" ({refused.said})" if refused.said else ""))


async def make_bucket(client: S3Client) -> bool:
    """Make the bucket if there is none; say whether it was made. Raises `BadStore`."""
    try:
        await verify(client)
    except BucketMissing:
        pass
    else:
        return False
    body = b""
    if client.address.endpoint is None and client.address.region != DEFAULT_REGION:
        root = Element("CreateBucketConfiguration", xmlns=NAMESPACE)
        SubElement(root, "LocationConstraint").text = client.address.region
        body = tostring(root)
    try:
        await client.ask("PUT", body=body)
    except StoreUnavailable as error:
        raise BadStore(f"the bucket {client.address.bucket} can't be made: {error}") from error
    return True


async def check(client: S3Client, *, origins: Sequence[str] = ANY_ORIGIN) -> Sequence[Finding]:
    """Say what there is to say about the bucket; *origins* are those that browsers send from.

    Raises `BadStore` when it can't be used at all.
    """
    await verify(client)
    return [
        _well(f"the bucket {client.address.bucket} answers"),
        await _told(_check_cors(client, origins), "CORS"),
        await _told(_check_life_cycle(client), "a life cycle"),
        await _told(_check_policy(client), "a bucket policy"),
        await _told(_check_versions(client), "versions"),
    ]


async def fix(
    client: S3Client,
    *,
    origins: Sequence[str] = ANY_ORIGIN,
    stale_after: timedelta = STALE_AFTER,
    rejected_for: timedelta = REJECTED_FOR,
) -> Sequence[Finding]:
    """Make the bucket if need be, set what `check` asks for, and say what it says then.

    Rules that aren't ours stay. Raises `BadStore` when it can't be used or made.
    """
    was_made = await make_bucket(client)
    refusals = [
        await _tried(_set_cors(client, origins), "what browsers may do"),
        await _tried(_set_life_cycle(client, stale_after, rejected_for), "the life cycle"),
        await _tried(_set_policy(client), "the policy"),
    ]
    return [
        *([_well(f"made the bucket {client.address.bucket}")] if was_made else []),
        *(refusal for refusal in refusals if refusal is not None),
        *await check(client, origins=origins),
    ]


async def _check_cors(client: S3Client, origins: Sequence[str]) -> Finding:
    found = await _document(client, "cors")
    if found is not None and lets_browsers_send(found.xml, origins):
        return _well("browsers may send to it")
    named = ", ".join(origins)
    return _ill(f"no rule lets browsers send to it from {named} and read the ETag", _FIX)


async def _check_life_cycle(client: S3Client) -> Finding:
    found = await _document(client, "lifecycle")
    days = None if found is None else aborts_after(found.xml, _folder(client))
    if days is None:
        return _ill("uploads that nobody finishes are kept, and paid for, for ever", _FIX)
    if days > STALE_AFTER.days:
        return _ill(f"uploads that nobody finishes are kept for {days} days", _FIX)
    if found is None or not deletes_rejected(found.xml, _folder(client)):
        return _ill("refused content that we fail to delete is kept for ever", _FIX)
    return _well(f"uploads that nobody finishes are dropped after {days} days")


async def _check_policy(client: S3Client) -> Finding:
    found = await _document(client, "policy")
    address = client.address
    if found is not None and denies_rejected(
        found.body.decode(), address.bucket, _folder(client), partition=_partition(address)
    ):
        return _well("its policy keeps refused content from everybody")
    return _ill("URLs given before a file was refused can read it until they expire", _FIX)


async def _check_versions(client: S3Client) -> Finding:
    found = await _document(client, "versioning")
    if found is not None and found.xml.findtext("Status") == "Enabled":
        return _well("it keeps versions: each verdict is bound to one")
    return _well("it keeps no versions: a key is written once, and what is deleted is gone")


async def _set_cors(client: S3Client, origins: Sequence[str]) -> None:
    found = await _document(client, "cors")
    if found is None or not lets_browsers_send(found.xml, origins):
        await _put(client, "cors", with_cors(None if found is None else found.xml, origins))


async def _set_life_cycle(
    client: S3Client, stale_after: timedelta, rejected_for: timedelta
) -> None:
    found = await _document(client, "lifecycle")
    rules = with_life_cycle(
        None if found is None else found.xml,
        _folder(client),
        stale_after=stale_after,
        rejected_for=rejected_for,
    )
    await _put(client, "lifecycle", rules)


async def _set_policy(client: S3Client) -> None:
    found = await _document(client, "policy")
    address = client.address
    policy = with_denial(
        None if found is None else found.body.decode(),
        address.bucket,
        _folder(client),
        partition=_partition(address),
    )
    await _put(client, "policy", policy, media_type="application/json")


async def _document(client: S3Client, name: str) -> S3Answer | None:
    """Return one of the bucket's documents; None when it has none of that name."""
    try:
        answer = await client.ask("GET", query={name: ""})
    except S3Refused as refused:
        if refused.reason in _ABSENT:
            return None
        raise
    return answer if answer.body else None


async def _put(
    client: S3Client, name: str, body: bytes, *, media_type: str = "application/xml"
) -> None:
    digest = b64encode(hashlib.sha256(body).digest()).decode()
    await client.ask(
        "PUT",
        query={name: ""},
        headers={
            "content-type": media_type,
            "x-amz-sdk-checksum-algorithm": "SHA256",
            "x-amz-checksum-sha256": digest,
        },
        body=body,
    )


async def _told(checking: Awaitable[Finding], what: str) -> Finding:
    """Return what was found, or why nothing could be."""
    try:
        return await checking
    except (StoreUnavailable, ValueError) as error:
        return _untold(error, what)


async def _tried(setting: Awaitable[None], what: str) -> Finding | None:
    """Return None for what could be set, and otherwise why it could not be."""
    try:
        await setting
    except (StoreUnavailable, ValueError) as error:
        return _ill(f"{what} can't be set: {error}", "Set it by hand, or allow us to.")
    return None


def _untold(error: Exception, what: str) -> Finding:
    if isinstance(error, S3Refused) and error.reason in _NOT_THERE:
        return _well(f"the store knows nothing of {what}: not looked at")
    return _ill(f"{what}: {error}", "Allow us to read it, or look at it by hand.")


def _folder(client: S3Client) -> str:
    return f"{client.address.prefix}u/"


def _partition(address: BucketAddress) -> str:
    return "aws-cn" if address.region.startswith("cn-") else "aws"


def _well(sentence: str) -> Finding:
    return Finding(is_well=True, sentence=sentence)


def _ill(sentence: str, remedy: str) -> Finding:
    return Finding(is_well=False, sentence=sentence, remedy=remedy)
