"""URLs that let clients send parts to a bucket, and fetch from it, without us."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from laydown.domain.digest import AMAZON_HEADERS, BadChecksum, parse_headers
from laydown.domain.document import Blob
from laydown.domain.errors import StoreUnavailable
from laydown.domain.upload import Upload
from laydown.objects.credentials import Credentials
from laydown.objects.s3_address import BucketAddress
from laydown.objects.s3_answers import plainly
from laydown.objects.sigv4 import Signable, Signer, encoded_path
from laydown.ports import SignedUrl

SHORTEST_LIFE = timedelta(minutes=2)
LONGEST_LIFE = timedelta(minutes=15)

_CRC64 = re.compile(r"[A-Za-z0-9+/]{10}[AEIMQUYcgkosw048]=")  # 64 bits, written in the one way


class S3Urls:
    """A `UrlSigner` for a bucket.

    A URL is bound to method, key, part and length, and to the checksum if there is one; it never
    outlives the credentials that signed it.
    """

    needs_completion = True  # we don't see what comes

    def __init__(
        self,
        address: BucketAddress,
        credentials: Credentials,
        *,
        life: timedelta = LONGEST_LIFE,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Sign for clients of the bucket; URLs are good for *life*.

        Raises `ValueError` for a *life* that isn't between 2 and 15 minutes.
        """
        if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
            raise ValueError(f"a URL lives {SHORTEST_LIFE} to {LONGEST_LIFE}, not {life}")
        self._place = address.place(for_clients=True)
        self._folder = self._place.path + encoded_path(address.prefix)
        self._credentials = credentials
        self._life = int(life.total_seconds())
        self._now = now
        self._signer: Signer | None = None

    async def refresh(self) -> None:
        """Have credentials that outlive the URLs signed next.

        Raises `StoreUnavailable` when they can't be had.
        """
        with plainly():
            self._signer = await self._credentials.signer()

    def sign_part(
        self, upload: Upload, number: int, *, length: int, checksum: str | None
    ) -> SignedUrl:
        """Return a URL for this part of this attempt; *checksum* binds it to these bytes.

        A file of one part is written once and never over: S3 answers 412 to a second. The length
        is signed and not among the headers, because every client sends it and browsers let nobody
        set it. Raises `BadChecksum` for one that isn't verified.
        """
        headers = {} if checksum is None else _header(checksum)
        if upload.is_multipart:
            if upload.multipart_id is None:
                raise ValueError("a part can be sent once its multipart upload has begun")
            query = {"partNumber": str(number), "uploadId": upload.multipart_id}
        else:
            query = {}
            headers["if-none-match"] = "*"
        signed = {**headers, "content-length": str(length)}
        return self._signed("PUT", upload.key, query, signed, sent=headers)

    def sign_read(self, blob: Blob, *, disposition: str) -> SignedUrl:
        """Return a URL that gives exactly these bytes, for saving as *disposition* says.

        *disposition* is the `Content-Disposition` that the store answers with.
        """
        query = {
            "response-content-disposition": disposition,
            "response-content-type": blob.media_type,
        }
        if blob.store_version is not None:
            query["versionId"] = blob.store_version
        return self._signed("GET", blob.object_key, query, {}, sent={})

    def _signed(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        sent: Mapping[str, str],
    ) -> SignedUrl:
        signer = self._signer
        if signer is None:
            raise RuntimeError("nothing is signed before `refresh`")
        at = int(self._now())
        life = self._life
        if signer.key.expires_at is not None:
            life = min(life, int(signer.key.expires_at) - at)
            if life < 1:
                raise StoreUnavailable("the store's credentials have expired; ask again")
        place = self._place
        request = Signable(
            method=method,
            host=place.host,
            path=self._folder + encoded_path(key),
            query=query,
            headers=headers,
        )
        return SignedUrl(
            url=signer.url(request, scheme=place.scheme, at=at, life=life),
            headers=sent,
            expires_at=datetime.fromtimestamp(at + life, UTC),
        )


def _header(checksum: str) -> dict[str, str]:
    """Return the header that carries a checksum, or raise `BadChecksum`."""
    algorithm, _, value = checksum.partition(":")
    if algorithm == "crc64nvme" and _CRC64.fullmatch(value):  # nearly all, thousands at a time
        return {"x-amz-checksum-crc64nvme": value}
    name = f"x-amz-checksum-{algorithm}"
    parsed = parse_headers({name: value}) if name in AMAZON_HEADERS else None
    if parsed is None:
        raise BadChecksum(f"{algorithm} is not a checksum that is verified here")
    return dict([parsed.header])
