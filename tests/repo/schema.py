"""The schema as all migrations leave it, in one file to read.

`python -m tests.repo.schema` writes it; the test beside this file compares.
"""

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

import laydown.postgres
from laydown.embedded.installation import find_installation
from laydown.embedded.postgres import EmbeddedPostgres
from laydown.postgres.migrate import migrate

SCHEMA = Path(laydown.postgres.__file__).with_name("schema.sql")
HEAD = """\
-- The schema as all migrations leave it, written by `python -m tests.repo.schema`: read it here,
-- change it by a new migration.

"""

# What pg_dump says of itself and of the session that would load the text.
_NOISE = re.compile(
    r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*"
    r"|CREATE SCHEMA public;|COMMENT ON SCHEMA .*)\n",
    re.MULTILINE,
)


def dumped(database: str) -> str:
    """Return the schema of a database, given by its connection string, as SQL."""
    program = find_installation().bin / "pg_dump"
    options = ["--schema-only", "--no-owner", "--schema=public", f"--dbname={database}"]
    done = subprocess.run([program, *options], capture_output=True, text=True, check=True)
    text = re.sub(r"\bpublic\.", "", _NOISE.sub("", done.stdout))
    return HEAD + re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


async def written() -> None:
    """Write the file, from a database made for this and thrown away."""
    with tempfile.TemporaryDirectory(prefix="ldn") as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            database = (await server.start()).dsn("postgres")
            await migrate(database)
            SCHEMA.write_text(dumped(database), "utf-8")
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(written())
