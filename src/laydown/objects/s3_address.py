"""Where a bucket is, in one line: `s3://laydown?region=eu-central-1`."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

SCHEME: Final = "s3"
DEFAULT_REGION: Final = "us-east-1"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # Amazon S3 User Guide, naming rules
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_KNOWN = frozenset({"endpoint", "region", "public"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_WHO = re.compile(r"//.*@", re.DOTALL)  # a key where none belongs; it may have slashes


class BadStore(ValueError):
    """The store can't be used as the setting has it; the message says why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where requests go: keys are appended to the path."""

    scheme: str
    host: str  # with its port, unless that is the scheme's own
    path: str  # of the bucket, with its final slash


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketAddress:
    """A bucket of anything that speaks S3; who we are comes from the usual AWS chain."""

    bucket: str
    prefix: str = ""  # what stands before our keys, with its slash
    region: str = DEFAULT_REGION
    endpoint: str | None = None  # the service's URL, where it is not Amazon's own
    public: str | None = None  # the same, as clients reach it

    def place(self, *, for_clients: bool = False) -> Place:
        """Return where to send requests from here, or from where clients are.

        Amazon's buckets are hosts, as it wants them; elsewhere, and where a dot in the name fits
        no certificate, they are the first part of the path.
        """
        endpoint = (self.public if for_clients else None) or self.endpoint
        if endpoint is not None:
            split = urlsplit(endpoint)
            return Place(scheme=split.scheme, host=split.netloc, path=f"/{self.bucket}/")
        domain = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        service = f"s3.{self.region}.{domain}"
        if "." in self.bucket:
            return Place(scheme="https", host=service, path=f"/{self.bucket}/")
        return Place(scheme="https", host=f"{self.bucket}.{service}", path="/")

    def __str__(self) -> str:
        """Return it as settings have it."""
        given = [("endpoint", self.endpoint), ("region", self.region), ("public", self.public)]
        query = "&".join(f"{name}={value}" for name, value in given if value)
        place = f"{self.bucket}/{self.prefix}".rstrip("/")
        return f"{SCHEME}://{place}?{query}"


def parse_address(text: str) -> BucketAddress:
    """Return the bucket a setting names; raise `BadStore`, with a sentence, for anything else.

    The sentence repeats the setting, but for what stands before its last `@`: that may be
    a secret.
    """
    shown = _WHO.sub("//***@", text)
    try:
        split = urlsplit(text)
    except ValueError:
        raise BadStore(f"{shown!r} is no store: it is no URL") from None
    if split.scheme != SCHEME:
        raise BadStore(f"{shown!r} is no store: it begins with {SCHEME}://")
    if not _BUCKET.fullmatch(split.netloc):
        raise BadStore(f"{shown!r} names no bucket: 3 to 63 of a-z, 0-9, . and -")
    prefix = split.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise BadStore(f"{shown!r} has a prefix with other letters than A-Z, a-z, 0-9, _, . and -")
    given = dict(parse_qsl(split.query, keep_blank_values=True))
    if unknown := given.keys() - _KNOWN:
        raise BadStore(f"{shown!r} says {', '.join(sorted(unknown))}, which a bucket has not")
    region = given.get("region") or DEFAULT_REGION
    if not _REGION.fullmatch(region):
        raise BadStore(f"{shown!r} has a region that is none")
    return BucketAddress(
        bucket=split.netloc,
        prefix=f"{prefix}/" if prefix else "",
        region=region,
        endpoint=_service(shown, "endpoint", given.get("endpoint")),
        public=_service(shown, "public", given.get("public")),
    )


def _service(shown: str, name: str, url: str | None) -> str | None:
    """Return a service's URL in the one way that is signed and sent."""
    if url is None:
        return None
    try:
        split = urlsplit(url)
        is_sound = split.scheme in _DEFAULT_PORTS and bool(split.hostname) and split.port != 0
    except ValueError:
        is_sound = False
    if not is_sound:
        raise BadStore(f"{shown!r}: {name} is no http or https URL")
    if split.path.strip("/") or split.query or split.fragment or "@" in split.netloc:
        raise BadStore(f"{shown!r}: {name} is a scheme, a host and a port, and no more")
    host = split.netloc.lower().removesuffix(_DEFAULT_PORTS[split.scheme])
    return f"{split.scheme}://{host}"


def keys_in_common(ours: str | None, theirs: str) -> str | None:
    """Return what stands before our keys in the old bucket; None when our store is elsewhere."""
    if ours is None:
        return None
    mine, old = parse_address(ours), parse_address(theirs)
    same = (mine.bucket, mine.endpoint, mine.region) == (old.bucket, old.endpoint, old.region)
    return mine.prefix if same else None
