"""What people may not do or see, the console doesn't offer, and doesn't betray."""

import pytest
from playwright.async_api import expect

from laydown.bootstrap.database import issue_token, offer_sign_in
from laydown.settings import Settings
from tests.browser.chromium import IN_BROWSER
from tests.browser.person import MISSING, UNKNOWN

pytestmark = IN_BROWSER

_NOT_THERE = "This doesn't exist, or you may not see it."


@pytest.fixture
def settings(yard) -> Settings:
    """Return the settings of the laydown that runs."""
    return Settings.from_env({"LAYDOWN_DATABASE": yard.dsn}, data=yard.data)


async def test_a_used_link_says_what_to_do(invite, link, cookies):
    """A sign-in link that was used already says so, and how to get another."""
    assert cookies["cookies"]  # somebody came in by it
    stranger = await invite(stranger=True)
    stranger.expected = (UNKNOWN,)
    await stranger.visit(link)
    await expect(stranger.page.get_by_role("alert")).to_contain_text("it was used before")
    await expect(stranger.says("laydown organization sign-in")).to_be_visible()


async def test_a_pasted_link_leads_in(invite, yard, settings, project):
    """Who pastes a fresh link into the page is signed in where they wanted to go."""
    stranger = await invite(stranger=True)
    stranger.expected = (UNKNOWN,)
    await stranger.visit(f"/projects/{project.id}")
    code = await offer_sign_in(settings, organization="local")
    pasted = f"{yard.connection.url}/signin?code={code}"
    await stranger.page.get_by_label("Code from your sign-in link").fill(pasted)
    await stranger.button("Sign in").click()
    await expect(stranger.heading(project.code)).to_be_visible()


async def test_who_only_looks_has_no_drop_zone(invite, client, project):
    """A viewer comes to a project's deliveries, and is offered nothing to deliver with."""
    made = client.make_token("looks", role="viewer")
    viewer = await invite(token=made.secret)
    await viewer.visit(f"/projects/{project.id}")
    await expect(viewer.says("Nothing was delivered yet.")).to_be_visible()
    await expect(viewer.page.get_by_role("link", name="Deliver", exact=True)).to_have_count(0)
    await expect(viewer.picker).to_have_count(0)


async def test_another_organizations_delivery_is_not_there(
    invite, person, settings, project, make_folder
):
    """The page of another organization's delivery says what one says that never was."""
    await person.deliver(project.id, make_folder(files=3).path)
    await person.sees_end(3)
    theirs = await invite(token=await issue_token(settings, organization="theirs", name="a token"))
    theirs.expected = (MISSING,)
    for path in (person.page.url, f"/projects/{project.id}", f"/deliveries/{project.id}"):
        await theirs.visit(path)
        await expect(theirs.page.get_by_role("alert")).to_have_text(_NOT_THERE)
