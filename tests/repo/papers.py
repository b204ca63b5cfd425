"""The papers of docs/proposal: diagrams from D2, documents from Typst, numbers from their sources.

`make docs` makes them, by `python -m tests.repo.papers`: it needs Node with npm, and the packages
of scripts/papers/package-lock.json. Nothing in them depends on the day or the machine. Each carries
the digest of all that it was made from, which the tests beside this file compare.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import typst

from laydown.domain.lifecycle import SETTLED, State

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "proposal"
TOOLS: Final = ROOT / "scripts" / "papers"
DIAGRAMS: Final = ("architecture", "sequence", "deployment")
PAPERS: Final = ("proposal", "walkthrough")
SEAL: Final = "laydown-sources-sha256:"
"""What the digest follows: in a PDF's keywords, and in the last comment of an SVG."""

_FACES = {"regular": "400", "bold": "700", "semibold": "600", "italic": "400"}

Table = Sequence[Sequence[str]]


@cache
def facts() -> Mapping[str, object]:
    """Return the numbers that the papers show, each from where it is kept."""
    measured = (ROOT / "docs" / "performance.md").read_text("utf-8")
    on_s3 = (ROOT / "docs" / "performance-s3.md").read_text("utf-8")
    return {
        "aims": table(measured, "Aims"),
        "workloads": {name: table(measured, name) for name in ("W1", "W2", "W3", "W4")},
        "conditions": [
            _plain(line[2:]) for line in _section(measured, "Conditions").splitlines() if line
        ],
        "distributed": table(on_s3, ""),
        "spike": _paragraph(on_s3, "**The spike.** "),
        "titles": re.findall(r"^## (W\d: .+)$", measured, re.MULTILINE),
        "demo": _demo((ROOT / "README.md").read_text("utf-8")),
        "settled": [state for state in State if state in SETTLED],
        "cost": table(cost(), ""),
        "objectives": tomllib.loads((ROOT / "deploy" / "objectives.toml").read_text("utf-8"))[
            "objectives"
        ],
    }


def cost() -> str:
    """Return what `python infra/cost.py` says, a table of Markdown."""
    told = subprocess.run(
        [sys.executable, str(ROOT / "infra" / "cost.py")],
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout


def table(page: str, heading: str) -> Table:
    """Return the cells of the first table below a heading that begins so; its header first."""
    rows = re.findall(r"^\| ?(.*?) ?\|$", _section(page, heading), re.MULTILINE)
    cells = [[_plain(cell.strip()) for cell in row.split("|")] for row in rows]
    return [cells[0], *cells[2:]]


def digest(*sources: Path, said: str = "") -> str:
    """Return one digest of the contents of all *sources*, by name, and of what is *said* beside."""
    whole = hashlib.sha256(said.encode())
    for path in sorted(sources):
        whole.update(f"\0{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return whole.hexdigest()


def diagram_digest(name: str) -> str:
    """Return the digest of what a diagram is drawn from."""
    drawn_by = (TOOLS / "draw.mjs", TOOLS / "package-lock.json")
    return digest(FOLDER / f"{name}.d2", FOLDER / "style.d2", *drawn_by)


def paper_digest(name: str) -> str:
    """Return the digest of what a paper is set from, its diagrams and numbers included."""
    said = json.dumps([facts(), *(diagram_digest(each) for each in DIAGRAMS)], sort_keys=True)
    return digest(FOLDER / f"{name}.typ", FOLDER / "style.typ", said=said)


def draw(folder: Path) -> None:
    """Write the diagrams to *folder*."""
    command = ["node", str(TOOLS / "draw.mjs"), str(FOLDER), str(folder), *DIAGRAMS]
    subprocess.run(command, check=True)
    for name in DIAGRAMS:
        path = folder / f"{name}.svg"
        seal = f"<!-- {SEAL}{diagram_digest(name)} -->\n"
        path.write_text(path.read_text("utf-8").rstrip() + "\n" + seal, "utf-8")


def set_paper(name: str, diagrams: Path) -> bytes:
    """Return a paper as a PDF, the same bytes each time, with the diagrams of a folder."""
    with tempfile.TemporaryDirectory(prefix="ldp") as place:
        folder = Path(place)
        for source in FOLDER.glob("*.typ"):
            shutil.copy(source, folder)
        for each in DIAGRAMS:
            drawn = (diagrams / f"{each}.svg").read_text("utf-8")
            (folder / f"{each}.svg").write_text(_with_our_fonts(drawn), "utf-8")
        made = typst.compile(
            folder / f"{name}.typ",
            root=folder,
            font_paths=[TOOLS / "node_modules" / "@expo-google-fonts"],
            ignore_system_fonts=True,
            sys_inputs={"facts": json.dumps(facts()), "seal": SEAL + paper_digest(name)},
        )
    assert isinstance(made, bytes)
    return made


def _with_our_fonts(svg: str) -> str:
    """Name the fonts of the papers where D2 names those that it embeds, which Typst can't read."""
    return re.sub(
        r'font-family: ?"?d2-\d+-font-(\w+)"?',
        lambda found: f'font-family: "Source Sans 3"; font-weight: {_FACES[found[1]]}',
        svg,
    )


def _section(page: str, heading: str) -> str:
    if not heading:
        return page
    found = re.search(rf"^## {heading}.*?$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def _paragraph(page: str, beginning: str) -> str:
    return _plain(" ".join(page.partition(beginning)[2].partition("\n\n")[0].split()))


def _demo(page: str) -> str:
    """Return what the README shows of the demo, from its table to where it is served."""
    found = re.search(r"^State +Reason .*?(?=^demo: still serving)", page, re.MULTILINE | re.DOTALL)
    assert found, "the README shows no demo"
    return found[0].rstrip()


def _plain(text: str) -> str:
    """Return text without Markdown's marks."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("**", "").replace("`", "")


def _install() -> None:
    """Have the locked packages in scripts/papers/node_modules."""
    lock, kept = TOOLS / "package-lock.json", TOOLS / "node_modules" / ".laydown-lock"
    if kept.is_file() and kept.read_bytes() == lock.read_bytes():
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=TOOLS, check=True)
    shutil.copy(lock, kept)


def main() -> None:
    """Make the diagrams and papers anew where there is a Node."""
    if not (shutil.which("node") and shutil.which("npm")):
        sys.stderr.write("docs: the papers stay as they are: there is no Node\n")
        return
    _install()
    draw(FOLDER)
    for name in PAPERS:
        (FOLDER / f"{name}.pdf").write_bytes(set_paper(name, FOLDER))


if __name__ == "__main__":
    main()
