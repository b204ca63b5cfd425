"""The papers are what their sources make, as long as they may be, and whole."""

import re
from functools import cache

import pytest
from pypdf import PdfReader

from tests.repo.papers import (
    DIAGRAMS,
    FOLDER,
    PAPERS,
    ROOT,
    SEAL,
    cost,
    diagram_digest,
    facts,
    paper_digest,
    table,
)

MOST_PAGES = 6  # of the proposal
MINUTES = 30
QUESTIONS = 20
LEAST = 200  # characters on a page of the proposal that is not empty

README = (ROOT / "README.md").read_text("utf-8")
SLIDES = (FOLDER / "walkthrough.typ").read_text("utf-8")


@cache
def paper(name):
    return PdfReader(FOLDER / f"{name}.pdf")


def words(text):
    """Return text without anything that a line's end or a font may change."""
    return re.sub(r"\W+", "", text.replace("ﬁ", "fi").replace("ﬂ", "fl"))


def text(name):
    return words("".join(page.extract_text() for page in paper(name).pages))


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_made_from_these_sources(name):
    """Whoever changes a source, a diagram or a number that is shown makes the papers again."""
    assert paper(name).metadata["/Keywords"] == SEAL + paper_digest(name), "run 'make docs'"


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_diagram_is_drawn_from_its_source(name):
    """Whoever changes a diagram's text draws it again."""
    drawn = (FOLDER / f"{name}.svg").read_text("utf-8")
    assert f"{SEAL}{diagram_digest(name)} " in drawn, "run 'make docs'"


def test_the_proposal_is_short():
    """It has six pages at most, none of them nearly empty."""
    pages = paper("proposal").pages
    assert len(pages) <= MOST_PAGES
    assert [n for n, page in enumerate(pages, 1) if len(page.extract_text()) < LEAST] == []


def test_every_heading_is_in_the_proposal():
    """No section fell out of it, and each is where the numbering says."""
    source = (FOLDER / "proposal.typ").read_text("utf-8")
    headings = re.findall(r"^= (.+?)(?: <\w+>)?$", source, re.MULTILINE)
    found = text("proposal")
    assert headings
    assert [
        heading
        for number, heading in enumerate(headings, 1)
        if words(f"{number}{heading}") not in found
    ] == []


def test_nothing_in_the_papers_is_tiny():
    """No text is smaller than 9 points in the proposal, and 14 on a slide, pictures excepted."""
    proposal = (FOLDER / "proposal.typ").read_text("utf-8")
    for source, least in ((proposal, 9), (SLIDES.partition("// The pages to hold.")[0], 14)):
        sizes = re.findall(r"size: ([\d.]+)pt", source)
        assert [size for size in sizes if float(size) < least] == []


def slides():
    """Return the pages of the walkthrough that are shown, 16 to 9."""
    return [page for page in paper("walkthrough").pages if page.mediabox.width > 800]


def test_every_slide_is_there_with_its_title():
    """One page a slide: none grew into a second, in the order of the talk."""
    titles = re.findall(r'^    title: "(.+)",$', SLIDES, re.MULTILINE)
    pages = [words(page.extract_text()) for page in slides()]
    assert len(pages) == len(titles)
    assert [
        title for title, page in zip(titles, pages, strict=True) if words(title) not in page
    ] == []
    assert [page.mediabox.height / page.mediabox.width for page in slides()] == pytest.approx(
        [9 / 16] * len(titles), rel=0.001
    )


def test_the_talk_takes_half_an_hour():
    """The minutes of the notes add up."""
    minutes = re.findall(r"^    minutes: (\d+),$", SLIDES, re.MULTILINE)
    assert sum(map(int, minutes)) == MINUTES
    assert words(f"ends at {MINUTES}:00") in text("walkthrough")


def test_there_are_twenty_questions():
    """Each question has its number and its answer."""
    asked = re.findall(r'^#question\("(.+?)"\)\[', SLIDES, re.MULTILINE)
    assert len(asked) == QUESTIONS
    found = text("walkthrough")
    assert [ask for n, ask in enumerate(asked, 1) if words(f"{n}{ask}") not in found] == []


def test_the_demo_is_the_readmes():
    """What the script has people type is in the README, whose demo is tested."""
    script = SLIDES.partition("= Demo script")[2].partition("= Twenty questions")[0]
    typed = re.findall(r'\.\.step\("\d+:\d\d", "(.+?)"', script)
    assert typed
    assert [command for command in typed if command not in README] == []


def test_what_was_measured_is_shown_as_it_was():
    """The aims, met and missed, and the rates of the first workload are in both papers' numbers."""
    found = text("proposal")
    known = facts()
    for row in known["aims"][1:]:
        assert words("".join(row)) in found, row
    for row in known["workloads"]["W1"][1:]:
        assert words(row[3]) in found, row
    for row in known["cost"]:
        assert words("".join(row)) in found, row


def test_the_bill_is_added_up():
    """The total is that of its lines, to the dollar that rounding leaves to each."""
    _, *rows = table(cost(), "")
    bill, (_, *totals) = rows[:-3], rows[-3]
    for column, total in enumerate(totals, 1):
        added = sum(int(row[column].replace(",", "")) for row in bill)
        assert abs(added - int(total.replace(",", ""))) <= len(bill)
