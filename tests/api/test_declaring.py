"""What declaring makes of entries good and bad: each gets its own verdict."""

import asyncio

import pytest

from laydown.domain.batch import ENTRIES_PER_BATCH
from laydown.domain.plan import S3_LARGEST_OBJECT
from tests.api.talk import codes, entry, sha256

pytestmark = pytest.mark.embedded  # what is declared is not sent


def sized(count: int) -> list[dict]:
    return [{"key": str(n), "path": f"photos/{n:05}.jpg", "size": 1_000 + n} for n in range(count)]


async def test_five_thousand_entries_are_declared_at_once(ours, project):
    """Every one of 5,000 gets a verdict, in order, and an upload of its own."""
    declared = await ours.declare(project, *sized(5_000))
    verdicts = declared["verdicts"]
    assert [verdict["key"] for verdict in verdicts] == [str(n) for n in range(5_000)]
    assert {verdict["verdict"] for verdict in verdicts} == {"send"}
    assert len({verdict["upload_id"] for verdict in verdicts}) == 5_000
    again = await ours.declare(project, *sized(5_000))
    assert again["verdicts"] == verdicts


async def test_five_thousand_and_one_are_too_many(ours, project):
    """The request is refused as a whole, says how many it may have, and leaves no batch."""
    body = {"reference": "r", "entries": sized(5_001)}
    refused = await ours.ask("POST", f"/v1/projects/{project}/batches", body)
    assert (refused.status, refused.code) == (413, "too_many_entries")
    assert "5,000" in refused.json["detail"]
    assert (await ours.get("/v1/batches"))["items"] == []


async def test_a_batch_takes_a_hundred_thousand(server, ours, project):
    """The entry that would be one too many is refused with its whole request."""
    first = await ours.declare(project, *sized(1))
    batch = first["batch"]["id"]
    await server.ask(
        "INSERT INTO uploads (organization_id, id, project_id, batch_id, key, path, path_folded, "
        "size, state, parts) SELECT organization_id, gen_random_uuid(), project_id, batch_id, "
        "'more ' || n, 'more ' || n, 'more ' || n, 1, 'declared', 1 "
        "FROM uploads, generate_series(1, %s) AS n",
        ENTRIES_PER_BATCH - 2,
    )
    path = f"/v1/batches/{batch}/entries"
    two = {"entries": [entry("a.txt", b"a"), entry("b.txt", b"b")]}
    refused = await ours.ask("POST", path, two)
    assert (refused.status, refused.code) == (413, "too_many_entries")
    await ours.ask("POST", path, {"entries": two["entries"][:1]}, expect=200)
    assert (await ours.batch(batch))["declared"]["count"] == ENTRIES_PER_BATCH


async def test_one_bad_entry_among_five_thousand_fails_alone(ours, project):
    """Only it is rejected, and its detail points at it."""
    entries = sized(5_000)
    entries[3_210]["size"] = -1
    declared = await ours.declare(project, *entries)
    bad = [verdict for verdict in declared["verdicts"] if verdict["verdict"] != "send"]
    [verdict] = bad
    assert (verdict["key"], verdict["verdict"], verdict["reason"]) == (
        "3210",
        "rejected",
        "invalid_entry",
    )
    assert verdict["upload_id"] is None
    assert "/entries/3210/size" in verdict["detail"]
    assert declared["batch"]["declared"]["count"] == 4_999


WRONG = [
    {"size": -1},
    {"size": 2**63 - 1},
    {"size": 10**400},
    {"size": 1.5},
    {"size": "12"},
    {"size": None},
    {"size": True},
    {"path": None},
    {"path": 7},
    {"key": ""},
    {"key": "k" * 1_025},
    {"key": "a\u0000b"},
    {"key": None},
    {"sha256": "abc"},
    {"sha256": "zz" * 32},
    {"modified_at": "yesterday"},
    {"modified_at": "2026-11-20T09:14:00"},
    {"captured_at": "0001-01-01T00:00:00Z"},
    {"content_type": "x" * 300},
    {"position": {"latitude": 91, "longitude": 0}},
    {"position": {"latitude": 1}},
]


async def test_entries_that_are_not_as_described(ours, project):
    """Each is rejected as `invalid_entry`, and the good one among them is declared."""
    bad = [{"key": str(n), "path": f"{n}.txt", "size": 1} | wrong for n, wrong in enumerate(WRONG)]
    declared = await ours.declare(project, *bad, entry("good.txt", b"good"))
    *refused, good = declared["verdicts"]
    for wrong, verdict in zip(WRONG, refused, strict=True):
        assert (verdict["verdict"], verdict["reason"]) == ("rejected", "invalid_entry"), wrong
    assert good["verdict"] == "send"
    assert declared["batch"]["declared"]["count"] == 1


ILLEGAL = [
    ("../etc/passwd", "illegal_name"),
    ("/absolute.txt", "illegal_name"),
    ("a/\u202egnp.txt", "illegal_name"),
    ("nul\u0000.txt", "illegal_name"),
    ("", "illegal_name"),
    ("a" * 1_100 + ".txt", "path_too_long"),
    ("\ud800.txt", "illegal_name"),
]


async def test_names_that_no_document_may_have(ours, project):
    """The files are recorded as rejected for their names, so that the receipt has them."""
    entries = [{"key": str(n), "path": path, "size": 3} for n, (path, _) in enumerate(ILLEGAL)]
    declared = await ours.declare(project, *entries)
    reasons = [reason for _, reason in ILLEGAL]
    assert [verdict["reason"] for verdict in declared["verdicts"]] == reasons
    rows = (await ours.get(f"/v1/batches/{declared['batch']['id']}/receipt"))["rows"]
    assert [(row["key"], row["state"], row["reason"]) for row in rows] == [
        (str(n), "rejected", reason) for n, reason in enumerate(reasons)
    ]


async def test_a_huge_size_is_too_large(ours, project):
    """What S3 could hold and we don't take is recorded as too large, and counted exactly."""
    entries = [{"key": str(n), "path": f"{n}.bin", "size": S3_LARGEST_OBJECT} for n in range(3)]
    declared = await ours.declare(project, *entries)
    assert {verdict["reason"] for verdict in declared["verdicts"]} == {"too_large"}
    assert declared["batch"]["declared"] == {"count": 3, "bytes": 3 * S3_LARGEST_OBJECT}
    assert ENTRIES_PER_BATCH * S3_LARGEST_OBJECT < 2**63


async def test_a_key_twice_in_a_request(ours, project):
    """The first entry of a key counts, the second is `invalid_entry`."""
    declared = await ours.declare(
        project, entry("a.txt", b"a", key="k"), entry("b.txt", b"b", key="k")
    )
    assert [each["reason"] for each in declared["verdicts"]] == [None, "invalid_entry"]
    assert declared["batch"]["declared"]["count"] == 1


async def test_a_path_twice_in_a_batch(ours, project):
    """The same path in another case or encoding is a name conflict, in one request or in two."""
    declared = await ours.declare(
        project, entry("Caf\u00e9/A.txt", b"a"), entry("cafe\u0301/a.TXT", b"b")
    )
    assert [each["reason"] for each in declared["verdicts"]] == [None, "name_conflict"]
    again = await ours.declare(project, entry("CAF\u00c9/A.txt", b"c"))
    assert again["verdicts"][0]["reason"] == "name_conflict"


NO_DECLARATION = [
    (b"", None),
    (b"{", None),
    (b"[]", ""),
    (b"null", ""),
    (b'{"reference": "r", "entries": [', None),
    (b'{"reference": "r"} trailing', None),
    (b'\xff\xfe{"reference": "r"}', None),
    (b'{"reference": 7}', "/reference"),
    (b'{"reference": ""}', "/reference"),
    (b'{"reference": "a\\u0000b"}', "/reference"),
    (b'{"reference": "r", "entries": 7}', "/entries"),
    (b'{"reference": "r", "on_conflict": "overwrite"}', "/on_conflict"),
    (b"[" * 100_000, None),
]


async def test_bodies_that_are_no_declaration(ours, project):
    """Each answers 400, points at the fault where there is a place, and leaves no batch."""
    for body, pointer in NO_DECLARATION:
        refused = await ours.ask("POST", f"/v1/projects/{project}/batches", body)
        assert (refused.status, refused.code) == (400, "invalid_request"), body[:50]
        assert pointer is None or codes(refused) == [pointer], body[:50]
    assert (await ours.get("/v1/batches"))["items"] == []


async def test_a_body_that_never_ends_is_refused(ours, project):
    """More than 8 MiB are not read: 413."""
    body = b'{"reference": "r", "label": "' + b"x" * (9 << 20) + b'"}'
    refused = await ours.ask("POST", f"/v1/projects/{project}/batches", body)
    assert (refused.status, refused.code) == (413, "request_too_large")


async def test_two_clients_that_declare_at_once_share_the_batch(ours, project):
    """The same folder declared by eight clients at once is one batch with each file once."""
    answers = await asyncio.gather(*(ours.declare(project, *sized(50)) for _ in range(8)))
    assert len({answer["batch"]["id"] for answer in answers}) == 1
    assert len({str(answer["verdicts"]) for answer in answers}) == 1
    assert (await ours.batch(answers[0]["batch"]["id"]))["declared"]["count"] == 50


async def test_more_entries_come_in_more_requests(ours, project):
    """A batch grows by further requests; keys and paths are unique over all of them."""
    batch = (await ours.declare(project, entry("a.txt", b"a")))["batch"]["id"]
    body = {"entries": [entry("b.txt", b"b"), entry("A.TXT", b"c", key="k"), entry("a.txt", b"a")]}
    more = (await ours.ask("POST", f"/v1/batches/{batch}/entries", body, expect=200)).json
    assert [each["reason"] for each in more["verdicts"]] == [None, "name_conflict", None]
    assert more["batch"]["declared"]["count"] == 3


async def test_junk_and_programs_need_not_be_sent(ours, project):
    """What no bytes could make welcome is settled when it is declared."""
    declared = await ours.declare(
        project, entry("x/.DS_Store", b"junk"), entry("setup.exe", b"MZ"), entry("0.txt", b"")
    )
    assert [(each["verdict"], each["reason"]) for each in declared["verdicts"]] == [
        ("skipped", "system_junk"),
        ("rejected", "type_not_allowed"),
        ("rejected", "empty_file"),
    ]
    assert await ours.grants(declared["batch"]["id"]) == []


@pytest.mark.knobs(accept_empty=True)
async def test_an_empty_file_can_be_wanted(server, ours, project):
    """With the setting, files without a byte become documents, and each other's duplicates."""
    batch, _ = await ours.lay(project, {"a.txt": b"", "b.txt": b""})
    await server.run_until_quiet()
    states = {
        key: (each["state"], each["reason"]) for key, each in (await ours.uploads(batch)).items()
    }
    assert states == {"a.txt": ("ready", None), "b.txt": ("duplicate", "duplicate_in_batch")}
    again, _ = await ours.lay(project, {"c.txt": b""}, reference="again")
    assert await ours.state(again, "c.txt") == ("duplicate", "duplicate_exact")
    version = (await ours.document(project, "a.txt"))["current"]
    content = await ours.content(version["id"])
    assert (content.status, content.body, version["sha256"]) == (200, b"", sha256(b""))


async def test_a_changed_file_under_its_key_is_a_new_attempt(server, ours, project):
    """Before sealing, another size or digest restarts it; the old URL reaches nothing of it."""
    declared = await ours.declare(project, entry("a.txt", b"old", key="k"))
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    [granted] = await ours.grants(batch)
    [old] = granted["parts"]
    changed = await ours.declare(project, entry("a.txt", b"newer", key="k"))
    assert [each["verdict"] for each in changed["verdicts"]] == ["send"]
    assert changed["verdicts"][0]["upload_id"] == upload
    await ours.put_in_vain(old, b"old", "not_receiving")
    await ours.send(batch, upload, b"newer")
    await server.run_until_quiet()
    ready = (await ours.uploads(batch))["k"]
    assert (ready["state"], ready["attempt"], ready["sha256"]) == ("ready", 2, sha256(b"newer"))


async def test_a_key_of_a_sealed_file_names_no_other(server, ours, project):
    """Once it is sent, another file under the key is `key_reused`; the first one stays."""
    batch, _ = await ours.lay(project, {"a.txt": b"first"}, reference="one")
    declared = await ours.declare(project, entry("a.txt", b"first"), reference="two")
    batch, upload = declared["batch"]["id"], declared["verdicts"][0]["upload_id"]
    await ours.send(batch, upload, b"first")
    other = await ours.declare(project, entry("a.txt", b"second"), reference="two")
    [verdict] = other["verdicts"]
    assert (verdict["verdict"], verdict["reason"], verdict["upload_id"]) == (
        "rejected",
        "key_reused",
        None,
    )
    assert other["batch"]["counts"] == {server.arrived: 1}
