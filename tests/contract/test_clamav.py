"""The scanner port on ClamAV: what clamd did not look at is never clean."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from laydown.domain.errors import ScannerUnavailable, StoreUnavailable
from laydown.domain.scanning import Scan, Verdict
from laydown.scanners.address import ScannerAddress, ScannerKind, parse_address
from laydown.scanners.clamav import ClamAv, Patience, verdict
from tests.engines.clamd import VERDICT, Clamd, eicar, running_clamd, zipped
from tests.engines.process import EngineMissingError

MIB = 1 << 20
SHORT = Patience(greeting=1.0, scan=10.0, fresh=0.0, rest=0.0)
HASTY = Patience(greeting=0.2, scan=0.2, fresh=0.0, rest=0.0)


@pytest.fixture(params=["socket", "port"])
def scanner(clamd: Clamd, request: pytest.FixtureRequest) -> ClamAv:
    """Ask the session's clamd, at either of its doors."""
    address = clamd.address if request.param == "socket" else clamd.tcp_address
    return ClamAv(parse_address(address), patience=SHORT)


@pytest.fixture
def fragile() -> Iterator[Clamd]:
    """Run a clamd that may be hurt, and that takes no more than a mebibyte."""
    try:
        with running_clamd(stream_max=MIB) as engine:
            yield engine
    except EngineMissingError as missing:
        pytest.skip(str(missing))


async def pieces(content: bytes, *, of: int = 1 << 16) -> AsyncIterator[bytes]:
    """Yield content as a store does."""
    for start in range(0, len(content), of):
        yield content[start : start + of]


async def look(scanner: ClamAv, content: bytes) -> Scan:
    """Have content scanned."""
    return await scanner.scan(pieces(content), size=len(content))


async def test_harmless_bytes_are_clean(scanner: ClamAv) -> None:
    """What holds no signature is clean, in the scanner's name, however long it is."""
    for content in (b"", b"a plan", bytes(3 * MIB + 1)):
        assert await look(scanner, content) == Scan(scanner="clamav", verdict=Verdict.CLEAN)


@pytest.mark.parametrize("depth", [0, 1, 2], ids=["bare", "zipped", "zipped twice"])
async def test_a_virus_is_found_and_named(scanner: ClamAv, depth: int) -> None:
    """The test virus is infected under the name of its signature, in archives too."""
    found = await look(scanner, zipped(eicar(), depth=depth))
    assert found == Scan(scanner="clamav", verdict=Verdict.INFECTED, threat=VERDICT)


async def test_a_chunk_may_be_of_any_size(scanner: ClamAv) -> None:
    """Chunks larger than a frame are cut, and a virus on the cut is found."""
    content = bytes(MIB - 20) + eicar() + bytes(2 * MIB)
    found = await scanner.scan(pieces(content, of=len(content)), size=len(content))
    assert found.verdict is Verdict.INFECTED


async def test_the_longest_stream_is_scanned(fragile: Clamd) -> None:
    """Exactly as many bytes as clamd takes are judged."""
    scanner = ClamAv(parse_address(fragile.address), patience=SHORT)
    assert (await look(scanner, bytes(MIB))).verdict is Verdict.CLEAN


@pytest.mark.parametrize("excess", [1, 30 * MIB], ids=["a byte", "30 MiB"])
async def test_what_is_too_long_is_never_clean(fragile: Clamd, excess: int) -> None:
    """One byte over the limit is unscannable, and so is what clamd hangs up on while it comes."""
    for address in (fragile.address, fragile.tcp_address):
        found = await look(ClamAv(parse_address(address), patience=SHORT), bytes(MIB + excess))
        assert found.verdict is Verdict.UNSCANNABLE
        assert "StreamMaxLength" in (found.threat or "")


async def test_what_exceeds_a_limit_inside_is_never_clean(scanner: ClamAv) -> None:
    """An archive that unpacks to more than clamd looks at is unscannable, not infected."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr("zeros.bin", bytes(420 * MIB))
    found = await look(scanner, archive.getvalue())
    assert found.verdict is Verdict.UNSCANNABLE
    assert "Heuristics.Limits.Exceeded" in (found.threat or "")


async def test_many_at_once_wait_their_turn(clamd: Clamd) -> None:
    """However many scans are asked for, no more than so many are under way."""
    scanner = ClamAv(parse_address(clamd.address), at_once=2, patience=SHORT)
    busy = most = 0
    pair = asyncio.Barrier(2)

    async def counted(content: bytes) -> AsyncIterator[bytes]:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await pair.wait()
        async for piece in pieces(content):
            yield piece
        busy -= 1

    content = zipped(eicar())
    asked = (scanner.scan(counted(content), size=len(content)) for _ in range(20))
    found = await asyncio.gather(*asked)
    assert {each.verdict for each in found} == {Verdict.INFECTED}
    assert most == 2


async def test_a_dead_clamd_is_unavailable_until_it_is_back(fragile: Clamd) -> None:
    """Nobody listens: not clean, not infected; and once it is back, it is asked again."""
    for address in (fragile.address, fragile.tcp_address):
        scanner = ClamAv(parse_address(address), patience=SHORT)
        fragile.kill()
        with pytest.raises(ScannerUnavailable, match=r"does not answer"):
            await look(scanner, eicar())
        await fragile.start_again()
        assert (await look(scanner, eicar())).verdict is Verdict.INFECTED


async def test_a_clamd_that_stands_still_is_unavailable(fragile: Clamd) -> None:
    """Connections are accepted and nothing is answered: that ends, and says so."""
    scanner = ClamAv(parse_address(fragile.address), patience=HASTY)
    fragile.pause()
    try:
        with pytest.raises(ScannerUnavailable, match="did not answer in"):
            await look(scanner, b"a plan")
    finally:
        fragile.resume()
    patient = ClamAv(parse_address(fragile.address), patience=SHORT)
    assert (await look(patient, b"a plan")).verdict is Verdict.CLEAN


async def test_a_clamd_that_dies_in_a_scan_is_unavailable(fragile: Clamd) -> None:
    """What was half said is not judged."""
    scanner = ClamAv(parse_address(fragile.address), patience=SHORT)

    async def cut_short() -> AsyncIterator[bytes]:
        yield b"half"
        fragile.kill()
        yield b"and half"

    with pytest.raises(ScannerUnavailable):
        await scanner.scan(cut_short(), size=12)


async def test_who_comes_while_it_is_away_is_told_at_once(fragile: Clamd) -> None:
    """One waits to find out that it stands still; the others of that moment need not."""
    patience = Patience(greeting=0.5, scan=0.5, fresh=0.0, rest=60.0)
    scanner = ClamAv(parse_address(fragile.address), at_once=1, patience=patience)
    fragile.pause()
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        asked = (look(scanner, b"a plan") for _ in range(20))
        found = await asyncio.gather(*asked, return_exceptions=True)
    finally:
        fragile.resume()
    assert {type(each) for each in found} == {ScannerUnavailable}
    assert clock() - began < 5  # all twenty one after another would take ten


async def test_errors_of_the_bytes_are_their_own(scanner: ClamAv) -> None:
    """A store that fails while it is read is not mistaken for a scanner that does."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise StoreUnavailable("no")

    with pytest.raises(StoreUnavailable):
        await scanner.scan(broken(), size=8)
    assert (await look(scanner, b"a plan")).verdict is Verdict.CLEAN


async def test_a_check_tells_the_version(scanner: ClamAv) -> None:
    """Who asks how it is learns where it listens and what it is."""
    assert "answers: ClamAV 1" in await scanner.check()


async def test_a_check_finds_nobody(tmp_path: Path) -> None:
    """A socket that isn't there is named, with the reason."""
    path = tmp_path / "clamd.sock"
    with pytest.raises(ScannerUnavailable, match=f"{path} does not answer: No such file"):
        await ClamAv(parse_address(f"clamav://{path}")).check()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("stream: OK", Verdict.CLEAN),
        ("stream: Win.Test.EICAR_HDB-1 FOUND", Verdict.INFECTED),
        (
            "stream: Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND",
            Verdict.INFECTED,
        ),
        ("stream: Heuristics.Encrypted.Zip FOUND", Verdict.UNSCANNABLE),
        ("stream: Heuristics.Encrypted.PDF FOUND", Verdict.UNSCANNABLE),
        ("stream: Heuristics.Limits.Exceeded.MaxFiles FOUND", Verdict.UNSCANNABLE),
        ("stream: Heuristics.Broken.Executable FOUND", Verdict.INFECTED),
        ("INSTREAM size limit exceeded. ERROR", Verdict.UNSCANNABLE),
        ("stream: Can't parse data ERROR", Verdict.UNSCANNABLE),
        ("stream: Time limit reached ERROR", Verdict.UNSCANNABLE),
    ],
)
def test_what_clamd_says(said: str, expected: Verdict) -> None:
    """Each of clamd's sentences means one verdict, and a name has no fingerprint after it."""
    scan = verdict(said)
    assert scan.verdict is expected
    assert "44d88612" not in (scan.threat or "")


@pytest.mark.parametrize(
    "said",
    ["", "OK?", "stream: Can't allocate memory ERROR", "UNKNOWN COMMAND", "COMMAND READ TIMED OUT"],
)
def test_what_says_nothing_of_the_file(said: str) -> None:
    """Anything else is trouble of the daemon's, never a verdict."""
    with pytest.raises(ScannerUnavailable):
        verdict(said)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("none", ScannerAddress(kind=ScannerKind.NONE)),
        ("guardduty", ScannerAddress(kind=ScannerKind.GUARDDUTY)),
        ("clamav://av:3311", ScannerAddress(kind=ScannerKind.CLAMAV, host="av", port=3311)),
        ("clamav://av", ScannerAddress(kind=ScannerKind.CLAMAV, host="av", port=3310)),
        ("clamav://[::1]:1", ScannerAddress(kind=ScannerKind.CLAMAV, host="::1", port=1)),
        ("clamav:///run/c.sock", ScannerAddress(kind=ScannerKind.CLAMAV, socket="/run/c.sock")),
    ],
)
def test_an_address_says_who_looks(text: str, address: ScannerAddress) -> None:
    """Every form there is names its scanner, and is written as it was read."""
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no scanner: say"),
        ("clamd", "is no scanner: say"),
        ("tcp://av:3310", "is no scanner: say"),
        ("clamav://", "names no socket"),
        ("clamav:///", "names no socket"),
        ("clamav://av:port", "is no address of a scanner"),
        ("clamav://av:70000", "is no address of a scanner"),
        ("clamav://av/run/c.sock", "has a host and a path"),
        ("clamav://me:secret@av", "says more than where"),
        ("clamav:///run/c?x=1", "says more than where"),
        (f"clamav:///{'x' * 120}", "is too long"),
    ],
)
def test_any_other_address_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    """What names no scanner is quoted, with what is wrong with it."""
    with pytest.raises(ValueError, match=sentence):
        parse_address(text)
