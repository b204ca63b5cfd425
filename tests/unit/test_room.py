"""What quotas leave room for, decided without a ledger."""

from uuid import UUID

import pytest

from laydown.domain.batch import Batch, OnConflict
from laydown.domain.lifecycle import Event, State
from laydown.domain.policy import Policy
from laydown.domain.publication import Known
from laydown.domain.quotas import Quota, Room, Usage
from laydown.domain.reasons import Reason
from laydown.domain.upload import BatchId, OrganizationId, ProjectId, Upload, UploadId, VerdictKind
from laydown.domain.verdicts import decide
from laydown.services.identifiers import new_id
from tests.ledger_support import EPOCH, SOMEBODY, digest, entry

PROJECT, OTHER = ProjectId(UUID(int=1)), ProjectId(UUID(int=2))
BATCH = Batch(
    id=BatchId(UUID(int=3)),
    organization=OrganizationId(UUID(int=4)),
    project=PROJECT,
    reference="delivery",
    label=None,
    on_conflict=OnConflict.NEW_VERSION,
    declared_by=SOMEBODY,
    created_at=EPOCH,
    closed_at=None,
)


def limited(**most: int) -> Room:
    """Return the room in a project that has a quota and uses nothing."""
    return Room([Quota(project=PROJECT, **most)], {})


def decided(room: Room, *entries, known: Known | None = None):
    """Return the decisions about entries."""
    return decide(
        entries,
        known=known or Known(),
        batch=BATCH,
        policy=Policy(),
        room=room,
        new_id=lambda: UploadId(new_id()),
    )


def kinds(decisions) -> list[str]:
    return [decision.kind.value for decision in decisions]


def uploaded(of, **facts) -> Upload:
    """Return an upload of the batch."""
    return Upload(
        id=UploadId(new_id()),
        organization=BATCH.organization,
        project=PROJECT,
        batch=BATCH.id,
        entry=of,
        **{"state": State.DECLARED, **facts},
    )


def test_what_is_too_large_is_refused_and_what_still_fits_is_taken():
    """Entries are decided in order; a smaller one after one that doesn't fit may fit."""
    decisions = decided(
        limited(bytes=10), entry("a", size=6), entry("b", size=5), entry("c", size=4)
    )
    assert kinds(decisions) == ["send", "rejected", "send"]
    assert decisions[1].reason is Reason.QUOTA_EXCEEDED
    assert decisions[1].detail == ("the project has a quota of 10 bytes; 4 left, this file has 5")
    assert decisions[1].upload is not None, "it is recorded"


@pytest.mark.parametrize(
    ("measure", "told"),
    [("files", "quota of 2 files"), ("uploads", "quota of 2 uploads under way at once")],
)
def test_files_and_uploads_under_way_are_limited_too(measure, told):
    """The third file finds nothing left, whatever its size."""
    room = limited(**{measure: 2})
    decisions = decided(room, entry("a"), entry("b"), entry("c", size=1))
    assert kinds(decisions) == ["send", "send", "rejected"]
    assert decisions[2].detail == f"the project has a {told}; nothing left"


def test_the_organization_s_quota_binds_every_project():
    """What one project took is not there for another; a project's own quota binds it alone."""
    room = Room(
        [Quota(project=None, files=3), Quota(project=OTHER, files=1)], {None: Usage(files=1)}
    )
    assert room.take(OTHER, Usage(files=1)) is None
    assert room.take(OTHER, Usage(files=1)) == ("the project has a quota of 1 files; nothing left")
    assert room.take(PROJECT, Usage(files=1)) is None
    assert room.take(PROJECT, Usage(files=1)) == (
        "the organization has a quota of 3 files; nothing left"
    )


def test_what_does_not_fit_takes_nothing():
    """A file that one quota refuses leaves what the other one has as it was."""
    room = Room([Quota(project=None, bytes=10), Quota(project=PROJECT, files=0)], {})
    assert room.take(PROJECT, Usage(bytes=10, files=1)) is not None
    assert room.take(OTHER, Usage(bytes=10, files=1)) is None


def test_a_twin_needs_no_bytes():
    """Of the same bytes twice only the first counts; nobody waits for what was refused."""
    same = digest("same")
    a, b, c = (entry(name, size=6, sha256=same) for name in "abc")
    assert kinds(decided(limited(bytes=6), a, b)) == ["send", "wait"]
    assert kinds(decided(limited(bytes=6, files=1), a, b)) == ["send", "rejected"]
    first, second, third = decided(limited(bytes=5), a, b, c)
    assert [each.upload.leader for each in (first, second, third)] == [None] * 3
    assert {each.reason for each in (first, second, third)} == {Reason.QUOTA_EXCEEDED}


def test_a_replaced_file_leaves_its_room():
    """Another file under the key of one that didn't come takes only the difference."""
    prior = uploaded(entry("a", size=6, key="k"))
    room = Room([Quota(project=PROJECT, bytes=10, files=1)], {PROJECT: Usage(bytes=6, files=1)})
    [decision] = decided(room, entry("a", size=10, key="k"), known=Known(uploads={"k": prior}))
    assert (decision.kind, decision.is_restart) == (VerdictKind.SEND, True)


def test_the_room_of_a_replaced_file_goes_to_its_twin():
    """Where another file waited for the same bytes, that one is sent then, and needs the room."""
    prior = uploaded(entry("a", size=6, key="k", sha256=digest("a")))
    known = Known(uploads={"k": prior}, followed=frozenset({prior.id}))
    room = Room([Quota(project=PROJECT, bytes=10)], {PROJECT: Usage(bytes=6)})
    [decision] = decided(room, entry("a", size=5, key="k"), known=known)
    assert decision.reason is Reason.QUOTA_EXCEEDED


def test_what_had_no_room_is_decided_anew():
    """With room it is a new attempt, the same file or another; without it stays what it was."""
    prior = uploaded(entry("a", size=6, key="k")).after(
        Event.REFUSED, reason=Reason.QUOTA_EXCEEDED, detail="then"
    )
    known = Known(uploads={"k": prior})
    for size in (6, 7):
        [decision] = decided(limited(bytes=7), entry("a", size=size, key="k"), known=known)
        assert (decision.kind, decision.is_restart) == (VerdictKind.SEND, True)
        assert (decision.upload.attempt, decision.upload.reason) == (2, None)
    [decision] = decided(limited(bytes=5), entry("a", size=6, key="k"), known=known)
    assert (decision.kind, decision.is_old, decision.upload) == (VerdictKind.REJECTED, True, prior)
    assert "5 left" in decision.detail


def test_without_quotas_everything_fits():
    """An organization that has none is held to nothing."""
    room = Room([], {})
    assert room.take(PROJECT, Usage(bytes=1 << 62, files=1, uploads=1)) is None
    assert not room.is_limited
    assert not room.is_exceeded


def test_uploads_under_way_exceed_nothing_at_the_end():
    """What completes is one less under way; only what is stored can be too much."""
    used = {PROJECT: Usage(bytes=10, files=5, uploads=5)}
    assert not Room([Quota(project=PROJECT, uploads=1)], used).is_exceeded
    assert not Room([Quota(project=PROJECT, bytes=10, files=5)], used).is_exceeded
    assert Room([Quota(project=PROJECT, files=4)], used).excess(PROJECT) == (
        "the project has a quota of 4 files; 5 are used"
    )
    assert Room([Quota(project=PROJECT, files=4)], used).excess(OTHER) is None
