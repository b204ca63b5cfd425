"""The page of settings is the class of settings."""

from dataclasses import fields

from laydown.settings import PREFIX, Settings, knobs
from tests.repo.operating_pages import settings_page
from tests.repo.rendering import REFERENCE


def test_the_page_of_settings_is_as_rendered():
    """`docs/reference/settings.md` says what the code says, to the letter."""
    page = (REFERENCE / "settings.md").read_text("utf-8")
    assert page == settings_page(), "python -m tests.repo.rendering"


def test_every_setting_is_documented_with_a_sentence():
    """Each field has a type that can be read and a meaning that ends as sentences do."""
    described = knobs()
    assert list(described) == [field.name for field in fields(Settings)]
    for name, (_, meaning) in described.items():
        assert meaning[0].isupper(), name
        assert meaning.endswith("."), name


def test_every_default_is_a_value_that_works():
    """A process without a single variable can run."""
    assert Settings.from_env({}) == Settings()
    assert Settings().checked() == Settings()


def test_the_example_of_each_default_reads_back():
    """What the page shows as a default can be written into the environment."""
    rows = [line.split(" | ") for line in settings_page().splitlines() if PREFIX in line[:12]]
    shown = {cells[0].strip("| `"): cells[2].strip("`") for cells in rows}
    given = {name: text for name, text in shown.items() if text != "none" and "[" not in text}
    assert Settings.from_env(given) == Settings()
    assert len(given) > 15
