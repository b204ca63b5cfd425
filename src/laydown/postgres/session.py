"""One transaction's connection, and what every group of rows needs of it."""

from typing import Any, LiteralString

from laydown.domain.happening import Happening
from laydown.domain.upload import OrganizationId
from laydown.postgres.pool import Connection, at_once


class Session:
    """A connection inside a transaction of one organization."""

    def __init__(self, connection: Connection, organization: OrganizationId) -> None:
        self._connection = connection
        self.organization = organization
        self.said: list[Happening] = []

    async def all(self, query: LiteralString, **given: Any) -> list[Any]:  # noqa: ANN401 - parameters
        """Return every row of a query; the organization is always among its parameters."""
        cursor = await self._connection.execute(query, given | {"organization": self.organization})
        return await cursor.fetchall()

    async def one(self, query: LiteralString, **given: Any) -> Any:  # noqa: ANN401 - a row or None
        """Return the first row of a query, or None."""
        cursor = await self._connection.execute(query, given | {"organization": self.organization})
        return await cursor.fetchone()

    async def run(self, query: LiteralString, **given: Any) -> int:  # noqa: ANN401 - parameters
        """Run a statement that returns nothing; return how many rows it touched."""
        cursor = await self._connection.execute(query, given | {"organization": self.organization})
        return cursor.rowcount

    async def run_at_once(self, statements: LiteralString, **given: Any) -> None:  # noqa: ANN401 - parameters
        """Run several statements in one message; for those that can't be prepared."""
        await at_once(self._connection, statements, given | {"organization": self.organization})
