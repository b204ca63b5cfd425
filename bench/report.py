"""docs/performance.md: the tables, and under which conditions they came about."""

from collections.abc import Iterator, Mapping, Sequence

from bench.conditions import Conditions
from bench.session import Results
from bench.summary import GB, Aim, Row, aims, rows
from bench.workloads import Kind, Workload

_CLIENT_LIMIT = 0.9  # of a core: above this the client may be what was measured
_FOREIGN_LIMIT = 0.1
_MOST_REASON = 200  # letters of a failure; all of it was said when it happened

_INTRODUCTION = """\
# Performance

Measured side by side, in one run, on one machine: every server alone on one core with everything
that belongs to it, the load client on another. Made by `make bench`; what exactly is measured, and
how to repeat it, is in [bench/README.md](../bench/README.md).

laydown does more than the others before it answers: every byte arrived through a signed URL and
with a verified checksum, is flushed to the disk and is recorded in Postgres, and everybody may
watch. Meanwhile its worker, on the same core, proves what has come in. Its first row counts files
acknowledged, its second files ready: proven and published.
"""

_LEGEND = """\
**Durable**: what has reached the disk when the server answers. **laydown is**: how many times the
rate of the peer. **CPU**: seconds of user and system time of all the server's processes. **Peak
memory**: resident, of the largest process of each role; that of Postgres includes shared buffers.
Latency is that of one file, from its first byte to its last answer.
"""

_HEAD = (
    "| System | Durable | Seconds | Files/s | MB/s | laydown is | p50 / p95 / p99 ms | CPU s "
    "per 1,000 files | CPU s per GB | Peak memory, MB |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|---|"
)


def performance(results: Results, where: Conditions) -> str:
    """Return the page."""
    tables = {workload.name: rows(workload, results.measurements) for workload in results.workloads}
    lines = [_INTRODUCTION]
    lines += _aims(aims(tables))
    for workload in results.workloads:
        lines += [f"## {workload.name}: {workload.title}", ""]
        lines += _table(workload, tables[workload.name], results)
    lines += [_LEGEND, *_conditions(results, tables, where)]
    return "\n".join(lines).rstrip() + "\n"


def _aims(found: Sequence[Aim]) -> Iterator[str]:
    if not found:
        return
    yield from ("## Aims", "", "| | Wanted | Reached | |", "|---|---|---|---|")
    for aim in found:
        verdict = "met" if aim.met else "**missed**"
        yield f"| {aim.what} | {aim.wanted} | {aim.reached} | {verdict} |"
    yield ""


def _table(workload: Workload, found: Mapping[str, Row], results: Results) -> Iterator[str]:
    yield _HEAD
    ours = found.get("laydown")
    for peer in results.peers:
        row = found.get(peer.name)
        if row is None:
            continue
        ratio = "" if ours is None or row is ours else f"{row.seconds / ours.seconds:.2f} times"
        yield _line(workload, row, title=peer.title, durable=peer.durable, ratio=ratio)
        if row.ready_seconds is not None:
            yield _ready_line(workload, row, peer.title)
    yield ""
    if ours is not None:
        yield f"laydown until acknowledged{_spent(ours)}.{_outcomes(ours)}"
        yield ""


def _line(workload: Workload, row: Row, *, title: str, durable: str, ratio: str) -> str:
    latencies = (row.p50_ms, row.p95_ms, row.p99_ms)
    cells = [
        title,
        durable,
        f"{row.seconds:.2f}",
        *_rates(workload, row, row.seconds),
        ratio,
        " / ".join(f"{one:.1f}" for one in latencies if one is not None),
        *_costs(workload, row, row.cpu_seconds),
        ", ".join(f"{role} {size / 1e6:.0f}" for role, size in row.memory.items()),
    ]
    return f"| {' | '.join(cells)} |"


def _ready_line(workload: Workload, row: Row, title: str) -> str:
    seconds = row.ready_seconds or row.seconds
    cells = [
        f"{title}, until ready",
        "yes",
        f"{seconds:.2f}",
        *_rates(workload, row, seconds),
        "",
        "",
        *_costs(workload, row, row.cpu_seconds_settled),
        "",
    ]
    return f"| {' | '.join(cells)} |"


def _rates(workload: Workload, row: Row, seconds: float) -> tuple[str, str]:
    files = f"{row.files / seconds:,.0f}" if row.files > 1 else ""
    return files, _per_byte(workload, row.bytes / seconds / 1e6, "{:,.0f}")


def _costs(workload: Workload, row: Row, seconds: float) -> tuple[str, str]:
    files = f"{seconds / row.files * 1000:.2f}" if row.files > 1 else ""
    return files, _per_byte(workload, seconds / row.bytes * GB if row.bytes else 0, "{:.2f}")


def _per_byte(workload: Workload, value: float, form: str) -> str:
    return form.format(value) if workload.kind is Kind.SEND else ""


def _spent(row: Row) -> str:
    """Return where the time went, by the steps of the conversation and by process."""
    steps = ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in row.phases.items())
    roles = ", ".join(f"{role} {seconds:.2f} s" for role, seconds in row.cpu.items())
    return f": {steps}; CPU: {roles}" if steps else f", CPU: {roles}"


def _outcomes(row: Row) -> str:
    if not row.states or set(row.states) == {"ready"}:
        return ""
    return " What became of the files: " + ", ".join(
        f"{count} {state}" for state, count in row.states.items()
    )


def _conditions(
    results: Results, tables: Mapping[str, Mapping[str, Row]], where: Conditions
) -> Iterator[str]:
    runs = max((row.runs for table in tables.values() for row in table.values()), default=0)
    yield from ("## Conditions", "")
    yield f"* {where.day}; medians of {runs} runs, the peers in turn, each on an empty server."
    yield (
        f"* {where.processor}, {where.cores} cores, {where.memory_bytes / 1e9:.0f} GB; "
        f"{where.kernel}; files on {where.file_system}; a page fault takes "
        f"{where.page_fault_us:.1f} µs."
    )
    yield (
        f"* Servers on core {where.server_cpu}, client on core {where.client_cpu}; "
        f"load of the machine before: {where.load_before:.1f}."
    )
    for peer in results.peers:
        yield f"* {peer.title}: {', '.join(peer.versions())}."
    for name, why in results.absent.items():
        yield f"* Left out: {name}, because {why}."
    for failure in results.failures:
        what = f"{failure.workload} with {failure.peer}, run {failure.run}"
        yield f"* Failed and not counted: {what}: {_short(failure.reason)}"
    yield from _doubts(tables)
    yield ""


def _short(reason: str) -> str:
    text = " ".join(reason.split())
    return text if len(text) <= _MOST_REASON else f"{text[:_MOST_REASON]} …"


def _doubts(tables: Mapping[str, Mapping[str, Row]]) -> Iterator[str]:
    for name, table in tables.items():
        for row in table.values():
            if row.client_load > _CLIENT_LIMIT:
                yield (
                    f"* {name} with {row.peer}: the client used {row.client_load:.0%} of its core, "
                    "so the server may be faster than this."
                )
            if row.foreign_load > _FOREIGN_LIMIT:
                yield (
                    f"* {name} with {row.peer}: other programs and the kernel used up to "
                    f"{row.foreign_load:.0%} of the server's core."
                )
