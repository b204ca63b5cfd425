"""Who api and worker log in as, and with what: never the schema's owner, and nothing that lasts."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from aiobotocore.credentials import AioCredentials
from botocore.session import get_session

from laydown.bootstrap.database import migrated, open_database
from laydown.bootstrap.iam_login import token_of
from laydown.bootstrap.login import login_of
from laydown.domain.errors import LedgerUnavailable
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.objects.credentials import Credentials
from laydown.ports import Office
from laydown.postgres.leading import PostgresElection
from laydown.postgres.pool import fetched, open_pool
from laydown.settings import BadSettings, Settings
from tests.ledger_support import settled_in

pytestmark = pytest.mark.embedded  # of Postgres alone


@dataclass
class Place:
    """A Postgres whose login wants a password."""

    owner: str  # how the owner connects
    login: str  # how the login connects, without its password
    password: str = ""

    async def told(self) -> str:
        """Say the password of this moment."""
        return self.password

    async def run(self, *statements: str) -> None:
        """Run statements as the owner."""
        connection = await psycopg.AsyncConnection.connect(self.owner, autocommit=True)
        async with connection:
            for statement in statements:
                await connection.execute(statement.encode())

    async def turn(self, password: str) -> None:
        """Give the login another password, and end its connections."""
        await self.run(f"ALTER ROLE laydown PASSWORD '{password}'")
        self.password = password
        await self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'laydown'"
        )


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """Run a migrated Postgres whose role `laydown` logs in with a password."""
    folder = Path(tempfile.mkdtemp(prefix="ldn"))  # short: a socket's path has 107 bytes
    server = EmbeddedPostgres(folder)
    try:
        made = await server.start()
        found = Place(owner=made.dsn("postgres"), login=made.dsn("laydown"))
        await migrated(Settings(data=tmp_path, database=found.owner), login="laydown")
        rules = folder / "postgres" / "pg_hba.conf"
        rules.write_text(f"local all laydown scram-sha-256\n{rules.read_text()}")
        await found.run("SELECT pg_reload_conf()")
        await found.turn("first")
        yield found
    finally:
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def test_the_login_does_all_that_a_server_does(place, tmp_path):
    """It declares, reads and holds offices, with a password that stands in no address."""
    settings = Settings(data=tmp_path, database=place.login, database_password="first")
    async with open_database(settings) as database:
        tenant = await settled_in(database, place.owner, "ours")
        assert len(await tenant.declared(3)) == 3
    assert "first" not in repr(settings)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE another",
        "CREATE TABLE another (id int)",
        "ALTER TABLE uploads ADD COLUMN another int",
        "DROP TABLE uploads",
        "ALTER TABLE uploads NO FORCE ROW LEVEL SECURITY",
        "UPDATE audit SET deed = deed",
        "INSERT INTO schema_migrations VALUES (9999)",
        "SET ROLE postgres",
    ],
)
async def test_the_login_may_not(place, statement):
    """It owns nothing, makes nothing, and is in no role but our two."""
    connection = await psycopg.AsyncConnection.connect(
        place.login, password="first", autocommit=True
    )
    async with connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(statement.encode())


async def test_the_login_sees_nobodys_rows_by_itself(place, tmp_path):
    """Row security holds for it as for everybody: without an organization there is nothing."""
    settings = Settings(data=tmp_path, database=place.login, database_password="first")
    async with open_database(settings) as database:
        tenant = await settled_in(database, place.owner, "ours")
        await tenant.declared(3)
    connection = await psycopg.AsyncConnection.connect(
        place.login, password="first", autocommit=True, options="-c role=laydown_app"
    )
    async with connection:
        cursor = await connection.execute("SELECT count(*) FROM uploads")
        assert await cursor.fetchone() == (0,)


async def test_each_connection_asks_for_the_password_of_its_moment(place):
    """Yesterday's token opens nothing: pools and offices come back with today's."""
    async with open_pool(place.login, "laydown_app", size=2, password=place.told) as pool:
        for password in ("second", "third"):
            await place.turn(password)
            (row,) = await fetched(pool, "SELECT current_user", {})
            assert row.current_user == "laydown_app"

        await place.turn("fourth")
        place.password = "third"
        with pytest.raises(LedgerUnavailable):
            async with open_pool(
                place.login, "laydown_app", size=1, patience=2.0, password=place.told
            ):
                pass


async def test_an_office_is_held_with_the_password_of_its_moment(place):
    """Whoever stands for one connects as the pools do."""
    stop, elected = asyncio.Event(), asyncio.Event()

    async def work(end: asyncio.Event) -> None:
        elected.set()
        await end.wait()

    await place.turn("second")
    election = PostgresElection(place.login, password=place.told)
    standing = asyncio.create_task(election.serve(Office.SWEEPER, work, stop=stop))
    async with asyncio.timeout(20):
        await elected.wait()
        stop.set()
        await standing


async def test_admitting_a_login_again_changes_nothing(place, tmp_path):
    """Each deployment does it."""
    settings = Settings(data=tmp_path, database=place.owner)
    assert await migrated(settings, login="laydown") == []


async def test_a_role_of_rds_is_given_where_there_is_one(place, tmp_path):
    """Then it logs in with a token of IAM."""
    await place.run("CREATE ROLE rds_iam")
    await migrated(Settings(data=tmp_path, database=place.owner), login="laydown")
    connection = await psycopg.AsyncConnection.connect(place.owner, autocommit=True)
    async with connection:
        cursor = await connection.execute("SELECT pg_has_role('laydown', 'rds_iam', 'MEMBER')")
        assert await cursor.fetchone() == (True,)


async def test_a_token_is_what_amazons_library_makes():
    """Byte for byte, of the same moment and the same session."""
    client = get_session().create_client(
        "rds",
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret/of+it",
        aws_session_token="token/of+the=session",
    )
    theirs = client.generate_db_auth_token("db.example.com", 5432, "laydown")
    (stamp,) = re.findall(r"X-Amz-Date=(\w+)", theirs)
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()

    async def found() -> AioCredentials:
        return AioCredentials("AKIDEXAMPLE", "secret/of+it", "token/of+the=session")

    credentials = Credentials(region="us-east-1", service="rds-db", find=found)
    ours = token_of(credentials, place="db.example.com:5432", user="laydown", now=lambda: at)
    assert sorted(re.split("[?&]", await ours())) == sorted(re.split("[?&]", theirs))


@pytest.mark.parametrize(
    ("database", "what"),
    [
        ("host=db.example.com sslmode=verify-full", "`user`"),
        ("user=laydown sslmode=verify-full", "`host`"),
        ("host=db.example.com user=laydown sslmode=require", "`sslmode=verify-full`"),
        ("host=db.example.com user=laydown", "`sslmode=verify-full`"),
    ],
)
def test_a_token_goes_to_nobody_but_the_database(tmp_path, database, what):
    """Who is asked, and that it is really them, must be said."""
    settings = Settings(data=tmp_path, database=database, database_iam="us-east-1")
    with pytest.raises(BadSettings, match=what):
        login_of(settings)


def test_one_way_to_log_in_is_enough(tmp_path):
    """A password and a token at once is a mistake."""
    settings = Settings(data=tmp_path, database_password="x", database_iam="us-east-1")
    with pytest.raises(BadSettings, match="not both"):
        replace(settings).checked()
