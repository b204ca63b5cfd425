"""Plain files: minutes and diaries as text, delivery notes and readings as CSV."""

import csv
from datetime import datetime, timedelta
from io import StringIO
from random import Random

from laydown.sample.site import ADDRESS, MATERIALS, PEOPLE, PROJECT, SUBCONTRACTORS
from laydown.sample.wording import answers, minutes

_SKIES = ("dry", "showers", "fog", "wind")
_MARK = "\ufeff"  # with it, spreadsheet programs take a CSV file for UTF-8


def diary(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return a day's entry in the site diary."""
    crews = [
        f"  {name:<24}{chance.randrange(2, 16):>3}" for name in chance.sample(SUBCONTRACTORS, 5)
    ]
    lines = [
        title,
        "=" * len(title),
        "",
        f"Project:  {PROJECT}, {ADDRESS}",
        f"Date:     {at:%d.%m.%Y}",
        f"Weather:  {chance.randrange(1, 18)} °C, {chance.choice(_SKIES)}",
        f"Author:   {chance.choice(PEOPLE)}",
        "",
        "At work:",
        *crews,
        "",
        "Remarks:",
        *(f"- {sentence}" for sentence in answers(chance, chance.randrange(3, 7))),
        "",
    ]
    return "\n".join(lines).encode()


def protocol(chance: Random, at: datetime, *, title: str) -> bytes:
    """Return the minutes of a meeting, with the line ends of Windows."""
    lines = [
        title,
        f"{PROJECT}, {at:%d.%m.%Y %H:%M}",
        f"Present: {', '.join(chance.sample(PEOPLE, 4))}",
        "",
    ]
    for item in minutes(chance, at.date()):
        lines += [
            f"{item.number}  {item.text}",
            f"     {item.owner}, until {item.due:%d.%m.%Y}",
            "",
        ]
    return "\r\n".join(lines).encode()


def delivery_note(chance: Random, at: datetime, *, number: str) -> bytes:
    """Return what a lorry brought, separated by semicolons as is usual on this site."""
    out = StringIO()
    table = csv.writer(out, delimiter=";")
    table.writerow(["Delivery note", number, f"{at:%d.%m.%Y %H:%M}", chance.choice(SUBCONTRACTORS)])
    table.writerow(["Pos", "Material", "Quantity", "Unit", "Storage"])
    for position, (name, unit, quantity) in enumerate(chance.sample(MATERIALS, 7), start=1):
        amount = max(1, quantity * chance.randrange(20, 150) // 100)
        table.writerow([position, name, amount, unit, f"Yard {chance.choice('ABCD')}"])
    return (_MARK + out.getvalue()).encode()


def readings(chance: Random, at: datetime, *, number: str) -> bytes:
    """Return hourly readings of vibration, settlement and temperature at one point."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(["time", "point", "vibration_mm_s", "settlement_mm", "temperature_c"])
    settled = 0.0
    for hour in range(chance.randrange(160, 320)):
        settled += chance.uniform(0, 0.02)
        when = f"{at + timedelta(hours=hour):%Y-%m-%dT%H:%M:%S%z}"
        figures = (chance.uniform(0, 3), settled, chance.uniform(1, 16))
        table.writerow([when, number, *(f"{figure:.2f}" for figure in figures)])
    return out.getvalue().encode()
