"""What people on the project write to each other: subjects, questions, decisions."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from laydown.sample.site import PEOPLE

_THINGS = (
    "Opening",
    "Beam",
    "Door frame",
    "Duct crossing",
    "Cable tray",
    "Drain",
    "Movement joint",
    "Window sill",
    "Fire damper",
    "Handrail",
    "Floor finish",
    "Waterproofing",
)
_PROBLEMS = (
    "clashes with the beam above",
    "is not dimensioned on the sheet",
    "differs between plan and section",
    "has no fire rating in the schedule",
    "was built 40 mm off the axis",
    "is missing on the services drawings",
    "needs a larger opening than approved",
    "cannot be reached for maintenance",
)
_QUESTIONS = (
    "Please confirm the level of the underside and the size of the opening.",
    "May we core the wall at this place, and with which diameter?",
    "Which of the two drawings governs? Work stops on Thursday without an answer.",
    "We propose to move it by one grid of the ceiling; please approve.",
    "Please send the revised detail, or release the alternative in the attachment.",
    "Who carries the cost of the change? A quotation follows.",
)
_DECISIONS = (
    "Concrete of the slab will be poured on Tuesday if the weather holds.",
    "The scaffold on the west side stays for two more weeks.",
    "Deliveries only between 06:30 and 09:00; the gate is closed afterwards.",
    "Reinforcement of the core walls was inspected and released with two remarks.",
    "The crane is out of use on Friday for its yearly inspection.",
    "Samples of the floor covering are in the site office until the end of the month.",
    "The door schedule is to be reissued with the new hardware sets.",
    "Water is to be pumped from the excavation until the drain is connected.",
    "Dust protection between occupied and unfinished parts is to be repaired.",
    "The handover of the ground floor is put off by five working days.",
    "Photos of all closed shafts are to be delivered before plastering.",
    "Night work on the transformer needs the neighbours' consent.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of minutes."""

    number: str
    text: str
    owner: str
    due: date


def subject(chance: Random) -> str:
    """Return what a question is about, short enough for a file's name."""
    return f"{chance.choice(_THINGS)} at axis {chance.choice('ABCDEF')}-{chance.randrange(1, 9)}"


def question(chance: Random, about: str) -> list[str]:
    """Return the sentences of a question."""
    first = f"{about}: it {chance.choice(_PROBLEMS)}."
    return [first, *chance.sample(_QUESTIONS, 2)]


def answers(chance: Random, count: int) -> list[str]:
    """Return sentences that settle something, at most twelve."""
    return chance.sample(_DECISIONS, count)


def minutes(chance: Random, day: date) -> list[Item]:
    """Return what a meeting on *day* decided."""
    return [
        Item(
            number=f"{top}.{place}",
            text=text,
            owner=chance.choice(PEOPLE),
            due=day + timedelta(days=chance.randrange(2, 21)),
        )
        for top in range(1, 5)
        for place, text in enumerate(chance.sample(_DECISIONS, chance.randrange(2, 5)), start=1)
    ]
