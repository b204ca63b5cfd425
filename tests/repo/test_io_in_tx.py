"""Nothing but the ledger is asked while a transaction is open."""

import ast
from pathlib import Path

from laydown import services

SERVICES = Path(services.__file__).parent

# What a use case has besides the ledger: calls on these may take long and can't be undone.
OUTSIDE = {
    "store",
    "sink",
    "reader",
    "signer",
    "patrol",
    "keyring",
    "identity",
    "tail",
    "log",
    "feed",
}


def opens_transaction(node: ast.AsyncWith) -> bool:
    """Say whether an `async with` opens a transaction of the ledger."""
    calls = [item.context_expr for item in node.items]
    return any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"begin", "snapshot"}
        for call in calls
    )


def outside_calls(node: ast.AsyncWith) -> list[str]:
    """Return what a block awaits of anything but its transaction."""
    return [
        ast.unparse(inner)
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Attribute)
        and isinstance(inner.value, ast.Name)
        and inner.value.id == "self"
        and inner.attr in OUTSIDE
    ]


def test_no_transaction_waits_for_anything_else():
    """No `async with ….begin()` has a use of the store, or of any other port, inside."""
    found, seen = {}, 0
    for path in sorted(SERVICES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.AsyncWith) and opens_transaction(node):
                seen += 1
                if calls := outside_calls(node):
                    found[f"{path.name}:{node.lineno}"] = calls
    assert found == {}
    assert seen > 20


def test_the_check_sees_what_it_looks_for():
    """A block that does call the store is found."""
    wrong = (
        "async def f(self):\n async with self.ledger.begin(o) as tx:\n  await self.store.join(k)"
    )
    [block] = [node for node in ast.walk(ast.parse(wrong)) if isinstance(node, ast.AsyncWith)]
    assert opens_transaction(block)
    assert outside_calls(block) == ["self.store"]
