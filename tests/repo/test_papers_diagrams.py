"""What the diagrams and the proposal name is there: in the code, or in what is deployed."""

import ast
import re
import runpy
from datetime import timedelta

import pytest

from laydown.domain.lifecycle import MOVES, SETTLED, State
from laydown.domain.upload import VerdictKind
from laydown.http.app import document
from laydown.settings import Settings
from tests.repo.papers import FOLDER, ROOT

INFRA = ROOT / "infra" / "laydown_infra"
PRODUCTION = runpy.run_path(str(INFRA / "config.py"))["PRODUCTION"]

ARCHITECTURE, SEQUENCE, DEPLOYMENT = (
    (FOLDER / f"{name}.d2").read_text("utf-8")
    for name in ("architecture", "sequence", "deployment")
)
PROPOSAL = re.sub(r"\s+", " ", (FOLDER / "proposal.typ").read_text("utf-8"))


def infra(name):
    return (INFRA / f"{name}.py").read_text("utf-8")


def ours(diagram):
    """Return the first words of what is drawn as a process of ours."""
    return set(re.findall(r': "?(\w+).*\{class: ours[;}]', diagram))


def stacks():
    """Return the stacks that are drawn, each with what stands beside its name."""
    found = re.findall(r'"(\w+)(?: \((\w+)\))?" \{\n    class: stack', DEPLOYMENT)
    return dict(found)


def endpoints():
    """Return the interface endpoints of the network; it can't be imported without the CDK."""
    for node in ast.parse(infra("network")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_ENDPOINTS":
            assert isinstance(node.value, ast.Dict)
            return len(node.value.keys)
    raise AssertionError


def test_processes_are_those_that_run():
    """What is drawn as ours is a task that some stack defines, and each of these is drawn."""
    defined = infra("service") + infra("migration")
    programs = set(re.findall(r'name="(\w+)",\n\s+command=', defined))
    assert ours(DEPLOYMENT) == programs
    assert ours(ARCHITECTURE) <= programs
    assert ours(SEQUENCE) == ours(ARCHITECTURE)


def test_stacks_are_those_of_a_cell():
    """Each stack is drawn, and as protected where its template is."""
    made = re.findall(r'\w+Stack\(\s*self,\s*"(\w+)"', infra("cell"))
    assert set(stacks()) == set(made)
    protected = {name for name in made if "termination_protection=" in infra(name)}
    assert {name for name, what in stacks().items() if what == "protected"} == protected


def test_queues_are_those_of_the_ingest_stack():
    """Each queue is drawn with the one behind it; the architecture knows the same two."""
    made = {name.lower() for name in re.findall(r'_make_queue\(\s*"(\w+)"', infra("ingest"))}
    assert set(re.findall(r'"SQS …-(\w+)\\n…-\1-dead"', DEPLOYMENT)) == made
    assert set(re.findall(r'"SQS (\w+)"', ARCHITECTURE)) == made


def test_sizes_are_productions():
    """Tasks, database, copies and endpoints are drawn as `config.py` has them."""
    for name, fleet in (("api", PRODUCTION.api), ("worker", PRODUCTION.worker)):
        size = f"{fleet.cpu // 1024} vCPU, {fleet.memory // 1024} GiB"
        assert f"{name}: {fleet.least} to {fleet.most} tasks\\n{size}" in DEPLOYMENT
    database = PRODUCTION.database
    assert f"RDS Postgres {database.instance}\\nin two zones" in DEPLOYMENT
    assert database.multi_az
    assert len(PRODUCTION.zones) == 2
    assert f"any second of\\n{database.backup_days} days" in DEPLOYMENT
    assert f"in {PRODUCTION.copy_region}" in DEPLOYMENT
    assert (
        f"{endpoints()} interface\\nendpoints \N{MULTIPLICATION SIGN} {len(PRODUCTION.zones)} zones"
        in DEPLOYMENT
    )


def test_the_bill_is_for_what_is_deployed():
    """The model counts the endpoints that there are, and the database that production has."""
    source = (ROOT / "infra" / "cost.py").read_text("utf-8")
    assert f"\nENDPOINTS = {endpoints()} " in source
    assert f'5_000: ("{PRODUCTION.database.instance}"' in source


def test_routes_are_the_apis():
    """Each request of the sequence is an operation of the API."""
    paths = document()["paths"]
    named = re.findall(r'"(GET|POST|PUT|DELETE) (/v1/\S+?)[\\"]', SEQUENCE)
    assert named
    assert [each for each in named if each[0].lower() not in paths.get(each[1], {})] == []


def test_moves_and_verdicts_are_the_tables():
    """Each arrow between states is a move that the table has; verdicts are all there are."""
    moves = {(was.value, becomes.value) for (was, _), becomes in MOVES.items()}
    drawn = set(re.findall(r"(\w+) → (\w+)", SEQUENCE))
    assert drawn
    assert drawn <= moves
    listed = re.search(r'"a verdict each: (.+?)"', SEQUENCE)
    assert listed
    assert set(re.findall(r"\w+", listed[1].replace("\\n", " "))) == {
        kind.value for kind in VerdictKind
    }


def test_the_proposal_names_every_state():
    """The way of a file is told with the states that there are, and no other."""
    way = PROPOSAL.partition("The way of a file:")[2].partition("each with a stable")[0]
    on_the_way = [state.value for state in State if state not in SETTLED] + [State.READY.value]
    settled = [state.value for state in State if state in SETTLED and state is not State.READY]
    assert re.findall(r"`(\w+)`", way) == on_the_way + settled


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        ("windows of 15 minutes", Settings.url_life == timedelta(minutes=15)),
        ("Single PUT up to 32 MiB", Settings.single_up_to == 32 * 2**20),
        ("100 GB at most", Settings.largest_file == 100 * 10**9),
        ("30 s at most", Settings.job_lease == timedelta(seconds=30)),
        ("the sweeper asks S3, every 5 minutes", Settings.sweep_every == timedelta(minutes=5)),
        ("compared every 6 hours", Settings.reconcile_every == timedelta(hours=6)),
        ("the answer is kept for 24 hours", Settings.answers_kept == timedelta(hours=24)),
        ("jobs waiting (600 for each)", PRODUCTION.backlog_per_worker == 600),
        ("(2,500 for each)", PRODUCTION.announced_per_worker == 2_500),
        ("420 connections suffice", PRODUCTION.database.connections == 420),
        ("a token makes 100 requests a second", Settings.token_rate == 100),
        ("second (6,000 at once)", Settings.token_burst == 6_000),
        ("an organization 500 (30,000)", Settings.organization_rate == 500),
        ("an organization 500 (30,000)", Settings.organization_burst == 30_000),
        ("an address 20,000 in five minutes", "\n_REQUESTS = 20_000\n" in infra("edge")),
        ("[24 hours after the last sign of life]", Settings.upload_silence == timedelta(hours=24)),
        ("[7 days, readable by nobody]", Settings.quarantine == timedelta(days=7)),
        ("[30 days, as versions#untried]", "\n_DELETED = Duration.days(30)" in infra("ingest")),
        ("[any second of 14 days, 35", PRODUCTION.database.backup_days == 14),
        ("35 daily copies#untried]", "kept = Duration.days(35)" in infra("data")),
        ("[3 months#untried]", "THREE_MONTHS" in infra("tasks")),
        ("for 8 api and 16 workers", (PRODUCTION.api.most, PRODUCTION.worker.most) == (8, 16)),
    ],
)
def test_the_proposals_numbers_are_the_settings(said, is_so):
    """A number that is a setting's default, or production's, is told as it is."""
    assert said in PROPOSAL
    assert is_so
