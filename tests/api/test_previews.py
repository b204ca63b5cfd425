"""Looking before delivering: a preview says what a declaration then does, and records nothing."""

import pytest

from laydown.domain.reasons import EXPLANATIONS
from tests.api.installation import Installation
from tests.api.talk import Talk, entry, talking

pytestmark = pytest.mark.embedded  # nothing is sent

ALIKE = {
    "new": {"send"},
    "new_version": {"send"},
    "present": {"duplicate", "skipped", "wait"},
    "skipped": {"skipped"},
    "refused": {"rejected"},
}
"""The verdicts that an outlook may turn into."""


async def preview(talk: Talk, project: str, *entries: dict, **more: str) -> list[dict]:
    """Return the forecasts of entries."""
    path = f"/v1/projects/{project}/previews"
    answer = await talk.ask("POST", path, {"entries": entries, **more}, expect=200)
    return answer.json["items"]


def delivery() -> list[dict]:
    """Return entries of every kind there is; `a.txt` and `b.txt` are taken to be delivered."""
    return [
        entry("a.txt", b"a"),  # unchanged
        entry("b.txt", b"changed"),
        entry("B.txt", b"other"),  # the same path but for case
        entry("copies/a.txt", b"a"),
        entry("new.txt", b"new"),
        entry("twin.txt", b"new"),
        entry("unread.txt", b"who knows", claims=False),
        entry("Thumbs.db", b"x"),
        entry("empty.txt", b""),
        entry("setup.exe", b"MZ"),
        entry("../up.txt", b"x"),
        {"key": "huge", "path": "huge.bin", "size": 200 * 10**9},
        {"key": "bad", "path": "bad.txt", "size": -1},
    ]


@pytest.fixture
async def delivered(server: Installation, ours: Talk, project: str) -> str:
    """Deliver two files; return their project."""
    await ours.lay(project, {"a.txt": b"a", "b.txt": b"b"})
    await server.run_until_quiet()
    return project


@pytest.mark.parametrize("on_conflict", ["new_version", "skip", "reject"])
async def test_what_is_foreseen_is_what_happens(ours, delivered, on_conflict):
    """Every entry, declared after it was previewed, gets a verdict and a reason that agree."""
    forecasts = await preview(ours, delivered, *delivery(), on_conflict=on_conflict)
    declared = await ours.ask(
        "POST",
        f"/v1/projects/{delivered}/batches",
        {"reference": "r", "on_conflict": on_conflict, "entries": delivery()},
        expect=201,
    )
    for forecast, verdict in zip(forecasts, declared.json["verdicts"], strict=True):
        assert forecast["key"] == verdict["key"]
        assert verdict["verdict"] in ALIKE[forecast["outlook"]], forecast
        if forecast["outlook"] in {"skipped", "refused"}:
            assert (forecast["reason"], forecast.get("detail")) == (
                verdict["reason"],
                verdict.get("detail"),
            )


async def test_every_outlook_is_told(ours, delivered):
    """Of a mixed folder each file is new, a new version, here already, junk or refused."""
    outlooks = {
        each["key"]: (each["outlook"], each.get("reason"))
        for each in await preview(ours, delivered, *delivery())
    }
    assert outlooks == {
        "a.txt": ("present", "unchanged"),
        "b.txt": ("new_version", None),
        "B.txt": ("refused", "name_conflict"),
        "copies/a.txt": ("present", "duplicate_exact"),
        "new.txt": ("new", None),
        "twin.txt": ("present", "duplicate_in_batch"),
        "unread.txt": ("new", None),
        "Thumbs.db": ("skipped", "system_junk"),
        "empty.txt": ("refused", "empty_file"),
        "setup.exe": ("refused", "type_not_allowed"),
        "../up.txt": ("refused", "illegal_name"),
        "huge": ("refused", "too_large"),
        "bad": ("refused", "invalid_entry"),
    }


async def test_without_digests_the_names_tell(ours, delivered):
    """A file whose content nobody read yet is a new version where a document is, and else new."""
    asked = [entry(path, b"a", claims=False) for path in ("a.txt", "c.txt")]
    forecasts = await preview(ours, delivered, *asked)
    assert [each["outlook"] for each in forecasts] == ["new_version", "new"]


async def test_nothing_is_recorded(server, ours, delivered):
    """After a preview there is no batch, upload, event, audit line or use of quota more."""
    tables = ("batches", "uploads", "events", "audit", "jobs", "usage")

    async def counted() -> list:
        return [await server.ask(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]

    before = await counted()
    await preview(ours, delivered, *delivery())
    assert await counted() == before


async def test_who_may_not_read_learns_nothing(server, ours, delivered):
    """To an uploader and a drop link a document that others delivered is as if it weren't there."""
    made = await ours.ask("POST", "/v1/members", {"name": "u", "role": "uploader"}, expect=201)
    token = await ours.ask(
        "POST", "/v1/tokens", {"name": "t", "member_id": made.json["id"]}, expect=201
    )
    link = await ours.ask("POST", f"/v1/projects/{delivered}/links", {"label": "x"}, expect=201)
    for secret in (token.json["secret"], link.json["secret"]):
        async with talking(server.url, secret) as stranger:
            forecasts = await preview(
                stranger, delivered, entry("a.txt", b"a"), entry("c.txt", b"b")
            )
            assert [each["outlook"] for each in forecasts] == ["new", "new"]


async def test_a_full_quota_is_foreseen(ours, delivered):
    """What has no room any more is refused in the preview, with the quota as its reason."""
    await ours.ask("PUT", f"/v1/projects/{delivered}/quotas", {"files": 3}, expect=200)
    forecasts = await preview(ours, delivered, entry("c.txt", b"c"), entry("d.txt", b"d"))
    assert [(each["outlook"], each.get("reason")) for each in forecasts] == [
        ("new", None),
        ("refused", "quota_exceeded"),
    ]


async def test_five_thousand_and_one_are_too_many(ours, project):
    """A preview takes as many entries as a declaration, and says so."""
    entries = [{"key": str(n), "path": f"{n}.txt", "size": 1} for n in range(5_001)]
    refused = await ours.ask("POST", f"/v1/projects/{project}/previews", {"entries": entries})
    assert (refused.status, refused.code) == (413, "too_many_entries")


async def test_every_reason_is_explained(ours):
    """The catalogue has each reason with what it means and what to do."""
    items = (await ours.get("/v1/reasons"))["items"]
    assert [each["code"] for each in items] == [reason.value for reason in EXPLANATIONS]
    assert all(each["message"] and each["remedy"] for each in items)
