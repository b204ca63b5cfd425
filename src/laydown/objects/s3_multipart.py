"""Files that arrive in parts: begun, listed, made one object, or dropped."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from laydown.objects.s3_answers import S3Refused, moment_of, number_of, text_of
from laydown.objects.s3_http import S3Client

_TO_COMPLETE: Final = 120.0  # seconds: Amazon may take minutes over thousands of parts


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedPart:
    """A part that the store holds."""

    size: int  # bytes
    etag: str
    landed_at: datetime | None = None  # to the second, as some stores have it


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A multipart upload that is neither completed nor aborted."""

    key: str
    id: str
    begun_at: datetime


async def begin(client: S3Client, key: str) -> str:
    """Begin a multipart upload; return the store's name of it."""
    answer = await client.ask(
        "POST",
        key,
        query={"uploads": ""},
        headers={"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "FULL_OBJECT"},
    )
    return text_of(answer.xml, "UploadId")


async def parts_of(client: S3Client, key: str, upload_id: str) -> Mapping[int, LandedPart] | None:
    """Return the parts of a multipart upload by number; None when there is no such upload.

    Some stores go on listing a part that was sent again with other bytes: the one that landed
    last counts, and where that can't be told, neither does.
    """
    parts: dict[int, list[LandedPart]] = {}
    marker = "0"
    while True:
        query = {"uploadId": upload_id, "part-number-marker": marker}
        try:
            page = (await client.ask("GET", key, query=query)).xml
        except S3Refused as refused:
            if refused.is_absence:
                return None
            raise
        for found in page.iter("Part"):
            part = LandedPart(
                size=number_of(found, "Size"),
                etag=text_of(found, "ETag"),
                landed_at=moment_of(found, "LastModified"),
            )
            parts.setdefault(number_of(found, "PartNumber"), []).append(part)
        following = page.findtext("NextPartNumberMarker") or marker
        if page.findtext("IsTruncated") != "true" or following == marker:
            break
        marker = following
    return {number: last for number, sent in parts.items() if (last := _last(sent)) is not None}


def _last(sent: list[LandedPart]) -> LandedPart | None:
    """Return what landed last under one number; None when two may have."""
    newest = max(part.landed_at for part in sent if part.landed_at is not None)
    candidates = {part.etag: part for part in sent if part.landed_at == newest}
    return candidates.popitem()[1] if len(candidates) == 1 else None


async def complete(
    client: S3Client, key: str, upload_id: str, parts: Mapping[int, LandedPart]
) -> None:
    """Make these parts one object, unless there is one already (`PreconditionFailed`)."""
    root = Element("CompleteMultipartUpload")
    for number, part in sorted(parts.items()):
        element = SubElement(root, "Part")
        SubElement(element, "PartNumber").text = str(number)
        SubElement(element, "ETag").text = part.etag
    await client.ask(
        "POST",
        key,
        query={"uploadId": upload_id},
        headers={
            "content-type": "application/xml",
            "if-none-match": "*",
            "x-amz-mp-object-size": str(sum(part.size for part in parts.values())),
        },
        body=tostring(root),
        deadline=_TO_COMPLETE,
    )


async def abort(client: S3Client, key: str, upload_id: str) -> None:
    """Drop a multipart upload with all its parts; nothing when there is none."""
    try:
        await client.ask("DELETE", key, query={"uploadId": upload_id})
    except S3Refused as refused:
        if not refused.is_absence:
            raise


async def under_way(client: S3Client, prefix: str) -> AsyncGenerator[UnderWay]:
    """Yield the multipart uploads whose keys begin with *prefix*."""
    ours = client.address.prefix
    query = {"uploads": "", "prefix": ours + prefix}
    while True:
        page = (await client.ask("GET", query=query)).xml
        for found in page.iter("Upload"):
            yield UnderWay(
                key=text_of(found, "Key").removeprefix(ours),
                id=text_of(found, "UploadId"),
                begun_at=moment_of(found, "Initiated"),
            )
        key, upload = page.findtext("NextKeyMarker"), page.findtext("NextUploadIdMarker")
        if page.findtext("IsTruncated") != "true" or not key:
            return
        query = {**query, "key-marker": key, "upload-id-marker": upload or ""}
