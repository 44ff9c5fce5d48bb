"""A thousand apps stay smooth, and ten thousand open: generous limits, for a machine that has other things to do."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Look, Serve
from tests.unit.page.shown_fleet import FakeShown, app

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

TYPED = """
(word) => {
  const search = document.getElementById("q");
  const began = performance.now();
  search.value = word;
  search.dispatchEvent(new Event("input", {bubbles: true}));
  document.body.offsetHeight;
  return performance.now() - began;
}
"""


def fleet(number: int) -> FakeShown:
    """One in twenty is not ready, each with words of its own."""
    return FakeShown(
        *(
            app(
                f"default/app-{place:05}",
                *(("False", "NoProgress", f"stood still at {place}") if place % 20 == 0 else ()),
            )
            for place in range(number)
        )
    )


def test_a_thousand_apps_are_drawn_searched_and_updated_at_once(
    serve: Serve, look: Look, record_property: pytest.FixtureRequest
) -> None:
    served = serve(fleet(1000))
    page = look(served.address)
    drawn = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    typed = [page.evaluate(TYPED, word) for word in ("app", "app-00", "stood still", "nothing", "")]
    began = time.monotonic()
    served.becomes("default/app-00500", "False", "NoProgress", "it stood still")
    expect(page.locator('tr[data-key="default/app-00500"]')).to_contain_text("it stood still")
    updated = time.monotonic() - began
    print(f"drawn {drawn:.0f} ms, typed {max(typed):.0f} ms, updated {updated * 1000:.0f} ms")
    assert drawn < 5000 and max(typed) < 500 and updated < 5


def test_ten_thousand_apps_open_and_the_server_searches_them(serve: Serve, look: Look) -> None:
    served = serve(fleet(10_000))
    page = look(served.address)
    expect(page.locator("tr[data-key]")).to_have_count(1000)
    expect(page.locator("#count")).to_have_text("10000 apps")
    expect(page.locator(".pages")).to_contain_text("Page 1 of 10")
    page.fill("#q", "app-09999")
    expect(page.locator("tr[data-key]")).to_have_count(1)
    expect(page.locator("#count")).to_have_text("1 app found")
    page.fill("#q", "")
    expect(page.locator("tr[data-key]")).to_have_count(1000)
    page.click(".pages a[rel=next]")
    expect(page.locator(".pages")).to_contain_text("Page 2 of 10")
