"""What must never be in the ledger can't be written, whoever writes."""

from contextlib import nullcontext

import psycopg
import pytest

from laydown.domain.lifecycle import MOVES, SETTLED, State
from laydown.domain.quotas import Quota
from tests.ledger_support import Tenant, digest, entry, part, with_old_ids, with_people

# What breaks each check constraint: a statement on rows that are sound.
BREACHES = {
    "tokens_secret_sha256_check": "UPDATE tokens SET secret_sha256 = 'short'",
    "projects_latitude_check": "UPDATE projects SET latitude = 91, longitude = 0",
    "projects_longitude_check": "UPDATE projects SET latitude = 0, longitude = -181",
    "projects_check": "UPDATE projects SET latitude = 1",
    "blobs_sha256_check": "UPDATE blobs SET sha256 = 'short'",
    "blobs_size_check": "UPDATE blobs SET size = -1",
    "documents_check": "UPDATE documents SET last_number = 0",
    "documents_check1": "UPDATE documents SET current_order = NULL",
    "uploads_claimed_sha256_check": "UPDATE uploads SET claimed_sha256 = 'short'",
    "uploads_attempt_check": "UPDATE uploads SET attempt = 0",
    "uploads_part_size_check": "UPDATE uploads SET part_size = 0",
    "uploads_parts_check": "UPDATE uploads SET parts = 0 WHERE key = 'receiving'",
    "uploads_sha256_check": "UPDATE uploads SET sha256 = 'short'",
    "never_more_than_declared": "UPDATE uploads SET received = size + 1 WHERE key = 'declared'",
    "single_or_multipart": "UPDATE uploads SET parts = 2 WHERE key = 'declared'",
    "only_declared_wait": "UPDATE uploads SET leader_id = id WHERE key = 'published'",
    "published_means_proven": "UPDATE uploads SET version_id = NULL WHERE key = 'published'",
    "past_receiving_means_whole": "UPDATE uploads SET object_key = NULL WHERE key = 'published'",
    "refused_means_why": "UPDATE uploads SET state = 'rejected' WHERE key = 'declared'",
    "parts_number_check": "UPDATE parts SET number = 0",
    "parts_size_check": "UPDATE parts SET size = 0",
    "versions_number_check": "UPDATE versions SET number = 0",
    "addresses_are_folded": "UPDATE members SET email = 'a@b.ch', email_folded = NULL",
    "subjects_have_issuers": "UPDATE members SET issuer = 'x', subject = NULL",
    "links_secret_sha256_check": "UPDATE links SET secret_sha256 = 'short'",
    "links_most_files_check": "UPDATE links SET most_files = 0",
    "links_most_bytes_check": "UPDATE links SET most_bytes = 0",
    "sessions_secret_sha256_check": "UPDATE sessions SET secret_sha256 = 'short'",
    "sign_ins_secret_sha256_check": "UPDATE sign_ins SET secret_sha256 = 'short'",
    "rate_buckets_drawn_check": "INSERT INTO rate_buckets SELECT id, gen_random_uuid(), now(), -1 "
    "FROM organizations",
    "replies_key_sha256_check": "INSERT INTO replies SELECT id, 'short', "
    "decode(repeat('00', 32), 'hex'), gen_random_uuid(), NULL, now() FROM organizations",
    "replies_fingerprint_check": "INSERT INTO replies SELECT id, "
    "decode(repeat('00', 32), 'hex'), 'short', gen_random_uuid(), NULL, now() FROM organizations",
    "jobs_lane_check": "INSERT INTO jobs (id, organization_id, kind, lane) "
    "SELECT gen_random_uuid(), id, 'prove', 2 FROM organizations",
    "quotas_most_bytes_check": "UPDATE quotas SET most_bytes = -1",
    "quotas_most_files_check": "UPDATE quotas SET most_files = -1",
    "quotas_most_uploads_check": "UPDATE quotas SET most_uploads = -1",
    "a_quota_limits": "UPDATE quotas SET most_files = NULL",
    "proofs_sha256_check": "INSERT INTO proofs (organization_id, object_key, sha256, size, kind, "
    "is_pointer) SELECT id, 'x', 'short', 1, 'text', false FROM organizations",
    "proofs_size_check": "INSERT INTO proofs (organization_id, object_key, sha256, size, kind, "
    "is_pointer) SELECT id, 'x', decode(repeat('00', 32), 'hex'), -1, 'text', false "
    "FROM organizations",
    "legacy_keys_key_sha256_check": "UPDATE legacy_keys SET key_sha256 = 'short'",
    "batches_trace_check": "UPDATE batches SET trace = 'short'",
    "jobs_trace_check": "INSERT INTO jobs (id, organization_id, kind, trace) "
    "SELECT gen_random_uuid(), id, 'prove', 'short' FROM organizations",
    "schema_floor_is_only_check": "INSERT INTO schema_floor VALUES (0, false)",
}

# What breaks each unique index that is more than a primary key.
REPEATS = {
    "organizations_name_key": "INSERT INTO organizations SELECT gen_random_uuid(), name "
    "FROM organizations",
    "one_project_a_code": "INSERT INTO projects (organization_id, id, code, code_folded, name) "
    "SELECT organization_id, gen_random_uuid(), 'TOWER', code_folded, name FROM projects",
    "one_open_batch_a_reference": "INSERT INTO batches (organization_id, id, project_id, "
    "reference, on_conflict, declared_by) SELECT organization_id, gen_random_uuid(), project_id, "
    "reference, on_conflict, declared_by FROM batches",
    "one_blob_a_digest": "INSERT INTO blobs (organization_id, id, sha256, size, kind, media_type, "
    "object_key) SELECT organization_id, gen_random_uuid(), sha256, 1, kind, media_type, 'x' "
    "FROM blobs",
    "blobs_object_key_key": "INSERT INTO blobs (organization_id, id, sha256, size, kind, "
    "media_type, object_key) SELECT organization_id, gen_random_uuid(), "
    "decode(repeat('00', 32), 'hex'), 1, kind, media_type, object_key FROM blobs",
    "one_document_a_path": "INSERT INTO documents (organization_id, id, project_id, path, "
    "path_folded) SELECT organization_id, gen_random_uuid(), project_id, 'X', path_folded "
    "FROM documents",
    "one_member_an_email": "INSERT INTO members (organization_id, id, name, email, email_folded) "
    "SELECT organization_id, gen_random_uuid(), name, email, email_folded FROM members",
    "one_member_a_subject": "INSERT INTO members (organization_id, id, name, issuer, subject) "
    "SELECT organization_id, gen_random_uuid(), name, issuer, subject FROM members",
    "one_upload_a_key": "UPDATE uploads SET key = 'declared'",
    "one_quota_a_place": "INSERT INTO quotas (organization_id, most_files) "
    "SELECT organization_id, 2 FROM quotas",
    "one_version_a_number": "INSERT INTO versions (organization_id, id, document_id, number, "
    "upload_id, blob_id) SELECT v.organization_id, gen_random_uuid(), document_id, number, u.id, "
    "blob_id FROM versions v, uploads u WHERE u.key = 'declared'",
    "one_version_an_upload": "INSERT INTO versions (organization_id, id, document_id, number, "
    "upload_id, blob_id) SELECT organization_id, gen_random_uuid(), document_id, number + 1, "
    "upload_id, blob_id FROM versions",
    "one_old_project": "WITH other AS (INSERT INTO organizations VALUES (gen_random_uuid(), "
    "'other') RETURNING id) INSERT INTO legacy_projects SELECT other.id, old_id, gen_random_uuid() "
    "FROM legacy_projects, other",
    "one_project_for_an_old_one": "INSERT INTO legacy_projects SELECT organization_id, old_id + 1, "
    "project_id FROM legacy_projects",
    "one_old_id_an_upload": "INSERT INTO legacy_documents SELECT organization_id, old_id + 1, "
    "project_id, upload_id, origin, filename, mime, uploaded_by, created_at FROM legacy_documents",
    "one_token_an_old_key": "WITH other AS (INSERT INTO organizations VALUES (gen_random_uuid(), "
    "'other') RETURNING id) INSERT INTO legacy_keys SELECT other.id, key_sha256, token_id "
    "FROM legacy_keys, other",
}


@pytest.fixture
async def filled(tenant: Tenant) -> Tenant:
    """Return a tenant with a quota, and a published, a declared and a receiving upload."""
    published = await tenant.checking("published")
    await tenant.publish(published, digest("published"))
    big = tenant.upload(entry("receiving", size=20), part_size=10, parts=2)
    await tenant.declare(tenant.upload(entry("declared")), big)
    async with tenant.begin() as tx:
        await tx.record([part(big, 1, size=10)])
        await tx.set_quota(Quota(project=None, files=1))
    await with_people(tenant)
    await with_old_ids(tenant, published)
    return tenant


async def broken_by(tenant, statement):
    """Return the name of the constraint that a statement breaks, None when it breaks none."""
    try:
        await tenant.ask(statement)
    except psycopg.errors.IntegrityError as failure:
        return failure.diag.constraint_name
    return None


async def test_what_must_never_be_is_refused(filled):
    """Each statement fails on the check that it was written to break."""
    found = {check: await broken_by(filled, statement) for check, statement in BREACHES.items()}
    assert found == {check: check for check in BREACHES}


async def test_what_must_be_unique_is_refused_twice(filled):
    """A second row under the same name, number, key, path or digest fails."""
    found = {index: await broken_by(filled, statement) for index, statement in REPEATS.items()}
    assert found == {index: index for index in REPEATS}


async def test_every_check_and_index_is_broken_above(filled):
    """No check constraint and no unique index goes without a statement that breaks it."""
    checks = await filled.ask("SELECT conname FROM pg_constraint WHERE contype = 'c'")
    assert {name for (name,) in checks} - INFORMATION_SCHEMA == BREACHES.keys()
    indexes = await filled.ask(
        "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid "
        "WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace"
    )
    assert {name for (name,) in indexes} == REPEATS.keys()


INFORMATION_SCHEMA = {  # Postgres's own
    "cardinal_number_domain_check",
    "yes_or_no_check",
}


# Every check holds in every state, so that only the trigger is asked.
SOUND = (
    "UPDATE uploads SET received = size, object_key = 'x', reason = 'expired', "
    "sha256 = decode(repeat('00', 32), 'hex'), version_id = gen_random_uuid()"
)


async def test_every_move_that_is_not_in_the_table_is_refused(filled):
    """Over all pairs of states, Postgres takes the moves of `MOVES` and no others."""
    legal = {(was, becomes) for (was, _), becomes in MOVES.items()}
    async with await psycopg.AsyncConnection.connect(filled.owner, autocommit=True) as connection:
        await connection.execute(SOUND)
        for was in State:
            for becomes in State:
                await connection.execute("ALTER TABLE uploads DISABLE TRIGGER uploads_move")
                await connection.execute("UPDATE uploads SET state = %s", [was])
                await connection.execute("ALTER TABLE uploads ENABLE TRIGGER uploads_move")
                is_legal = was == becomes or (was, becomes) in legal
                refusal = pytest.raises(psycopg.errors.CheckViolation, match="cannot become")
                with nullcontext() if is_legal else refusal:
                    await connection.execute("UPDATE uploads SET state = %s", [becomes])


async def test_the_function_is_the_table(filled):
    """`upload_may_move` is true of exactly the pairs that `MOVES` has, and labels are states."""
    labels = await filled.ask("SELECT unnest(enum_range(NULL::upload_state))::text")
    assert [label for (label,) in labels] == [state.value for state in State]
    pairs = await filled.ask(
        "SELECT was::text, becomes::text FROM unnest(enum_range(NULL::upload_state)) AS was, "
        "unnest(enum_range(NULL::upload_state)) AS becomes WHERE upload_may_move(was, becomes)"
    )
    changes = {(was, becomes) for (was, _), becomes in MOVES.items() if was != becomes}
    assert set(pairs) == changes
    assert {was for was, _ in changes} | SETTLED == set(State)
