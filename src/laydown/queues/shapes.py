"""What S3, EventBridge, GuardDuty and their stand-ins say, in their shapes, as facts of ours.

* S3 itself: `{"Records": [{"eventName": "ObjectCreated:Put", "s3": {…}}]}`, its keys encoded as in
  forms; emulators leave out `sequencer` and `versionId`, and encode slashes too.
* EventBridge: `{"source": "aws.s3", "detail-type": "Object Created", "detail": {…}}`.
* GuardDuty's Malware Protection for S3, by EventBridge: `{"source": "aws.guardduty", …}`.
* SeaweedFS's filer: a body that is no JSON, and the path as the message's attribute `key`.

Sources: "Event message structure" and "EventBridge event message structure" in the user guide of
S3; "Monitoring S3 object scans with EventBridge" in that of GuardDuty; `weed/notification`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import ObjectName, parse_key
from laydown.ports import Arrival, Fact, Judgement
from laydown.queues.messages import decoded

GUARDDUTY: Final = "guardduty"
"""What this scanner is called in the ledger."""

_SCANNED = "GuardDuty Malware Protection Object Scan Result"
_FILED_UNDER = "/buckets/"  # where SeaweedFS's filer keeps its buckets
_NO_VERSION = frozenset({"", "null"})  # how a bucket without versions says so
_UNJUDGED: Mapping[str, str] = {
    "UNSUPPORTED": "too large, encrypted or of a kind GuardDuty does not open",
    "ACCESS_DENIED": "GuardDuty was not allowed to read it",
    "FAILED": "GuardDuty failed to scan it",
}


@dataclass(frozen=True, slots=True)
class Home:
    """Where our objects are: a bucket, and what stands before their keys in it."""

    bucket: str
    prefix: str = ""

    def holds(self, bucket: str, key: str) -> ObjectName | None:
        """Return what a key says if it is one of ours."""
        if bucket != self.bucket or not key.startswith(self.prefix):
            return None
        try:
            return parse_key(key.removeprefix(self.prefix))
        except ValueError:
            return None


def facts_of(body: str, *, key: str | None, home: Home) -> Sequence[Fact]:
    """Return what a message says about objects of ours; often nothing.

    *key* is the message's attribute of that name. Raises `ValueError` for a message of nobody we
    know, which is not the same as news of no interest.
    """
    if key is not None and key.startswith(_FILED_UNDER):
        return list(_filed(key, home))
    match decoded(body):
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": [*records]}:
            return [fact for record in records for fact in _recorded(record, home)]
        case {"source": "aws.s3", "detail-type": str(kind), "detail": {**detail}}:
            return list(_bridged(detail, home)) if kind == "Object Created" else []
        case {"source": "aws.guardduty", "detail-type": str(kind), "detail": {**detail}}:
            return list(_judged(detail, home)) if kind == _SCANNED else []
        case _:
            raise ValueError("no news of a store")


def _filed(path: str, home: Home) -> Iterator[Fact]:
    place, _, key = path.removeprefix(_FILED_UNDER).partition("/")
    if name := home.holds(place, key):
        yield Arrival(name=name, size=None)


def _recorded(record: object, home: Home) -> Iterator[Fact]:
    match record:
        case {
            "eventName": str(event),
            "s3": {"bucket": {"name": str(place)}, "object": {"key": str(key), **more}},
        }:
            is_created = event.removeprefix("s3:").startswith("ObjectCreated:")
            if is_created and (name := home.holds(place, unquote_plus(key))):
                yield Arrival(name=name, size=_size(more))
        case _:
            raise ValueError("not a record of S3")


def _bridged(detail: Mapping[Any, Any], home: Home) -> Iterator[Fact]:
    match detail:
        case {"bucket": {"name": str(place)}, "object": {"key": str(key), **more}}:
            if name := home.holds(place, unquote_plus(key)):
                yield Arrival(name=name, size=_size(more))
        case _:
            raise ValueError("not an object that S3 created")


def _judged(detail: Mapping[Any, Any], home: Home) -> Iterator[Fact]:
    match detail:
        case {
            "s3ObjectDetails": {"bucketName": str(place), "objectKey": str(key), **more},
            "scanResultDetails": {"scanResultStatus": str(status), **found},
        }:
            if name := home.holds(place, unquote_plus(key)):
                yield Judgement(name=name, scan=_scan(status, found, version=_version(more)))
        case _:
            raise ValueError("not a scan's result")


def _scan(status: str, found: Mapping[Any, Any], *, version: str | None) -> Scan:
    match status:
        case "NO_THREATS_FOUND":
            return Scan(scanner=GUARDDUTY, verdict=Verdict.CLEAN, version=version)
        case "THREATS_FOUND":
            return Scan(
                scanner=GUARDDUTY,
                verdict=Verdict.INFECTED,
                threat=", ".join(_names(found.get("threats"))) or "unnamed",
                version=version,
            )
        case _:
            return Scan(
                scanner=GUARDDUTY,
                verdict=Verdict.UNSCANNABLE,
                threat=_UNJUDGED.get(status, f"GuardDuty says {status}"),
                version=version,
            )


def _names(threats: object) -> Iterator[str]:
    for threat in threats if isinstance(threats, list) else ():
        match threat:
            case {"name": str(name)}:
                yield name
            case _:
                pass


def _size(more: Mapping[Any, Any]) -> int | None:
    size = more.get("size")
    return size if isinstance(size, int) else None


def _version(more: Mapping[Any, Any]) -> str | None:
    version = more.get("versionId")
    return version if isinstance(version, str) and version not in _NO_VERSION else None
