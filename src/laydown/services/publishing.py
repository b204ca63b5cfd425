"""Bytes that are proven become versions of documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from laydown.domain.batch import OnConflict
from laydown.domain.document import Blob, DocumentId, VersionId
from laydown.domain.lifecycle import Event
from laydown.domain.publication import DocumentHead, NewVersion
from laydown.domain.reasons import Reason
from laydown.domain.upload import Upload
from laydown.ports import Tx
from laydown.services.identifiers import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An upload whose bytes are proven, or known, to be this blob's."""

    upload: Upload
    blob: Blob
    is_first: bool  # it brought the bytes; otherwise they were here already
    on_conflict: OnConflict
    duplicate_of: Reason = Reason.DUPLICATE_EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What became of a candidate: the states it goes through, and its version if it got one."""

    steps: Sequence[Upload]
    version: NewVersion | None

    @property
    def upload(self) -> Upload:
        """The upload as it is in the end."""
        return self.steps[-1]


async def decide_publications(tx: Tx, candidates: Sequence[Candidate]) -> Sequence[Publication]:
    """Lock the candidates' documents and decide about each, in the order given."""
    heads: dict[tuple[object, str], DocumentHead] = {}
    for project in sorted({candidate.upload.project for candidate in candidates}):
        wanted = {
            candidate.upload.entry.folded: candidate.upload.entry
            for candidate in candidates
            if candidate.upload.project == project
        }
        found = await tx.heads(project, {DocumentId(new_id()): entry for entry in wanted.values()})
        heads |= {(project, folded): head for folded, head in found.items()}
    publications = []
    for candidate in candidates:
        place = candidate.upload.project, candidate.upload.entry.folded
        publication, heads[place] = _decide(candidate, heads[place])
        publications.append(publication)
    return publications


def _decide(candidate: Candidate, head: DocumentHead) -> tuple[Publication, DocumentHead]:
    """Return what becomes of a candidate, and its document's head after it."""
    upload, blob = candidate.upload, candidate.blob
    if head.current_sha256 == blob.sha256:
        return _stays_out(upload, Event.SKIPPED, Reason.UNCHANGED), head
    if head.last_number and head.lost_sha256 != blob.sha256:  # what was lost is no conflict
        match candidate.on_conflict:
            case OnConflict.SKIP:
                return _stays_out(upload, Event.SKIPPED, Reason.NAME_CONFLICT), head
            case OnConflict.REJECT:
                return _stays_out(upload, Event.REFUSED, Reason.NAME_CONFLICT), head
            case OnConflict.NEW_VERSION:
                pass
    version = NewVersion(
        id=VersionId(new_id()),
        document=head.id,
        number=head.last_number + 1,
        upload=upload.id,
        blob=blob.id,
    )
    head = replace(head, last_number=version.number, current_sha256=blob.sha256, lost_sha256=None)
    facts: Mapping[str, object] = {"sha256": blob.sha256, "version": version.id, "leader": None}
    if candidate.is_first:
        # Nothing is made from files yet, so none has to rest in `processing`.
        published = upload.after(Event.FINISHED, **facts)
    else:
        published = upload.after(Event.MATCHED, reason=candidate.duplicate_of, **facts)
    return Publication(steps=[published], version=version), head


def _stays_out(upload: Upload, event: Event, reason: Reason) -> Publication:
    return Publication(
        steps=[upload.after(event, reason=reason, leader=None)],
        version=None,
    )
