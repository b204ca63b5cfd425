"""The first lock: what a caller can't see doesn't exist for them, what they may not do is refused.

Row-level security is the second: it holds organizations apart even where this were forgotten.
"""

from laydown.domain.access import Act
from laydown.domain.batch import Batch, Project
from laydown.domain.document import Document, DocumentId, Version, VersionId
from laydown.domain.errors import Forbidden, NotFound
from laydown.domain.upload import BatchId, ProjectId, UploadId
from laydown.ports import Tx, UploadRecord
from laydown.services.identity import Caller

_SENTENCES = {
    Act.MAKE_PROJECT: "making projects takes a manager of the organization",
    Act.CHANGE_PROJECT: "changing a project takes one of its managers",
    Act.DELIVER: "delivering takes a contributor or an uploader of the project",
    Act.READ_DOCUMENTS: "reading documents takes a viewer or a contributor of the project",
    Act.SEE_DELIVERIES: "seeing what others delivered takes a viewer or a contributor",
    Act.MANAGE_LINKS: "drop links take a manager of the project",
    Act.MANAGE_MEMBERS: "members, roles and other people's tokens take a manager",
    Act.OPERATE: "this takes a manager of the organization",
    Act.READ_AUDIT: "the audit takes a manager of the organization",
    Act.SET_QUOTAS: "setting quotas takes an owner of the organization",
}


def allow(caller: Caller, act: Act, project: ProjectId | None = None) -> None:
    """Raise `Forbidden` unless *act* is allowed in *project*, or in the whole organization."""
    if not caller.rights.may(act, project):
        raise Forbidden(_SENTENCES.get(act, "your role doesn't allow this"))


async def project_for(tx: Tx, caller: Caller, act: Act, project_id: ProjectId) -> Project:
    """Return a project in which *act* is allowed; raise `NotFound` or `Forbidden`."""
    project = await tx.project(project_id)
    if not caller.rights.may(act, project_id):
        if not caller.rights.may(Act.SEE_PROJECT, project_id):
            raise NotFound("project", project_id)
        allow(caller, act, project_id)
    return project


def batch_for(caller: Caller, act: Act, batch: Batch) -> Batch:
    """Return *batch* if the caller can see it and may do *act* to it.

    Raises `NotFound`, as for one that doesn't exist, or `Forbidden`.
    """
    if not sees(caller, batch):
        raise NotFound("batch", batch.id)
    allow(caller, act, batch.project)
    return batch


async def seen_batch(tx: Tx, caller: Caller, batch_id: BatchId) -> Batch:
    """Return a batch that the caller can see, or raise `NotFound`."""
    return batch_for(caller, Act.SEE_OWN_DELIVERIES, await tx.batch(batch_id))


async def upload_for(tx: Tx, caller: Caller, act: Act, upload_id: UploadId) -> UploadRecord:
    """Return an upload of a batch that the caller can see, if *act* is allowed.

    Raises `NotFound` or `Forbidden`.
    """
    record = await tx.upload(upload_id)
    project = record.upload.project
    if not caller.rights.may(Act.SEE_DELIVERIES, project) and not sees(
        caller, await tx.batch(record.upload.batch)
    ):
        raise NotFound("upload", upload_id)
    allow(caller, act, project)
    return record


async def document_for(tx: Tx, caller: Caller, document_id: DocumentId) -> Document:
    """Return a document that the caller may read, or raise `NotFound`."""
    document = await tx.document(document_id)
    if not caller.rights.may(Act.READ_DOCUMENTS, document.project):
        raise NotFound("document", document_id)
    return document


async def version_for(tx: Tx, caller: Caller, version_id: VersionId) -> Version:
    """Return a version that the caller may read, or raise `NotFound`."""
    version = await tx.version(version_id)
    if not caller.rights.may(Act.READ_DOCUMENTS, version.project):
        raise NotFound("version", version_id)
    return version


def sees(caller: Caller, batch: Batch) -> bool:
    """Say whether the caller sees everybody's deliveries of its project, or made this one."""
    if caller.rights.may(Act.SEE_DELIVERIES, batch.project):
        return True
    is_own = batch.declared_by == caller.principal
    return is_own and caller.rights.may(Act.SEE_OWN_DELIVERIES, batch.project)
