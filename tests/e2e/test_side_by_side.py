"""Two releases on one schema: while one replaces the other, both take files to their end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from laydown.postgres import sql
from laydown.postgres.migrate import migrations, released
from tests.e2e.site import Site, running_site
from tests.e2e.site_ledger import check
from tests.engines.postgres import SUPERUSER

_FILES = 40

# What a next release might add to the tables that every file passes through.
_OF_THE_NEXT = """
CREATE TABLE of_the_next (id int PRIMARY KEY);
ALTER TABLE batches ADD COLUMN of_the_next text;
ALTER TABLE uploads ADD COLUMN of_the_next int NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN of_the_next text;
CREATE INDEX of_the_next_uploads ON uploads (of_the_next);
INSERT INTO schema_migrations (number) VALUES (9999);
"""


def migrate_as_released(connection: psycopg.Connection) -> None:
    """Make the schema of the release before."""
    statements = sql.load("migrate.sql")
    connection.execute(statements["keep_history"])
    for number, text in migrations():
        if number <= released():
            connection.execute(text.encode())
            connection.execute(statements["note_applied"], {"number": number})


@pytest.fixture
def make_site(postgres, seaweed, queues, tmp_path) -> Iterator[Callable[[str], Site]]:
    """Return what runs a site on a copy of a database that is named."""
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    with ExitStack() as stack:

        def make(template: str) -> Site:
            return stack.enter_context(
                running_site(
                    nodes,
                    postgres=postgres,
                    template=template,
                    seaweed=seaweed,
                    queues=queues,
                )
            )

        yield make


@pytest.fixture
def released_schema(postgres) -> Iterator[str]:
    """Return the name of a database with the schema of the release before."""
    name = "of_the_release_before"
    with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(replace(postgres, database=name).dsn(SUPERUSER)) as connection:
        migrate_as_released(connection)
    yield name
    with psycopg.connect(postgres.dsn(SUPERUSER), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a delivery of small files."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    for number in range(_FILES):
        (folder / f"{number}.txt").write_text(f"file {number}\n")
    return folder


def test_this_release_runs_on_the_schema_of_the_one_before(make_site, released_schema, folder):
    """Its processes start before the migration, and take files from declared to ready."""
    site = make_site(released_schema)
    assert site.push(folder).counts == {"ready": _FILES}
    check(site)


def test_this_release_runs_on_the_schema_of_the_next(make_site, template, folder):
    """What a newer laydown adds while files arrive disturbs nobody; then each process restarts."""
    site = make_site(template)
    push = site.start_push(folder)
    with site.database() as connection:
        connection.execute(_OF_THE_NEXT.encode())
    assert push.end().counts == {"ready": _FILES}

    for node in site.nodes.values():
        node.stop()
    site.start()

    (folder / "later.txt").write_text("later\n")
    assert site.push(folder, project="Y").counts["ready"] == 1
    check(site)
