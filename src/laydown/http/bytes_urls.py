"""URLs that permit one PUT of one part, and what makes them good.

A URL looks like

    /bytes/{organization}/{upload}/{attempt}/{part}?expires=…&length=…&offset=…&key=…&signed=…&signature=…

`expires` is in seconds since 1970. `length` is the body's in bytes. `offset`, in bytes, is there
when the file arrives in parts. `key` names the signing key. `signed` names a header that must be
sent, whose value is signed but not shown. `signature` is the unpadded URL-safe base64 of the
HMAC-SHA-256 over method, path, the query before it, and that header. The order is fixed, so there
is one way to write each permission.
"""

import base64
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from laydown.domain.digest import AMAZON_HEADERS, BadChecksum, parse_headers
from laydown.domain.document import Blob
from laydown.domain.errors import BadSignature
from laydown.domain.upload import OrganizationId, Upload, UploadId
from laydown.http.bytes_keys import KeyRing
from laydown.ports import SignedUrl

SHORTEST_LIFE = timedelta(minutes=2)
LONGEST_LIFE = timedelta(minutes=15)

_PREFIX = "/bytes/"
_UUID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_PATH = re.compile(rf"/bytes/{_UUID}/{_UUID}/([0-9]{{1,9}})/([0-9]{{1,5}})")
_QUERY = re.compile(
    rb"expires=([0-9]{1,12})&length=([0-9]{1,15})(?:&offset=([0-9]{1,15}))?"
    rb"&key=([0-9a-f]{8})(?:&signed=([a-z0-9-]{1,40}))?"
)
_SIGNATURE = b"&signature="


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a good URL permits."""

    organization: OrganizationId
    upload: UploadId
    attempt: int
    number: int  # of the part, from 1
    length: int  # bytes of the body
    offset: int | None  # bytes into a file that arrives in parts; None: the body is the file


class ByteUrls:
    """Signs URLs of the byte door and reads them back; a `UrlSigner`."""

    needs_completion = False  # we see what comes

    def __init__(
        self,
        keys: KeyRing,
        *,
        base_url: str = "",
        life: timedelta = LONGEST_LIFE,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Sign for the door at *base_url*; without one, for wherever the client asked.

        Raises `ValueError` for a *life* that isn't between 2 and 15 minutes.
        """
        if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
            raise ValueError(f"a URL lives {SHORTEST_LIFE} to {LONGEST_LIFE}, not {life}")
        self._keys = keys
        self._base = base_url.rstrip("/")
        self._life = int(life.total_seconds())
        self._now = now

    def sign_part(
        self, upload: Upload, number: int, *, length: int, checksum: str | None
    ) -> SignedUrl:
        """Return a URL for this part of this attempt; *checksum* binds it to these bytes.

        *checksum* is written `algorithm:base64`. Raises `BadChecksum` for one we don't verify.
        """
        key = self._keys.current
        expires = int(self._now()) + self._life
        offset = "" if upload.part_size is None else f"&offset={(number - 1) * upload.part_size}"
        headers = {} if checksum is None else _header(checksum)
        signed = "".join(f"&signed={name}" for name in headers)
        target = (
            f"{_PREFIX}{upload.organization}/{upload.id}/{upload.attempt}/{number}"
            f"?expires={expires}&length={length}{offset}&key={key.id}{signed}"
        )
        value = "".join(headers.values())
        signature = _sign(key.secret, f"PUT\n{target}\n{value}".encode()).decode()
        return SignedUrl(
            url=f"{self._base}{target}&signature={signature}",
            headers=headers,
            expires_at=datetime.fromtimestamp(expires, UTC),
        )

    async def refresh(self) -> None:
        """Return at once: our keys outlive what they sign."""

    def sign_read(self, blob: Blob, *, disposition: str) -> None:
        """Return None: content on our disk is read through us."""

    def verify(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> Ticket:
        """Return what a URL permits for a PUT; raise `BadSignature` unless we signed exactly it.

        *path* is decoded, *query* as it came, *headers* have names in lower case.
        """
        permission, _, signature = query.rpartition(_SIGNATURE)
        place = _PATH.fullmatch(path)
        terms = _QUERY.fullmatch(permission)
        if place is None or terms is None:
            raise BadSignature("this is not a signed URL")
        expires, length, offset, key, signed = terms.groups()
        secret = self._keys.secret(key.decode())
        if secret is None:
            raise BadSignature("the key that signed this URL is retired; ask for a new grant")
        value = b"" if signed is None else headers.get(signed)
        if value is None:
            raise BadSignature("a header that was signed did not come; send it as granted")
        message = b"PUT\n%b?%b\n%b" % (path.encode(), permission, value)
        if not hmac.compare_digest(_sign(secret, message), signature):
            raise BadSignature("the URL, or a header signed with it, was altered")
        if int(expires) < self._now():
            raise BadSignature("the URL has expired; ask for a new grant")
        organization, upload, attempt, number = place.groups()
        return Ticket(
            organization=OrganizationId(UUID(organization)),
            upload=UploadId(UUID(upload)),
            attempt=int(attempt),
            number=int(number),
            length=int(length),
            offset=None if offset is None else int(offset),
        )


def _sign(secret: bytes, message: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256")).rstrip(b"=")


def _header(checksum: str) -> dict[str, str]:
    """Return the header that carries a checksum, or raise `BadChecksum`."""
    algorithm, _, value = checksum.partition(":")
    name = f"x-amz-checksum-{algorithm}"
    parsed = parse_headers({name: value}) if name in AMAZON_HEADERS else None
    if parsed is None:
        raise BadChecksum(f"{algorithm} is not a checksum that is verified here")
    return dict([parsed.header])
