"""One organization can't see, write or disturb what is another's, whatever it asks."""

import asyncio
import random

import psycopg
import pytest

from laydown.domain.audit import AuditFilter
from laydown.domain.errors import NotFound
from laydown.domain.jobs import ProveUpload
from laydown.domain.kinds import KINDS
from laydown.domain.lifecycle import Event
from laydown.domain.proof import Proof
from laydown.domain.quotas import Quota
from laydown.domain.rates import Rate
from laydown.domain.reasons import Reason
from laydown.domain.scanning import Scan, Verdict
from laydown.domain.upload import PartOutcome, UploadId
from laydown.ports import BatchFilter
from laydown.postgres.ledger import PostgresLedger, PostgresTx
from laydown.postgres.pool import open_pool
from laydown.services.identifiers import new_id
from tests.ledger_support import (
    EVERYTHING,
    FIRST_PAGE,
    SOMEBODY,
    Tenant,
    digest,
    entry,
    moved,
    part,
    whole,
    with_old_ids,
    with_people,
)

TENANT_TABLES = (
    "tokens",
    "projects",
    "batches",
    "blobs",
    "documents",
    "uploads",
    "parts",
    "versions",
    "refusals",
    "jobs",
    "event_heads",
    "events",
    "scans",
    "proofs",
    "members",
    "project_roles",
    "links",
    "sessions",
    "sign_ins",
    "audit",
    "rate_buckets",
    "replies",
    "quotas",
    "usage",
    "usage_changes",
    "samples",
    "outcomes",
    "legacy_projects",
    "legacy_documents",
    "legacy_keys",
)
NUMBERED = {"uploads", "usage_changes"}  # by the database itself
WRITTEN = ("INSERT", "UPDATE", "DELETE")
PROOF = Proof(sha256=digest("big"), size=20, kind=KINDS["pdf"], is_pointer=False)


async def fill(tenant: Tenant) -> Tenant:
    """Give a tenant a row in every table."""
    published = await tenant.checking("published.txt")
    await tenant.publish(published, digest("published"))
    big = tenant.upload(entry("big.bin", size=20), part_size=10, parts=2)
    await tenant.declare(big)
    async with tenant.begin() as tx:
        await tx.record([part(big, 1, size=10)])
        await tx.remember({(digest("stub"), "pdf"): Reason.PLACEHOLDER_POINTER})
        await tx.enqueue([ProveUpload(big.id)])
        await tx.keep_scans({big.key: Scan(scanner="clamav", verdict=Verdict.CLEAN)})
        await tx.keep_proofs({big.key: PROOF})
        await tx.set_quota(Quota(project=tenant.project, files=10))
    await with_old_ids(tenant, published)
    sums = "INSERT INTO usage (organization_id, project_id, bytes, files, uploads) "
    await tenant.ask(sums + "VALUES (%s, %s, 0, 0, 0)", tenant.organization, tenant.project)
    await with_people(tenant)
    await tenant.database.allowances.draw(tenant.organization, tenant.organization, Rate(1, 1), 1)
    replies = tenant.database.replies
    await replies.claim(tenant.organization, digest("key"), digest("asked"), claim=new_id())
    await tenant.database.sampler.take()
    return tenant


@pytest.fixture
async def ours(tenant: Tenant) -> Tenant:
    return await fill(tenant)


@pytest.fixture
async def theirs(stranger: Tenant) -> Tenant:
    return await fill(stranger)


async def as_role(tenant: Tenant, role: str, statement: str, *, organization=None):
    """Run a statement as a role; return its rows, or how many it touched."""
    async with await psycopg.AsyncConnection.connect(
        tenant.owner, options=f"-c role={role}"
    ) as connection:
        if organization is not None:
            await connection.execute(
                "SELECT set_config('laydown.organization', %s, true)", [str(organization)]
            )
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else cursor.rowcount


async def may(tenant: Tenant, role: str, right: str, table: str) -> bool:
    """Say whether a role was granted a right on a table or on one of its columns."""
    query = (
        "SELECT has_table_privilege(%s, %s, %s)"
        if right == "DELETE"
        else "SELECT has_any_column_privilege(%s, %s, %s)"
    )
    [(granted,)] = await tenant.ask(query, role, table, right)
    return granted


async def test_the_list_of_tenant_tables_is_whole(tenant):
    """Every table with an organization is tested here, and there are no others but three."""
    rows = await tenant.ask(
        "SELECT relname, EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid "
        "AND attname = 'organization_id') FROM pg_class c "
        "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    assert {name for name, has_organization in rows if has_organization} == set(TENANT_TABLES)
    assert {name for name, is_tenants in rows if not is_tenants} == {
        "organizations",
        "schema_floor",
        "schema_migrations",
    }


async def test_row_security_is_forced_everywhere(tenant):
    """Row-level security is on and forced for every tenant table and for organizations."""
    rows = await tenant.ask(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    assert {name for (name,) in rows} == {*TENANT_TABLES, "organizations"}


@pytest.mark.parametrize("role", ["laydown_app", "laydown_system"])
async def test_neither_role_owns_or_bypasses_anything(tenant, role):
    """The roles can't log in, bypass row security, make roles, or own any object."""
    [flags] = await tenant.ask(
        "SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication "
        "FROM pg_roles WHERE rolname = %s",
        role,
    )
    assert not any(flags)
    assert await tenant.ask("SELECT relname FROM pg_class WHERE relowner = %s::regrole", role) == []
    assert await tenant.ask("SELECT proname FROM pg_proc WHERE proowner = %s::regrole", role) == []
    memberships = "SELECT roleid::regrole FROM pg_auth_members WHERE member = %s::regrole"
    assert await tenant.ask(memberships, role) == []


@pytest.mark.usefixtures("theirs")
async def test_rows_of_another_are_not_there(ours):
    """In our transaction every visible row of every table is ours, and there is at least one."""
    for table in TENANT_TABLES:
        seen = f"SELECT DISTINCT organization_id FROM {table}"
        if await may(ours, "laydown_app", "SELECT", table):
            rows = await as_role(ours, "laydown_app", seen, organization=ours.organization)
            assert rows == [(ours.organization,)], table
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await as_role(ours, "laydown_app", seen, organization=ours.organization)


async def test_without_an_organization_nothing_is_there(ours):
    """A transaction that names no organization sees no row of any table and changes none."""
    for table in (*TENANT_TABLES, "organizations"):
        if await may(ours, "laydown_app", "SELECT", table):
            everything = f"SELECT * FROM {table}"
            assert await as_role(ours, "laydown_app", everything) == [], table
            assert await as_role(ours, "laydown_app", everything, organization="") == [], table
        column = "id" if table == "organizations" else "organization_id"
        if await may(ours, "laydown_app", "UPDATE", table):
            touch = f"UPDATE {table} SET {column} = {column}"
            assert await as_role(ours, "laydown_app", touch) == 0, table


async def test_nothing_is_added_for_another(ours, theirs):
    """Our transaction can't add a row to any table that would be theirs."""
    for table in TENANT_TABLES:
        generated = "OVERRIDING SYSTEM VALUE " if table in NUMBERED else ""
        copy = (
            f"INSERT INTO {table} {generated}SELECT (jsonb_populate_record(NULL::{table}, "
            f'to_jsonb(t) || \'{{"organization_id": "{theirs.organization}"}}\')).* '
            f"FROM {table} t"
        )
        if await may(ours, "laydown_app", "INSERT", table):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                await as_role(ours, "laydown_app", copy, organization=ours.organization)


async def test_nothing_of_another_is_changed(ours, theirs):
    """Our transaction can't give rows away, nor change or delete theirs, in any table."""
    mine, other = ours.organization, theirs.organization
    for table in TENANT_TABLES:
        if await may(ours, "laydown_app", "UPDATE", table):
            give = f"UPDATE {table} SET organization_id = '{other}'"
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                await as_role(ours, "laydown_app", give, organization=mine)
            take = f"UPDATE {table} SET organization_id = '{mine}' "
            take += f"WHERE organization_id = '{other}'"
            assert await as_role(ours, "laydown_app", take, organization=mine) == 0, table
        if await may(ours, "laydown_app", "DELETE", table):
            gone = f"DELETE FROM {table} WHERE organization_id = '{other}'"
            assert await as_role(ours, "laydown_app", gone, organization=mine) == 0, table


async def test_the_system_role_writes_only_what_it_must(tenant):
    """But for jobs, buckets, sums it adds what begins a tenant, marks what is missing or used."""
    granted = {
        (table, right)
        for table in (*TENANT_TABLES, "organizations", "schema_floor", "schema_migrations")
        for right in WRITTEN
        if await may(tenant, "laydown_system", right, table)
    }
    assert granted == {
        ("organizations", "INSERT"),
        ("tokens", "INSERT"),
        ("tokens", "UPDATE"),
        ("members", "INSERT"),
        ("members", "UPDATE"),
        ("links", "UPDATE"),
        ("sessions", "UPDATE"),
        ("sign_ins", "INSERT"),
        ("event_heads", "INSERT"),
        ("jobs", "UPDATE"),
        ("jobs", "DELETE"),
        ("blobs", "UPDATE"),
        ("rate_buckets", "INSERT"),
        ("rate_buckets", "UPDATE"),
        ("rate_buckets", "DELETE"),
        ("replies", "DELETE"),
        ("usage", "INSERT"),
        ("usage", "UPDATE"),
        ("usage_changes", "DELETE"),
        ("samples", "INSERT"),
        ("samples", "UPDATE"),
        ("samples", "DELETE"),
        ("outcomes", "INSERT"),
        ("outcomes", "UPDATE"),
        ("outcomes", "DELETE"),
    }


async def test_the_system_role_changes_only_what_it_must(tenant):
    """Of the tables in which it may change something, it may change these columns."""
    columns = await tenant.ask(
        "SELECT table_name::text, column_name::text FROM information_schema.column_privileges "
        "WHERE grantee = 'laydown_system' AND privilege_type = 'UPDATE' "
        "AND table_name NOT IN ('jobs', 'rate_buckets')"
    )
    assert set(columns) == {
        ("blobs", "is_missing"),
        ("tokens", "last_used_at"),
        ("links", "last_used_at"),
        ("sessions", "last_used_at"),
        ("members", "issuer"),
        ("members", "subject"),
        ("usage", "bytes"),
        ("usage", "files"),
        ("usage", "uploads"),
        ("samples", "number"),
        ("samples", "waiting"),
        ("samples", "running"),
        ("samples", "dead"),
        ("samples", "oldest"),
        ("outcomes", "files"),
        ("outcomes", "bytes"),
    }


async def test_nobody_rewrites_the_audit(tenant):
    """Neither role may change or delete a line of the audit."""
    for role in ("laydown_app", "laydown_system"):
        for right in ("UPDATE", "DELETE"):
            assert not await may(tenant, role, right, "audit")


async def test_the_ledger_treats_foreign_ids_as_unknown(ours, theirs):
    """Reading, moving and recording by another's ids finds and changes nothing."""
    async with theirs.begin() as tx:
        [record, other] = await tx.records(theirs.batch.id, FIRST_PAGE, EVERYTHING)
        [document] = await tx.documents(
            theirs.project, FIRST_PAGE, under=None, text=None, kind=None
        )
    receiving = other.upload
    async with ours.begin() as tx:
        assert await tx.uploads([record.upload.id, receiving.id], lock=True) == []
        assert await tx.records(theirs.batch.id, FIRST_PAGE, EVERYTHING) == []
        cancel = moved(receiving, Event.CANCELLED, reason=Reason.CANCELLED_BY_USER)
        assert await tx.move([cancel]) == frozenset()
        late = [part(receiving, 2, size=10), whole(record.upload)]
        assert await tx.record(late) == [PartOutcome.NOT_RECEIVING] * 2
        assert await tx.happened(receiving.id) == []
        assert (await tx.tally(theirs.batch.id)).declared == 0
    for ask, identifier in (
        ("upload", receiving.id),
        ("batch", theirs.batch.id),
        ("project", theirs.project),
        ("document", document.id),
        ("version", document.current.id),
        ("touch_batch", theirs.batch.id),
    ):
        with pytest.raises(NotFound):
            async with ours.begin() as tx:
                await getattr(tx, ask)(identifier)


async def test_a_digest_is_known_only_to_whose_it_is(ours, theirs):
    """Blobs, refusals and current versions of another bear on no verdict of ours."""
    await theirs.publish(await theirs.checking("secret.txt"), digest("secret"))
    async with theirs.begin() as tx:
        await tx.remember({(digest("bad"), "txt"): Reason.TYPE_MISMATCH})
    async with ours.begin() as tx:
        asked = [entry("secret.txt", sha256=digest("secret")), entry("b.txt", sha256=digest("bad"))]
        known = await tx.known(ours.batch, asked, is_new=False)
    assert not known.blobs
    assert not known.refusals
    assert not known.current


async def test_row_security_holds_where_the_queries_forget(ours, theirs):
    """With the first lock off, asking as theirs on a connection of ours finds and adds nothing."""
    async with (
        open_pool(ours.owner, "laydown_app", size=1) as pool,
        pool.connection() as connection,
        connection.transaction(),
    ):
        await connection.execute(
            "SELECT set_config('laydown.organization', %s, true)", [str(ours.organization)]
        )
        forgetful = PostgresTx(connection, theirs.organization)
        everybody = BatchFilter(principal=SOMEBODY)
        assert await forgetful.projects(FIRST_PAGE) == []
        assert await forgetful.batches(FIRST_PAGE, everybody, project=None) == []
        assert await forgetful.records(theirs.batch.id, FIRST_PAGE, EVERYTHING) == []
        assert await forgetful.members(FIRST_PAGE, project=None) == []
        assert await forgetful.links(theirs.project, FIRST_PAGE) == []
        assert await forgetful.audit(AuditFilter(), FIRST_PAGE) == []
        assert await forgetful.head() == 0
        with pytest.raises(NotFound):
            await forgetful.batch(theirs.batch.id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await forgetful.enqueue([ProveUpload(UploadId(theirs.batch.id))])


async def test_a_pooled_connection_carries_no_organization_over(ours, theirs):
    """Two hundred transactions of two organizations over two connections never mix."""
    luck = random.Random(11)

    async with open_pool(ours.owner, "laydown_app", size=2) as pool:
        ledger = PostgresLedger(pool)

        async def look(tenant: Tenant, how: int) -> None:
            opened = ledger.snapshot if how == 0 else ledger.begin
            try:
                async with opened(tenant.organization) as tx:
                    [project] = await tx.projects(FIRST_PAGE)
                    await asyncio.sleep(0)
                    batches = await tx.batches(
                        FIRST_PAGE, BatchFilter(principal=SOMEBODY), project=None
                    )
                    assert project.id == tenant.project
                    assert [batch.id for batch in batches] == [tenant.batch.id]
                    if how == 1:
                        raise _GaveUp  # noqa: TRY301 - what undoes the transaction
            except _GaveUp:
                return

        async with asyncio.TaskGroup() as tasks:
            for _ in range(200):
                tasks.create_task(look(luck.choice([ours, theirs]), luck.randrange(3)))
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM uploads")
            assert await cursor.fetchone() == (0,)


class _GaveUp(Exception):
    """A transaction is undone on purpose."""
