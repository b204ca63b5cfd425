"""Who we are to AWS, as its tools find out: environment, files, container, instance."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiobotocore.credentials import AioCredentials, AioRefreshableCredentials
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from laydown.domain.errors import StoreUnavailable
from laydown.objects.s3_address import BadStore
from laydown.objects.sigv4 import AccessKey, Signer

_GLANCE: Final = 60.0  # seconds between two looks whether credentials were renewed
_LEAST_LIFE: Final = 120.0  # seconds that credentials must have left: what a URL lives at least


class NoCredentials(BadStore, StoreUnavailable):
    """There is no access key, or a role can't be assumed; says where to look.

    At the start that is a bad setting. Later, as when a machine's metadata service is away for a
    moment, it is a store that can't be reached.
    """


async def _from_chain() -> AioCredentials | None:
    found: AioCredentials | None = await get_session().get_credentials()
    return found


class Credentials:
    """An access key that is renewed in time, and a signer that uses it."""

    def __init__(
        self,
        *,
        region: str,
        service: str = "s3",
        purpose: str = "the store",
        find: Callable[[], Awaitable[AioCredentials | None]] = _from_chain,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Look for keys with *find*, the usual AWS chain when nothing is said.

        *purpose* is what they are for, as errors name it.
        """
        self._region = region
        self._service = service
        self._purpose = purpose
        self._find = find
        self._now = now
        self._found: AioCredentials | None = None
        self._signer: Signer | None = None
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def signer(self) -> Signer:
        """Return a signer that is good for at least two minutes.

        Raises `NoCredentials` when there are none or they can't be renewed, and
        `StoreUnavailable` when they are about to end.
        """
        if (signer := self._fresh()) is None:
            async with self._looking:
                if (signer := self._fresh()) is None:
                    signer = await self._renewed()
                    self._signer, self._looked_at = signer, time.monotonic()
        return signer

    def _fresh(self) -> Signer | None:
        """Return the signer at hand unless it is time to look for another."""
        if time.monotonic() - self._looked_at > _GLANCE or not self._is_good(self._signer):
            return None
        return self._signer

    def _is_good(self, signer: Signer | None) -> bool:
        if signer is None:
            return False
        ends = signer.key.expires_at
        return ends is None or ends - self._now() >= _LEAST_LIFE

    async def _renewed(self) -> Signer:
        try:
            key = await self._key()
        except (BotoCoreError, ClientError, RuntimeError, OSError) as error:
            if self._signer is not None and self._is_good(self._signer):
                return self._signer
            raise NoCredentials(self._why(error)) from error
        signer = self._signer
        if signer is None or signer.key != key:
            signer = Signer(key, region=self._region, service=self._service)
        if not self._is_good(signer):
            raise StoreUnavailable(
                f"the credentials for {self._purpose} are about to expire, without new ones"
            )
        return signer

    async def _key(self) -> AccessKey:
        if self._found is None:
            try:
                self._found = await self._find()
            except BotoCoreError as error:  # half a key, a profile that is not there
                raise NoCredentials(
                    f"there is no access key for {self._purpose}: {error}; look at "
                    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_PROFILE"
                ) from error
        if self._found is None:
            raise NoCredentials(
                f"there is no access key for {self._purpose}: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or give this machine a role"
            )
        frozen = await self._found.get_frozen_credentials()
        return AccessKey(
            id=frozen.access_key,
            secret=frozen.secret_key,
            token=frozen.token,
            expires_at=_expiry(self._found),
        )

    def _why(self, error: Exception) -> str:
        """Say what keeps us from having credentials, and where to look."""
        if isinstance(error, ClientError) and error.operation_name.startswith("AssumeRole"):
            return (
                f"the role for {self._purpose} can't be assumed: {error}; look at the role that "
                "AWS_ROLE_ARN or the profile in AWS_PROFILE names, and at whom its trust policy "
                "lets assume it"
            )
        return f"the credentials for {self._purpose} can't be renewed: {error}"


def _expiry(found: AioCredentials) -> float | None:
    """Return when credentials end, in seconds since 1970; None for those that don't."""
    if isinstance(found, AioRefreshableCredentials):
        ends = found._expiry_time  # noqa: SLF001 - botocore tells it in no other way
        return None if ends is None else float(ends.timestamp())
    return None
