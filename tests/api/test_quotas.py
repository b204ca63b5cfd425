"""Quotas over HTTP: what is over is refused and the rest goes on; what is used is always known."""

import asyncio
from datetime import timedelta

import pytest

from tests.api.forms_talk import file, send, states
from tests.api.talk import entry, talking
from tests.usage_support import MISCOUNTED

NOTHING = {"bytes": 0, "files": 0, "uploads": 0}
UNLIMITED = {"bytes": None, "files": None, "uploads": None}
NOWHERE = "/v1/projects/01980000-0000-7000-8000-000000000000"


async def limit(talk, place="", **most):
    """Set the quota of a project, or of the organization."""
    answer = await talk.ask("PUT", f"/v1{place}/quotas", most, expect=200)
    assert answer.json == UNLIMITED | most


async def used(talk, place=""):
    """Return what a project uses, or the organization."""
    usage = await talk.get(f"/v1{place}/usage")
    return tuple(usage[measure] for measure in NOTHING)


def kinds(declared):
    return [verdict["verdict"] for verdict in declared["verdicts"]]


@pytest.fixture
def place(project):
    """Return where the project is, below `/v1`."""
    return f"/projects/{project}"


async def test_over_quota_the_rest_goes_on(server, ours, project, place):
    """What doesn't fit is recorded and says why; once the quota is raised, it is sent after all."""
    await limit(ours, place, bytes=10)
    files = {"a.txt": b"a" * 6, "b.txt": b"b" * 6, "c.txt": b"c" * 4}
    batch, uploads = await ours.lay(project, files)
    await server.run_until_quiet()
    assert (await ours.batch(batch))["counts"] == {"ready": 2, "rejected": 1}
    refused = await ours.get(f"/v1/uploads/{uploads['b.txt']}")
    assert (refused["reason"], refused["detail"]) == (
        "quota_exceeded",
        "the project has a quota of 10 bytes; 4 left, this file has 6",
    )
    assert await used(ours, place) == await used(ours) == (10, 2, 0)

    await limit(ours, place, bytes=16)
    again, _ = await ours.lay(project, files)
    await server.run_until_quiet()
    assert again != batch, "the first one is closed"
    assert (await ours.batch(again))["counts"] == {"skipped": 2, "ready": 1}
    assert await used(ours, place) == (16, 3, 0)
    assert await server.ask(MISCOUNTED) == []


async def test_declared_again_it_is_decided_anew(server, ours, project, place):
    """In an open batch the same entry is a new attempt when there is room, and nothing until."""
    await limit(ours, place, files=1)
    wanted = [entry("a.txt", b"first"), entry("b.txt", b"second")]
    first = await ours.declare(project, *wanted)
    [(events,)] = await server.ask("SELECT count(*) FROM events")
    again = await ours.declare(project, *wanted)
    assert kinds(first) == kinds(again) == ["send", "rejected"]
    assert again["verdicts"][1]["reason"] == "quota_exceeded"
    assert await server.ask("SELECT count(*) FROM events") == [(events,)], "nothing happened"

    await limit(ours, place, files=2)
    third = await ours.declare(project, *wanted)
    assert kinds(third) == ["send", "send"]
    upload = third["verdicts"][1]["upload_id"]
    assert upload == first["verdicts"][1]["upload_id"]
    await ours.send(third["batch"]["id"], upload, b"second")
    await server.run_until_quiet()
    now = await ours.get(f"/v1/uploads/{upload}")
    assert (now["state"], now["attempt"], now["reason"]) == ("ready", 2, None)
    assert await server.ask(MISCOUNTED) == []


async def test_retrying_takes_what_has_room_by_now(server, ours, project, place):
    """Retry sets going as much as fits, in order, and leaves the others as they are."""
    await limit(ours, place, uploads=1)
    declared = await ours.declare(project, *[entry(f"{n}.txt", b"%d" % n) for n in range(4)])
    batch = declared["batch"]["id"]
    assert kinds(declared) == ["send", "rejected", "rejected", "rejected"]

    async def retry():
        return (await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)).json["uploads"]

    assert await retry() == 0
    await limit(ours, place, uploads=3)
    assert await retry() == 2
    assert (await ours.batch(batch))["counts"] == {"declared": 3, "rejected": 1}
    assert await used(ours, place) == (3, 3, 3)
    await ours.send(batch, declared["verdicts"][1]["upload_id"], b"1")
    await server.run_until_quiet()
    assert await ours.state(batch, "1.txt") == ("ready", None)
    assert await server.ask(MISCOUNTED) == []


async def test_what_expired_needs_room_like_everything(server, ours, project, place):
    """An expired file that finds none says from then on that there is none."""
    declared = await ours.declare(project, entry("a.txt", b"a"), entry("b.txt", b"b"))
    batch = declared["batch"]["id"]
    await server.sweeping().tidy()
    assert await used(ours) == (0, 0, 0)
    await limit(ours, place, files=1)
    retried = await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    assert retried.json["uploads"] == 1
    assert await ours.state(batch, "a.txt") == ("declared", None)
    assert await ours.state(batch, "b.txt") == ("rejected", "quota_exceeded")


async def test_a_quota_cut_meanwhile_holds_at_the_end(server, ours, project, place):
    """What completes while more is used than allowed is refused, no more than that needs."""
    files = {f"{n}.txt": b"%d" % n * 10 for n in range(4)}
    batch, uploads = await ours.lay(project, files)
    await limit(ours, place, bytes=20)
    await server.run_until_quiet()
    assert (await ours.batch(batch))["counts"] == {"rejected": 2, "ready": 2}
    refused = await ours.get(f"/v1/uploads/{uploads['0.txt']}")
    assert (refused["reason"], refused["version_id"]) == ("quota_exceeded", None)
    assert refused["detail"] == "the project has a quota of 20 bytes; 40 are used"
    assert await used(ours, place) == (20, 2, 0)
    kept = {upload for _, _, upload, _ in (key.split("/") for key in await server.wanted())}
    assert kept == {uploads["2.txt"], uploads["3.txt"]}, "refused bytes are gone"

    await limit(ours, place)
    retried = await ours.ask("POST", f"/v1/batches/{batch}/retry", expect=200)
    assert retried.json["uploads"] == 2
    for path in ("0.txt", "1.txt"):
        await ours.send(batch, uploads[path], files[path])
    await server.run_until_quiet()
    assert (await ours.batch(batch))["counts"] == {"ready": 4}
    assert await server.ask(MISCOUNTED) == []


async def test_twins_of_what_had_no_room_in_the_end_are_not_sent(server, ours, project, place):
    """They would need the room that there wasn't: they are refused with their leader."""
    files = {"a.txt": b"same", "b.txt": b"same", "c.txt": b"other"}
    batch, _ = await ours.lay(project, files)
    assert await used(ours, place) == (9, 3, 3)
    await limit(ours, bytes=5)
    await server.run_until_quiet()
    assert (await ours.batch(batch))["counts"] == {"rejected": 2, "ready": 1}
    assert await ours.state(batch, "b.txt") == ("rejected", "quota_exceeded")
    assert await used(ours, place) == (5, 1, 0)
    assert await server.ask(MISCOUNTED) == []


async def test_the_same_bytes_count_once(server, ours, project, place):
    """Twins and duplicates take no bytes: what is linked fits where its bytes would not."""
    await limit(ours, place, bytes=4)
    batch, _ = await ours.lay(project, {"a.txt": b"same", "b.txt": b"same"})
    await server.run_until_quiet()
    assert (await ours.batch(batch))["counts"] == {"ready": 1, "duplicate": 1}
    linked, _ = await ours.lay(project, {"c.txt": b"same"}, reference="more")
    assert (await ours.batch(linked))["counts"] == {"duplicate": 1}
    assert await used(ours, place) == (4, 3, 0)
    await limit(ours, place, files=3)
    full = await ours.declare(project, entry("d.txt", b"same"), reference="yet more")
    assert kinds(full) == ["rejected"]
    assert await server.ask(MISCOUNTED) == []


async def test_a_replaced_leader_s_room_goes_to_its_twin(server, ours, project, place):
    """Another file under the leader's key finds only what the twin leaves."""
    await limit(ours, place, bytes=8)
    twins = [entry("a.txt", b"same"), entry("b.txt", b"same")]
    assert kinds(await ours.declare(project, *twins)) == ["send", "wait"]
    declared = await ours.declare(project, entry("c.txt", b"12345", key="a.txt"))
    assert kinds(declared) == ["rejected"]
    declared = await ours.declare(project, entry("c.txt", b"1234", key="a.txt"))
    assert kinds(declared) == ["send"]
    assert await used(ours, place) == (8, 2, 2)
    assert await server.ask(MISCOUNTED) == []


async def test_what_does_not_come_is_not_used(server, ours, project, place):
    """Cancelled, expired and refused files give back what they had taken."""
    files = [entry("a.txt", b"a"), entry("b.txt", b"b"), entry("c.jpg", b"%PDF-1.7\n")]
    declared = await ours.declare(project, *files, entry("Thumbs.db", b"x"), entry("e.txt", b""))
    batch, verdicts = declared["batch"]["id"], declared["verdicts"]
    assert await used(ours, place) == (11, 3, 3)
    await ours.ask("DELETE", f"/v1/uploads/{verdicts[0]['upload_id']}", expect=200)
    assert await used(ours, place) == (10, 2, 2)
    await ours.send(batch, verdicts[2]["upload_id"], b"%PDF-1.7\n")
    await server.run_until_quiet()
    assert await used(ours, place) == (1, 1, 1)
    await server.sweeping().tidy()
    assert await used(ours, place) == (0, 0, 0)
    assert await server.ask(MISCOUNTED) == []
    assert await server.ask("SELECT count(*) FROM usage_changes") == [(1,)], "others are folded"


async def test_the_organization_s_quota_binds_all_projects(ours, project, place):
    """What one project has taken is not there for another, whatever that one's own quota says."""
    other = await ours.project("annex")
    await limit(ours, files=3)
    await limit(ours, f"/projects/{other}", files=5)
    files = [entry(f"{n}.txt", b"%d" % n) for n in range(2)]
    assert kinds(await ours.declare(project, *files)) == ["send", "send"]
    declared = await ours.declare(other, *files)
    assert kinds(declared) == ["send", "rejected"]
    assert declared["verdicts"][1]["detail"] == (
        "the organization has a quota of 3 files; nothing left"
    )
    assert await used(ours) == (3, 3, 3)
    assert await used(ours, place) == (2, 2, 2)
    assert await used(ours, f"/projects/{other}") == (1, 1, 1)


async def test_declaring_at_once_never_exceeds_a_quota(server, ours, project, place):
    """Of twelve declarations side by side exactly as many files are taken as the quota allows."""
    await limit(ours, files=40, bytes=1_000)
    await limit(ours, place, uploads=50)
    declared = await asyncio.gather(
        *(
            ours.declare(
                project,
                *[entry(f"{of}-{n}.txt", b"%d-%d" % (of, n)) for n in range(10)],
                reference=f"delivery {of}",
            )
            for of in range(12)
        )
    )
    taken = [kind for each in declared for kind in kinds(each) if kind == "send"]
    assert len(taken) == 40
    _, files, uploads = await used(ours)
    assert (files, uploads) == (40, 40)
    assert await server.ask(MISCOUNTED) == []


async def test_a_quota_says_what_is_used_of_it(ours, place):
    """Quotas begin unlimited, are set as a whole, and can be taken away again."""
    for where in ("", place):
        assert await ours.get(f"/v1{where}/quotas") == UNLIMITED
        assert await ours.get(f"/v1{where}/usage") == NOTHING | {"quota": UNLIMITED}
        await limit(ours, where, bytes=5, uploads=0)
        await limit(ours, where, files=7)
        assert await ours.get(f"/v1{where}/quotas") == UNLIMITED | {"files": 7}
        usage = await ours.get(f"/v1{where}/usage")
        assert usage["quota"] == UNLIMITED | {"files": 7}
        await limit(ours, where)
        assert await ours.get(f"/v1{where}/quotas") == UNLIMITED


@pytest.mark.parametrize("wrong", [-1, 1 << 63, "5", 1.5])
async def test_a_quota_is_a_number(ours, place, wrong):
    """What is none is refused and points at the fault; nothing is set."""
    answer = await ours.ask("PUT", f"/v1{place}/quotas", {"files": 3, "bytes": wrong})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert [fault["pointer"] for fault in answer.json["errors"]] == ["/bytes"]
    assert await ours.get(f"/v1{place}/quotas") == UNLIMITED


async def test_quotas_of_others_are_unknown(ours, theirs, place):
    """Another organization's project answers as one that doesn't exist, and binds nobody."""
    await limit(theirs, files=0)
    for where in (f"/v1{place}", NOWHERE):
        for method, path in (("GET", "usage"), ("GET", "quotas"), ("PUT", "quotas")):
            body = {"files": 1} if method == "PUT" else None
            answer = await theirs.ask(method, f"{where}/{path}", body)
            assert (answer.status, answer.code) == (404, "not_found")
    assert await ours.get("/v1/quotas") == UNLIMITED
    assert await ours.get(f"/v1{place}/quotas") == UNLIMITED


async def test_a_quota_below_what_is_used_takes_nothing_away(server, ours, project, place):
    """What is in stays in, and can be read; nothing new is taken."""
    batch, _ = await ours.lay(project, {"a.txt": b"a"})
    await server.run_until_quiet()
    await limit(ours, place, bytes=0, files=0)
    assert (await ours.batch(batch))["counts"] == {"ready": 1}
    assert len(await ours.documents(project)) == 1
    declared = await ours.declare(project, entry("b.txt", b"b"), reference="more")
    assert declared["verdicts"][0]["detail"] == (
        "the project has a quota of 0 bytes; nothing left, this file has 1"
    )


async def test_sweeping_folds_what_is_used(server, ours, project):
    """After a round of the sweeper the sums are whole, and asking says the same."""
    for n in range(3):
        await ours.declare(project, entry(f"{n}.txt", b"%d" % n), reference=f"delivery {n}")
    before = await used(ours)
    await server.sweeping(silence=timedelta(hours=1)).tidy()
    assert await server.ask("SELECT count(*) FROM usage_changes") == [(0,)]
    assert await used(ours) == before == (3, 3, 3)


async def test_what_a_form_brings_needs_room(server, ours, project, place):
    """Of the files of a form those that fit go in; the bytes of the others are gone again.

    The same bytes twice are here twice until they are proven, and need room twice.
    """
    await limit(ours, place, bytes=10)
    names = {"a.txt": b"a" * 6, "b.txt": b"b" * 6, "c.txt": b"c" * 3, "d.txt": b"c" * 3}
    parts = [file(name, data) for name, data in names.items()]
    answer = await send(ours, project, *parts)
    assert states(answer.json) == [
        ("checking", None),
        ("rejected", "quota_exceeded"),
        ("checking", None),
        ("rejected", "quota_exceeded"),
    ]
    assert await used(ours, place) == (9, 2, 2)
    await server.run_until_quiet()
    assert await used(ours, place) == (9, 2, 0)
    assert len(await server.wanted()) == 2
    assert await server.ask(MISCOUNTED) == []


async def test_quotas_are_an_owner_s_and_audited(server, ours, place):
    """A manager reads what is used and can't set quotas; who did is in the audit, with what."""
    made = await ours.ask("POST", "/v1/members", {"name": "Ana", "role": "manager"}, expect=201)
    body = {"name": "t", "member_id": made.json["id"]}
    secret = (await ours.ask("POST", "/v1/tokens", body, expect=201)).json["secret"]
    async with talking(server.url, secret) as manager:
        for where in ("", place):
            assert await used(manager, where) == (0, 0, 0)
            refused = await manager.ask("PUT", f"/v1{where}/quotas", {"files": 1})
            assert (refused.status, refused.code) == (403, "forbidden")
    await limit(ours, place, files=7)
    lines = (await ours.get("/v1/audit"))["items"]
    [line] = [each for each in lines if each["deed"] == "quota.set"]
    assert (line["project_id"], line["detail"]) == (place.rpartition("/")[2], {"files": 7})
