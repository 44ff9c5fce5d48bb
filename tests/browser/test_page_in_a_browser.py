"""What people do with the page in a real browser: look, search, walk by keyboard, copy, and see it change."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look, Serve, Served
from tests.unit.page.shown_fleet import AT, READ_TOKEN, FakeShown, app, full
from tests.unit.page.test_page_answers import everywhere_hostile, rich

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

PATHS = ["/", "/?state=waits", "/apps/default/web", "/apps/default/mill", "/apps/default/asks", "/repairs", "/services"]


def rows(page: Page) -> list[str]:
    """The keys of the rows that are seen."""
    shown: list[str] = page.eval_on_selector_all(
        "tr[data-key]", "rows => rows.filter(row => !row.hidden).map(row => row.dataset.key)"
    )
    return shown


def listeners(served: Served) -> int:
    return len(served.shown.broadcast._listeners)


def until_listening(page: Page, served: Served, number: int = 1) -> None:
    for _ in range(200):
        if listeners(served) == number:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{listeners(served)} listen, not {number}")


@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_the_window_and_the_browser_complains_of_nothing(
    serve: Serve, look: Look, width: int, hostile: bool
) -> None:
    served = serve(everywhere_hostile() if hostile else rich())
    page = look(served.address, viewport={"width": width, "height": 740})
    for path in PATHS:
        page.goto(served.address + path)
        page.wait_for_selector("html.scripted")
        for details in page.query_selector_all("details"):
            details.evaluate("one => one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("typeof window.alerted") == "undefined"


def test_words_are_searched_as_they_are_typed_and_the_address_says_so(serve: Serve, look: Look) -> None:
    page = look(serve(rich()).address)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("DEFAULT/ mi")
    assert rows(page) == ["default/mill"]
    expect(page.locator("#count")).to_have_text("1 app found")
    assert page.url.endswith("/?q=DEFAULT%2F+mi")
    assert "q=DEFAULT" in str(page.get_attribute(".chip.ready", "href")), "a filter keeps the search"
    page.keyboard.press("Escape")
    assert len(rows(page)) == 8
    expect(page.locator("#count")).to_have_text("8 apps")


@pytest.mark.parametrize("words", ["ready", "stalled", "default/a", "waits a repair", "1 of", "nothing like it", "$("])
def test_the_browser_finds_what_the_server_finds(serve: Serve, look: Look, words: str) -> None:
    served = serve(rich())
    page = look(served.address)
    page.fill("#q", words)
    here = rows(page)
    there = look(f"{served.address}/?q={words.replace(' ', '+').replace('$', '%24')}")
    assert rows(there) == here
    # Back to everything: what the server left out is fetched.
    there.fill("#q", "")
    expect(there.locator("tr[data-key]")).to_have_count(8)


def test_a_filter_is_a_link_and_leaves_what_it_says(serve: Serve, look: Look) -> None:
    page = look(serve(rich()).address)
    page.click(".chip.waits")
    assert rows(page) == ["default/asks", "default/mill", "default/there"]
    expect(page.locator('.chip[aria-current="true"]')).to_contain_text("Waits for you")


def test_the_page_can_be_walked_by_keyboard(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for path in PATHS:
        page.goto(served.address + path)
        page.wait_for_selector("html.scripted")
        wanted = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary, [tabindex=\"0\"]')]"
            ".filter(one => one.offsetParent && !one.closest('[hidden]')).length"
        )
        walked = 0
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "(() => { const one = document.activeElement; if (one === document.body) return null;"
                "const seen = getComputedStyle(one);"
                "return seen.outlineStyle !== 'none' && seen.outlineWidth !== '0px'})()"
            )
            if seen is None:
                break
            assert seen, f"{path}: focus is not seen on {page.evaluate('document.activeElement.outerHTML')[:120]}"
            walked += 1
        assert walked >= wanted - 1, f"{path}: {walked} of {wanted}"


def test_an_app_that_changes_changes_on_the_page_where_it_stands(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    page.evaluate("window.same = true")
    before = rows(page)
    until_listening(page, served)
    page.focus('tr[data-key="default/web"] a')
    served.becomes("default/web", "False", "NoProgress", "it stood still")
    row = page.locator('tr[data-key="default/web"]')
    expect(row).to_contain_text("Not ready")
    expect(row).to_contain_text("it stood still")
    expect(page.locator(".chip.not-ready b")).to_have_text("5")
    expect(page.locator("#said")).to_have_text("default/web: Not ready")
    expect(page.locator('tr[data-key="default/web"] a')).to_be_focused()
    assert rows(page) == before, "nothing moves under a hand"
    assert page.evaluate("window.same"), "it was not loaded anew"


def test_apps_that_come_and_go_do_so_on_the_page(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    until_listening(page, served)
    served.becomes("default/brand-new", "Unknown", "Progressing")
    expect(page.locator('tr[data-key="default/brand-new"]')).to_contain_text("In progress")
    expect(page.locator("#count")).to_have_text("9 apps")

    def gone() -> None:
        del served.shown.apps["default/brand-new"]
        served.shown.broadcast.publish({"at": AT, "app": "default/brand-new", "ready": "Unknown", "reason": "Pruned"})

    served.in_loop(gone)
    expect(page.locator('tr[data-key="default/brand-new"]')).to_have_count(0)
    expect(page.locator("#count")).to_have_text("8 apps")


def test_a_storm_of_events_is_few_fetches(serve: Serve, look: Look) -> None:
    served = serve(FakeShown(*(app(f"default/app-{place:03}") for place in range(300))))
    page = look(served.address)
    until_listening(page, served)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in range(300):
        served.becomes(f"default/app-{place:03}", "False", "NoProgress")
    expect(page.locator(".chip.not-ready b")).to_have_text("300")
    expect(page.locator('tr[data-key="default/app-299"]')).to_contain_text("Not ready")
    assert len([url for url in asked if "/parts/" in url]) <= 5


def test_the_page_of_an_app_changes_and_what_was_open_stays_open(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(f"{served.address}/apps/default/web", complains=True)
    page.click("#episode-e0 summary")
    page.evaluate("window.same = true")
    until_listening(page, served)
    changed = app(
        "default/web", "False", "NoProgress", "it stood still", overlay=served.shown.apps["default/web"]["overlay"]
    )

    def change() -> None:
        served.shown.apps["default/web"] = changed
        served.shown.earlier["default/web"].append(full(id="e00", outcome="healed", told="by itself"))
        served.shown.broadcast.publish({"at": AT, "app": "default/web", "ready": "False", "reason": "NoProgress"})

    served.in_loop(change)
    expect(page.locator("h1")).to_contain_text("Not ready")
    expect(page.locator("#episode-e00")).to_have_count(1)
    assert page.evaluate("document.getElementById('episode-e0').open && window.same")
    served.becomes("default/api", "False", "NoProgress")
    served.in_loop(lambda: served.shown.apps.pop("default/web"))
    served.in_loop(lambda: served.shown.broadcast.publish({"at": AT, "app": "default/web"}))
    expect(page.locator("h1")).to_contain_text("No app")
    served.becomes("default/web", "True", "Healthy", "back again")
    expect(page.locator(".lead")).to_contain_text("back again")
    assert page.title().startswith("default/web")


def test_a_lost_connection_is_said_with_its_time_and_found_again(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address, complains=True)
    until_listening(page, served)
    expect(page.locator("#connection")).to_be_hidden()
    served.stop()
    expect(page.locator("#connection")).to_contain_text(
        re.compile(r"No connection since \S+.*What is shown is from \S+")
    )
    served.shown.apps["default/web"] = app("default/web", "False", "NoProgress", "while nobody looked")
    served.start()
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator('tr[data-key="default/web"]')).to_contain_text("while nobody looked")
    until_listening(page, served)


def test_where_events_cannot_be_had_it_asks_now_and_then(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look("about:blank", complains=True)
    page.route("**/api/v1/events", lambda route: route.abort())
    page.goto(served.address)
    page.wait_for_timeout(500)
    served.becomes("default/web", "False", "NoProgress", "seen without events")
    expect(page.locator('tr[data-key="default/web"]')).to_contain_text("seen without events")
    expect(page.locator("#connection")).to_be_hidden()


def test_a_page_that_nobody_looks_at_listens_to_nothing(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    until_listening(page, served)
    hide = (
        "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.evaluate(hide % "true")
    # The server notices when it says something.
    for _ in range(5):
        served.becomes("default/web", "False", "NoProgress", "in the dark")
    page.wait_for_timeout(300)
    expect(page.locator('tr[data-key="default/web"]')).not_to_contain_text("in the dark")
    page.evaluate(hide % "false")
    expect(page.locator('tr[data-key="default/web"]')).to_contain_text("in the dark")


def test_updates_can_be_paused(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    until_listening(page, served)
    page.click("#live")
    expect(page.locator("#live")).to_have_attribute("aria-pressed", "false")
    served.becomes("default/web", "False", "NoProgress", "later")
    page.wait_for_timeout(500)
    expect(page.locator('tr[data-key="default/web"]')).not_to_contain_text("later")
    page.click("#live")
    expect(page.locator('tr[data-key="default/web"]')).to_contain_text("later")


def test_commands_are_copied_and_it_is_said(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(f"{served.address}/apps/default/mill", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the command: approve the repair that is proposed").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "nomad-operator repairs approve default/mill --proposal c2150dc37b64349b"
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the command: turn it down").click()
    assert page.evaluate("getSelection().toString()") == "nomad-operator repairs reject default/mill"


def test_times_are_exact_for_programs_and_ages_for_people(serve: Serve, look: Look) -> None:
    page = look(serve(rich()).address)
    time = page.locator('tr[data-key="default/web"] time')
    expect(time).to_have_text(re.compile(r"^\d+d ago$"))
    expect(time).to_have_attribute("datetime", AT)
    expect(time).to_have_attribute("title", "2026-01-02 03:04:05 UTC")


def test_without_scripts_everything_is_there(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address, java_script_enabled=False)
    page.fill("#q", "mill")
    page.click("text=Search >> nth=-1")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator("button.copy")).to_have_count(0)
    page.click("tr[data-key] a")
    expect(page.locator("h1")).to_contain_text("mill")
    expect(page.locator("code", has_text="repairs approve default/mill").first).to_be_visible()


def test_a_browser_logs_in_is_led_back_and_out_again(serve: Serve, look: Look) -> None:
    served = serve(rich(), read_token=READ_TOKEN)
    page = look(f"{served.address}/apps/default/web", complains=True)
    assert "/login?next=" in page.url
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type("guessed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not a token")
    page.fill("#token", READ_TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("web")
    until_listening(page, served)
    assert page.evaluate("document.cookie") == "", "no script reads it"
    page.click("text=Log out")
    expect(page.locator("h1")).to_have_text("Log in")
