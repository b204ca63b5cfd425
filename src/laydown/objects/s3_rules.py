"""The documents that a bucket is set up with: cross-origin rules, life cycle and policy.

Whatever in them isn't ours is left as it is. Ours are known by their ids.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

REJECTED: Final[Mapping[str, str]] = {"laydown-verdict": "rejected"}
"""The tag of objects in quarantine: the bucket's policy denies reading them, its life cycle
deletes them in the end."""

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_CORS: Final = "laydown"
_STALE, _REJECTED, _HIDDEN = "laydown-stale", "laydown-rejected", "laydown-hidden"
_QUARANTINE: Final = "LaydownQuarantine"
_METHODS: Final = ("PUT", "GET", "HEAD")
_EXPOSED: Final = ("ETag", "x-amz-checksum-crc64nvme", "x-amz-version-id")
_BROWSERS_MAY_ASK_AGAIN: Final = 3600  # seconds that the answer to a preflight is good for
_HIDDEN_FOR: Final = 7  # days that a deleted object can be brought back where versions are kept


def lets_browsers_send(cors: Element, origins: Sequence[str]) -> bool:
    """Say whether pages of all *origins* may PUT with any header and read the ETag."""
    allowed: set[str] = set()
    for rule in cors.iter("CORSRule"):
        methods = {found.text for found in rule.iter("AllowedMethod")}
        headers = {found.text for found in rule.iter("AllowedHeader")}
        exposed = {(found.text or "").lower() for found in rule.iter("ExposeHeader")}
        if set(_METHODS) <= methods and "*" in headers and "etag" in exposed:
            allowed |= {found.text or "" for found in rule.iter("AllowedOrigin")}
    return "*" in allowed or set(origins) <= allowed


def with_cors(cors: Element | None, origins: Sequence[str]) -> bytes:
    """Return the rules with ours for *origins* among them."""
    root = Element("CORSConfiguration", xmlns=NAMESPACE)
    root.extend(_others(cors, "CORSRule", (_CORS,)))
    rule = SubElement(root, "CORSRule")
    SubElement(rule, "ID").text = _CORS
    for name, values in (
        ("AllowedHeader", ("*",)),
        ("AllowedMethod", _METHODS),
        ("AllowedOrigin", origins),
        ("ExposeHeader", _EXPOSED),
    ):
        for value in values:
            SubElement(rule, name).text = value
    SubElement(rule, "MaxAgeSeconds").text = str(_BROWSERS_MAY_ASK_AGAIN)
    return tostring(root)


def aborts_after(life_cycle: Element, prefix: str) -> int | None:
    """Return after how many days uploads that nobody finishes are dropped; None: never."""
    found = [
        int(rule.findtext("AbortIncompleteMultipartUpload/DaysAfterInitiation") or 0)
        for rule in life_cycle.iter("Rule")
        if rule.findtext("Status") == "Enabled" and prefix.startswith(_prefix(rule))
    ]
    return min((days for days in found if days > 0), default=None)


def deletes_rejected(life_cycle: Element, prefix: str) -> bool:
    """Say whether what is in quarantine below *prefix* is deleted in the end."""
    return any(
        int(rule.findtext("Expiration/Days") or 0) > 0
        and prefix.startswith(rule.findtext(".//Prefix") or "")
        and _tags(rule) == REJECTED
        for rule in life_cycle.iter("Rule")
        if rule.findtext("Status") == "Enabled"
    )


def with_life_cycle(
    life_cycle: Element | None, prefix: str, *, stale_after: timedelta, rejected_for: timedelta
) -> bytes:
    """Return the rules with ours for keys that begin with *prefix* among them.

    They drop uploads that nobody finished, and delete what is in quarantine for good, and what
    was deleted where versions are kept.
    """
    root = Element("LifecycleConfiguration", xmlns=NAMESPACE)
    root.extend(_others(life_cycle, "Rule", (_STALE, _REJECTED, _HIDDEN)))
    stale = _rule(root, _STALE)
    SubElement(SubElement(stale, "Filter"), "Prefix").text = prefix
    dropping = SubElement(stale, "AbortIncompleteMultipartUpload")
    SubElement(dropping, "DaysAfterInitiation").text = str(_days(stale_after))
    rejected = _rule(root, _REJECTED)
    both = SubElement(SubElement(rejected, "Filter"), "And")
    SubElement(both, "Prefix").text = prefix
    for name, value in REJECTED.items():
        tag = SubElement(both, "Tag")
        SubElement(tag, "Key").text = name
        SubElement(tag, "Value").text = value
    SubElement(SubElement(rejected, "Expiration"), "Days").text = str(_days(rejected_for))
    hidden = _rule(root, _HIDDEN)
    SubElement(SubElement(hidden, "Filter"), "Prefix").text = prefix
    SubElement(SubElement(hidden, "Expiration"), "ExpiredObjectDeleteMarker").text = "true"
    gone = SubElement(hidden, "NoncurrentVersionExpiration")
    SubElement(gone, "NoncurrentDays").text = str(_HIDDEN_FOR)
    return tostring(root)


def denies_rejected(policy: str, bucket: str, prefix: str, *, partition: str) -> bool:
    """Say whether a policy keeps what is in quarantine from everybody."""
    wanted = _denial(bucket, prefix, partition=partition)
    return any(
        all(statement.get(name) == value for name, value in wanted.items() if name != "Sid")
        for statement in _statements(policy)
    )


def with_denial(policy: str | None, bucket: str, prefix: str, *, partition: str) -> bytes:
    """Return the policy with our statement among the others."""
    others = [] if policy is None else _statements(policy)
    kept = [statement for statement in others if statement.get("Sid") != _QUARANTINE]
    ours = _denial(bucket, prefix, partition=partition)
    return json.dumps({"Version": "2012-10-17", "Statement": [*kept, ours]}).encode()


def _denial(bucket: str, prefix: str, *, partition: str) -> dict[str, Any]:
    tags = {f"s3:ExistingObjectTag/{name}": value for name, value in REJECTED.items()}
    return {
        "Sid": _QUARANTINE,
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": f"arn:{partition}:s3:::{bucket}/{prefix}*",
        "Condition": {"StringEquals": tags},
    }


def _statements(policy: str) -> list[dict[str, Any]]:
    """Return a policy's statements; raise `ValueError` for what is no JSON."""
    document = json.loads(policy)
    found = document.get("Statement", []) if isinstance(document, dict) else []
    return [found] if isinstance(found, dict) else list(found)


def _others(root: Element | None, name: str, ours: Sequence[str]) -> list[Element]:
    if root is None:
        return []
    return [rule for rule in root.findall(name) if rule.findtext("ID") not in ours]


def _rule(root: Element, name: str) -> Element:
    rule = SubElement(root, "Rule")
    SubElement(rule, "ID").text = name
    SubElement(rule, "Status").text = "Enabled"
    return rule


def _tags(rule: Element) -> dict[str | None, str | None]:
    return {tag.findtext("Key"): tag.findtext("Value") for tag in rule.iter("Tag")}


def _prefix(rule: Element) -> str:
    """Return what keys must begin with for a rule; one that wants tags too is for none of ours."""
    if rule.find(".//Tag") is not None:
        return "\0"
    return rule.findtext(".//Prefix") or ""


def _days(span: timedelta) -> int:
    return max(1, -(-span // timedelta(days=1)))
