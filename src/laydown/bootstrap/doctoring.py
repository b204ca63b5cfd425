"""What a laydown stands on, looked at before it runs: database, bucket, queues, and others."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from laydown.bootstrap.database import database_standing
from laydown.bootstrap.provider import provider_of
from laydown.bootstrap.queues import named_queue
from laydown.bootstrap.scanner import scanning_of
from laydown.domain.errors import LaydownError
from laydown.objects import s3_bucket
from laydown.objects.credentials import Credentials
from laydown.objects.s3_address import BadStore
from laydown.objects.s3_address import parse_address as parse_store
from laydown.objects.s3_http import S3Client, connected
from laydown.postgres.migrate import too_new
from laydown.queues.address import parse_address
from laydown.queues.client import QueueMissing, QueueUnusable, RoleRefused
from laydown.queues.upkeep import make_queue, redrive, set_aside
from laydown.settings import PREFIX, BadSettings, Settings

FIX = "laydown doctor --fix"
_STORE = f"{PREFIX}STORE"
_LEGACY_STORE = f"{PREFIX}LEGACY_STORE"
_PATIENCE = 10.0  # seconds for a scanner to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, in a sentence that names its setting."""

    is_well: bool
    sentence: str
    remedy: str = ""


async def examine(settings: Settings, *, fix: bool) -> AsyncGenerator[Finding, None]:
    """Yield what there is to say about what the settings name; *fix* makes what is missing."""
    if settings.database is not None:
        async for finding in _database(settings):
            yield finding
    if settings.store is not None:
        async for finding in _store(settings, settings.store, fix=fix):
            yield finding
    if settings.legacy_store is not None:
        yield await _legacy_store(settings.legacy_store)
    for name, text in _queues(settings):
        yield await _queue(name, text, fix=fix)
    yield await _scanner(settings)
    async for finding in _issuer(settings):
        yield finding


async def refuse_unusable(settings: Settings) -> None:
    """Raise `BadSettings` for a store or a queue that is missing, or refuses us."""
    async with AsyncExitStack() as stack:
        for name, address in ((_STORE, settings.store), (_LEGACY_STORE, settings.legacy_store)):
            if address is None:
                continue
            try:
                async with _bucket(address) as bucket:
                    await s3_bucket.verify(bucket)
            except BadStore as bad:
                raise BadSettings(f"{name}: {bad}") from bad
        for name, text in _queues(settings):
            await stack.enter_async_context(named_queue(name, text))


async def redriven(settings: Settings) -> int:
    """Send what the queue had set aside into it again; return how many messages that was.

    Raises `BadSettings` where there is no queue or it can't be used.
    """
    if settings.queue is None:
        raise BadSettings(f"{PREFIX}QUEUE is not set, so nothing is set aside outside the database")
    try:
        return await redrive(parse_address(settings.queue))
    except (ValueError, QueueUnusable) as unusable:
        raise BadSettings(f"{PREFIX}QUEUE: {unusable}") from unusable


def _queues(settings: Settings) -> list[tuple[str, str]]:
    """Return the queues that the settings name, each after its setting."""
    named = [("QUEUE", settings.queue), ("NOTICES", settings.notices)]
    return [(name, text) for name, text in named if text is not None]


async def _database(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Look at whether the database answers, lets us in, and has our schema."""
    name = f"{PREFIX}DATABASE"
    try:
        stands = await database_standing(settings)
    except BadSettings as error:
        yield _ill(str(error), "")
        return
    except LaydownError as error:
        yield _ill(
            f"{name}: {error}",
            "See that it runs and can be reached, and that user and password are right.",
        )
        return
    lacks = ", ".join(map(str, stands.missing))
    if stands.is_too_new:
        yield _ill(f"{name}: {too_new(stands.least)}", "Start a newer one.")
    elif stands.unknown:
        yield _ill(
            f"{name}: its schema is of a newer laydown (migration {max(stands.unknown)})",
            "Start that one: this one may run beside it for as long as a roll-out takes.",
        )
    if lacks:
        yield _ill(f"{name}: its schema lacks migrations {lacks}", "Run `laydown migrate`.")
    elif stands.refused:
        yield _ill(
            f"{name}: whoever connects may not take on {' and '.join(stands.refused)}",
            "As the owner of these roles, grant them to that user: `laydown migrate` does it for "
            "its own.",
        )
    elif not stands.unknown and not stands.is_too_new:
        yield _well(f"{name}: answers, and has this program's schema")


async def _store(settings: Settings, text: str, *, fix: bool) -> AsyncGenerator[Finding, None]:
    """Look at the bucket, and at what is set on it."""
    # The bucket's own rule only catches what we forgot, so it comes after us.
    forgotten = settings.quarantine + s3_bucket.REJECTED_FOR
    origins = settings.origins or s3_bucket.ANY_ORIGIN  # a signed URL says who may, not a page
    try:
        async with _bucket(text) as bucket:
            if fix:
                findings = await s3_bucket.fix(bucket, origins=origins, rejected_for=forgotten)
            else:
                findings = await s3_bucket.check(bucket, origins=origins)
    except BadStore as bad:
        yield _ill(f"{_STORE}: {bad}", "")
        return
    for each in findings:
        yield Finding(
            is_well=each.is_well, sentence=f"{_STORE}: {each.sentence}", remedy=each.remedy
        )


@asynccontextmanager
async def _bucket(text: str) -> AsyncIterator[S3Client]:
    """Open a bucket that may not be there; raises `BadStore` for what names none."""
    address = parse_store(text)
    async with connected() as session:
        yield S3Client(address, Credentials(region=address.region), session)


async def _legacy_store(text: str) -> Finding:
    """Look at another system's bucket, which is read and never changed, so never made either."""
    try:
        async with _bucket(text) as bucket:
            await s3_bucket.verify(bucket)
    except (BadStore, LaydownError) as bad:
        return Finding(is_well=False, sentence=f"{_LEGACY_STORE}: {bad}")
    return Finding(is_well=True, sentence=f"{_LEGACY_STORE}: it can be read")


async def _queue(setting: str, text: str, *, fix: bool) -> Finding:
    """Look at one queue."""
    name = PREFIX + setting
    try:
        address = parse_address(text)
        was_made = fix and await make_queue(address)
        aside = await set_aside(address)
    except QueueMissing as missing:
        return _ill(f"{name}: {missing}", f"`{FIX}` makes it, or say another name.")
    except (ValueError, QueueUnusable, LaydownError) as error:
        remedy = "Look at its name, region, endpoint and the credentials."
        return _ill(f"{name}: {error}", "" if isinstance(error, RoleRefused) else remedy)
    if was_made:
        return _well(f"{name}: made {address}")
    if aside is None:
        return _ill(
            f"{name}: {address} answers, but sets nothing aside",
            "Give it a redrive policy: a message that can't be handled comes back for ever.",
        )
    if aside:
        return _ill(
            f"{name}: {address} answers, and has set {aside:,} messages aside",
            "See why in the workers' logs, then bring them back: `laydown jobs --redrive`.",
        )
    return _well(f"{name}: {address} answers, and has set nothing aside")


async def _scanner(settings: Settings) -> Finding:
    """Look at who looks for malware."""
    name = f"{PREFIX}SCANNER"
    if settings.scanner is None:
        return _well(
            f"{name} is not set: `laydown up` uses the ClamAV that is installed, and an api or a "
            "worker by itself does not start"
        )
    try:
        scanning = scanning_of(settings)
        if scanning.awaits_verdicts:
            return _well(f"{name}: GuardDuty's results are awaited in {PREFIX}NOTICES")
        if scanning.scanner is None:
            return _well(f"{name}: nobody looks for malware, and receipts say so")
        async with asyncio.timeout(_PATIENCE):
            return _well(f"{name}: {await scanning.scanner.check()}")
    except BadSettings as error:
        return _ill(str(error), "")
    except (LaydownError, TimeoutError) as error:
        said = str(error) or f"it does not answer within {_PATIENCE:.0f} s"
        return _ill(f"{name}: {said}", "Files wait until it answers.")


async def _issuer(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Look at the identity provider, if there is one."""
    name = f"{PREFIX}OIDC_ISSUER"
    try:
        async with provider_of(settings) as provider:
            if provider is not None:
                yield _well(f"{name}: {await provider.check()}")
    except BadSettings as error:
        yield _ill(str(error), "")
    except LaydownError as error:
        yield _ill(f"{name}: {error}", "Until it does, nobody is let in by its word.")


def _well(sentence: str) -> Finding:
    return Finding(is_well=True, sentence=sentence)


def _ill(sentence: str, remedy: str) -> Finding:
    return Finding(is_well=False, sentence=sentence, remedy=remedy)
