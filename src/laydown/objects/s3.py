"""Objects in a bucket of anything that speaks S3."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from xml.etree.ElementTree import Element, SubElement, tostring

from laydown.domain.errors import ContentGone, StoreUnavailable
from laydown.domain.plan import Plan, PlanKind, part_range
from laydown.domain.upload import Upload, UploadId
from laydown.objects.credentials import Credentials
from laydown.objects.layout import Attempt
from laydown.objects.s3_address import parse_address
from laydown.objects.s3_answers import S3Answer, S3Refused, moment_of, number_of, plainly, text_of
from laydown.objects.s3_http import S3Client, connected
from laydown.objects.s3_keeping import Outbound, keep
from laydown.objects.s3_multipart import (
    LandedPart,
    UnderWay,
    abort,
    begin,
    complete,
    parts_of,
    under_way,
)
from laydown.objects.s3_reading import Reading, look, opened
from laydown.objects.s3_rules import REJECTED
from laydown.objects.s3_urls import S3Urls
from laydown.ports import Kept, Landed, Look, Scanner, StoredObject

Given = TypeVar("Given")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

_AT_ONCE: Final = 16  # requests side by side
_READ_AT_ONCE: Final = 8  # objects; each holds a few MiB at most
_JOINS: Final = 3  # tries, when parts change between listing and joining them
_BUCKET_GLANCE: Final = 5.0  # seconds for which a bucket that was there still is
_UNJOINABLE: Final = frozenset({"EntityTooSmall", "EntityTooLarge"})
_DENIED: Final = frozenset({"AccessDenied", "403"})


def _plain(
    method: Callable[Arguments, Awaitable[Result]],
) -> Callable[Arguments, Coroutine[Any, Any, Result]]:
    """Have a method raise no other kind of `StoreUnavailable` than that itself."""

    @wraps(method)
    async def told(*args: Arguments.args, **settings: Arguments.kwargs) -> Result:
        with plainly():
            return await method(*args, **settings)

    return told


class S3Store:
    """An `ObjectStore`, a `ByteSink`, a `DirectEntry` and a `Fingerprinter` in one bucket.

    Keys are written once, never copied and never renamed. What is answered ambiguously is settled
    by asking what is there.
    """

    def __init__(self, client: S3Client) -> None:
        """Keep objects in the client's bucket, below the prefix of its address."""
        self.client = client
        self._outbound = Outbound()
        self._seen_at = float("-inf")

    @_plain
    async def keep(self, key: str, chunks: AsyncIterator[bytes | memoryview]) -> Kept:
        """Make these bytes the object of this key, durable when this returns; see `ByteSink`."""
        Attempt.of_key(key)
        return await keep(self.client, key, chunks, self._outbound)

    @_plain
    async def begin(self, uploads: Sequence[Upload]) -> Mapping[UploadId, str]:
        """Begin a multipart upload for each of these; return the store's names of them."""

        async def one(upload: Upload) -> tuple[UploadId, str]:
            return upload.id, await begin(self.client, upload.key)

        return dict(await _side_by_side(one, uploads))

    @_plain
    async def landed(self, uploads: Sequence[Upload]) -> Mapping[UploadId, Landed]:
        """Return what has come of each."""

        async def one(upload: Upload) -> tuple[UploadId, Landed]:
            parts = await self._parts(upload)
            if parts is not None:
                sizes = {number: part.size for number, part in parts.items()}
                return upload.id, Landed(parts=sizes, is_object=False)
            is_object = await self.size(upload.key) == upload.entry.size
            is_dropped = upload.multipart_id is not None and not is_object
            return upload.id, Landed(parts={}, is_object=is_object, is_dropped=is_dropped)

        return dict(await _side_by_side(one, uploads))

    @_plain
    async def join(self, upload: Upload) -> int | None:
        """Make the landed parts one durable object; return its size, None when there is nothing.

        Without all declared bytes no object is made, and the size found is returned. Parts that
        are not as they were planned don't count.
        """
        for _ in range(_JOINS):
            parts = await self._parts(upload)
            if parts is None:  # one part, or joined before, or dropped
                return await self.size(upload.key)
            planned = _planned(upload, parts)
            landed = sum(part.size for part in planned.values())
            if landed != upload.entry.size:
                return landed if parts else None
            assert upload.multipart_id is not None
            try:
                await complete(self.client, upload.key, upload.multipart_id, planned)
            except S3Refused as refused:
                if refused.reason in _UNJOINABLE:
                    return 0  # none of these bytes can ever be an object
                if refused.reason == "InvalidPart":  # one was sent again just now
                    continue
                if refused.reason != "PreconditionFailed" and not refused.is_absence:
                    raise
            except StoreUnavailable:  # perhaps it was done, and only the answer was lost
                found = await self.size(upload.key)
                if found is None:
                    raise
                return found
            return await self.size(upload.key)
        raise StoreUnavailable(f"the parts of {upload.key} keep changing while they are joined")

    @_plain
    async def size(self, key: str) -> int | None:
        """Return the object's size in bytes, or None if there is no such object."""
        Attempt.of_key(key)
        try:
            headers = (await self.client.ask("HEAD", key)).headers
        except S3Refused as refused:
            # An answer to HEAD has no code: 404 may be about the bucket, 403 about a tag.
            if refused.status == 404:  # noqa: PLR2004 - HTTP's Not Found
                await self._see_bucket()
                return None
            if await self._is_denied(key, refused):
                return None
            raise
        if headers.get("x-amz-tagging-count", "0") != "0" and await self._is_rejected(key):
            return None
        return int(headers["Content-Length"])

    async def read(
        self, key: str, *, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes]:
        """Yield the object's bytes in order, at most 1 MiB at a time.

        A connection that breaks is taken up again where it broke, of the same object. Raises
        `ContentGone` when there is no such object, or none any more.
        """
        Attempt.of_key(key)
        if length == 0:
            if await self.size(key) is None:
                raise ContentGone("the store does not have this content")
            return
        end = None if length is None else start + length
        async with self._opened(key, start, end) as reading:
            if reading is None:
                return
            async with aclosing(reading.blocks(start)) as blocks:
                async for block in blocks:
                    yield block

    @_plain
    async def quarantine(self, key: str) -> None:
        """Keep the object from every reader until it is discarded; nothing when there is none.

        The tag says so; to whom it is said, the bucket's policy (see `s3_bucket`) and we.
        """
        Attempt.of_key(key)
        root = Element("Tagging")
        tags = SubElement(root, "TagSet")
        for name, value in REJECTED.items():
            tag = SubElement(tags, "Tag")
            SubElement(tag, "Key").text = name
            SubElement(tag, "Value").text = value
        try:
            await self._tagging("PUT", key, tostring(root))
        except S3Refused as refused:
            if not refused.is_absence:
                raise

    @_plain
    async def discard(self, key: str) -> None:
        """Delete the object and every multipart upload of it.

        Where the bucket keeps versions, its life cycle deletes what this hides.
        """
        Attempt.of_key(key)
        async with aclosing(under_way(self.client, key)) as found:
            pending = [each async for each in found if each.key == key]
        for each in pending:
            await abort(self.client, key, each.id)
        await self.client.ask("DELETE", key)

    async def objects(self) -> AsyncIterator[StoredObject]:
        """Yield every object by key, and then every multipart upload under way.

        Quarantined objects are among them; what isn't ours is left out.
        """
        with plainly():
            async with aclosing(self._listed()) as listed:
                async for each in listed:
                    yield each

    async def _listed(self) -> AsyncGenerator[StoredObject]:
        folder = f"{self.client.address.prefix}u/"
        query = {"list-type": "2", "prefix": folder}
        while True:
            page = (await self.client.ask("GET", query=query)).xml
            for found in page.iter("Contents"):
                key = text_of(found, "Key").removeprefix(self.client.address.prefix)
                if _is_ours(key):
                    yield StoredObject(
                        key=key,
                        size=number_of(found, "Size"),
                        stored_at=moment_of(found, "LastModified"),
                        is_object=True,
                    )
            if page.findtext("IsTruncated") != "true":
                break
            query = {**query, "continuation-token": text_of(page, "NextContinuationToken")}
        async with aclosing(under_way(self.client, "u/")) as pending:
            async for each in pending:
                if _is_ours(each.key) and (stored := await self._unfinished(each)) is not None:
                    yield stored

    async def fingerprints(
        self, keys: Sequence[str], *, scanner: Scanner | None = None
    ) -> Mapping[str, Look | StoreUnavailable]:
        """Read each object once, for the scanner too; a key without an object is left out.

        One that the store refuses, or breaks off again and again, says why.
        """

        async def one(key: str) -> tuple[str, Look | StoreUnavailable | None]:
            Attempt.of_key(key)
            try:
                async with self._opened(key, 0, None) as reading:
                    return key, None if reading is None else await look(reading, scanner)
            except ContentGone:
                return key, None
            except StoreUnavailable as error:
                return key, error

        found = await _side_by_side(one, keys, at_once=_READ_AT_ONCE)
        return {key: seen for key, seen in found if seen is not None}

    @asynccontextmanager
    async def _opened(self, key: str, start: int, end: int | None) -> AsyncIterator[Reading | None]:
        """Open what is not in quarantine; raise `ContentGone` for what is, as if it weren't."""
        with plainly():
            try:
                async with opened(self.client, key, start=start, end=end) as reading:
                    if reading is not None and reading.has_tags and await self._is_rejected(key):
                        raise ContentGone("the store keeps this content from readers")
                    yield reading
            except S3Refused as refused:
                if await self._is_denied(key, refused):
                    raise ContentGone("the store keeps this content from readers") from refused
                raise

    async def _is_denied(self, key: str, refused: S3Refused) -> bool:
        """Say whether the bucket's policy refuses an object because it is in quarantine."""
        return refused.reason in _DENIED and await self._is_rejected(key)

    async def _is_rejected(self, key: str) -> bool:
        try:
            answer = await self._tagging("GET", key)
        except S3Refused as refused:
            if refused.is_absence or refused.reason in _DENIED:
                return False
            raise
        tags = {tag.findtext("Key"): tag.findtext("Value") for tag in answer.xml.iter("Tag")}
        return REJECTED.items() <= tags.items()

    async def _tagging(self, method: str, key: str, body: bytes = b"") -> S3Answer:
        headers = {"content-type": "application/xml"} if body else {}
        return await self.client.ask(method, key, query={"tagging": ""}, headers=headers, body=body)

    async def _see_bucket(self) -> None:
        """Raise `StoreUnavailable` when it is the bucket that isn't there."""
        clock = asyncio.get_running_loop().time
        if clock() - self._seen_at > _BUCKET_GLANCE:
            await self.client.ask("HEAD")
            self._seen_at = clock()

    async def _parts(self, upload: Upload) -> Mapping[int, LandedPart] | None:
        """Return the parts of an upload under way; None for one that isn't, or has one part."""
        if upload.multipart_id is None:
            return None
        return await parts_of(self.client, upload.key, upload.multipart_id)

    async def _unfinished(self, found: UnderWay) -> StoredObject | None:
        parts = await parts_of(self.client, found.key, found.id)
        if parts is None:
            return None
        size = sum(part.size for part in parts.values())
        return StoredObject(key=found.key, size=size, stored_at=found.begun_at, is_object=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """A bucket, and URLs that let clients at it."""

    store: S3Store
    urls: S3Urls


@asynccontextmanager
async def open_s3(address_text: str, *, life: timedelta) -> AsyncIterator[S3]:
    """Open the bucket that a setting names, such as `s3://laydown?endpoint=http://host:9000`.

    The address is `s3://BUCKET[/PREFIX]?endpoint=URL&region=NAME&public=URL`, all but the bucket
    optional. `.store` keeps objects in it; `.urls` signs URLs that live for *life*, for clients
    that reach it at `public`. Raises `BadStore`, with a sentence, for what is no such address.
    Nothing is asked of the store yet: `s3_bucket.verify` does.
    """
    address = parse_address(address_text)
    credentials = Credentials(region=address.region)
    async with connected() as session:
        store = S3Store(S3Client(address, credentials, session))
        yield S3(store=store, urls=S3Urls(address, credentials, life=life))


def _planned(upload: Upload, parts: Mapping[int, LandedPart]) -> Mapping[int, LandedPart]:
    """Return the parts that are what the upload's plan has under their numbers."""
    plan = Plan(kind=PlanKind.MULTIPART, part_size=upload.part_size, parts=upload.parts)
    return {
        number: part
        for number, part in parts.items()
        if 1 <= number <= upload.parts
        and part_range(plan, upload.entry.size, number)[1] == part.size
    }


def _is_ours(key: str) -> bool:
    try:
        Attempt.of_key(key)
    except ValueError:
        return False
    return True


async def _side_by_side(
    work: Callable[[Given], Awaitable[Result]], given: Sequence[Given], *, at_once: int = _AT_ONCE
) -> Sequence[Result]:
    """Do *work* with each, so many at once; the first error ends all of it."""
    turn = asyncio.Semaphore(at_once)

    async def one(item: Given) -> Result:
        async with turn:
            return await work(item)

    tasks = [asyncio.create_task(one(item)) for item in given]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
