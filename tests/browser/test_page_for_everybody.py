"""The page for who sees little, listens, or points with a thumb: contrast, names, order, sizes, in light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Look, Serve
from tests.unit.page.shown_fleet import READ_TOKEN
from tests.unit.page.test_page_answers import rich

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

PATHS = ["/", "/?state=waits", "/apps/default/web", "/apps/default/mill", "/apps/default/asks", "/apps/default/none",
         "/repairs", "/services"]  # fmt: skip

# Source: WCAG 2.2, 1.4.3 and the definition of relative luminance.
CONTRAST = """
() => {
  const number = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = (one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map((one) => linear(one / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = number(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest(".unseen")) continue;
    const style = getComputedStyle(one);
    const color = number(one.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(color), light(ground(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)}: ${one.outerHTML.slice(0, 100)}`);
  }
  return found;
}
"""
# By hand what checkers look for: names, labels, headings, lists, tables, ids, focus, sizes of what is pressed.
CHECKS = """
() => {
  const found = [];
  const told = (why, one) => found.push(`${why}: ${one.outerHTML.slice(0, 120)}`);
  const named = (one) => (one.getAttribute("aria-labelledby") || "").split(" ")
    .map((id) => document.getElementById(id)?.textContent || "").join(" ");
  const name = (one) => (one.getAttribute("aria-label") || named(one) || one.textContent).trim();
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  for (const one of document.querySelectorAll("a[href], button, summary, nav, section, aside, [role=img]"))
    if (!name(one)) told("no name", one);
  for (const one of document.querySelectorAll("input:not([type=hidden])"))
    if (!one.labels.length) told("no label", one);
  let level = 0;
  for (const one of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const here = Number(one.tagName[1]);
    if (here > level + 1) told(`a heading of level ${here} after one of ${level}`, one);
    level = here;
  }
  for (const one of document.querySelectorAll("ul, ol"))
    if ([...one.children].some((each) => each.tagName !== "LI")) told("not only items", one);
  for (const one of document.querySelectorAll("table")) {
    if (!one.caption?.textContent.trim()) told("no caption", one);
    for (const each of one.querySelectorAll("th")) if (!each.scope) told("no scope", each);
    const widths = new Set([...one.rows].map((row) => row.cells.length));
    if (widths.size > 1) told(`rows of ${[...widths]} cells`, one);
  }
  for (const one of document.querySelectorAll("[tabindex]")) if (one.tabIndex > 0) told("an order of its own", one);
  for (const one of document.querySelectorAll("[aria-hidden=true]"))
    if (one.matches("a, button") || one.querySelector("a, button, input")) told("hidden, but reached", one);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) found.push(`twice: ${id}`);
  for (const one of document.querySelectorAll("button, input:not([type=hidden]), .chip, nav a")) {
    const box = one.getBoundingClientRect();
    const small = box.height < 24 || box.width < 24;
    if (one.checkVisibility() && !one.closest(".crumbs") && small) told(`${box.width}×${box.height}`, one);
  }
  for (const one of ["main", "header", "[role=status]"])
    if (document.querySelectorAll(one).length === 0) found.push(`no ${one}`);
  return found;
}
"""


def everything_open(page: Page) -> None:
    page.wait_for_selector("html.scripted")
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_text_can_be_read_in_light_and_in_dark(serve: Serve, look: Look, scheme: str, width: int) -> None:
    shown = rich()
    shown.operator |= {"repairs": "stopped", "mode": "observe", "nomadProblem": "away", "nomadHint": "start it"}
    served = serve(shown)
    page = look(served.address, color_scheme=scheme, viewport={"width": width, "height": 800}, complains=True)
    grounds = set()
    for path in PATHS:
        page.goto(served.address + path)
        everything_open(page)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate(CONTRAST) == [], path
    assert grounds == {"rgb(16, 19, 23)" if scheme == "dark" else "rgb(245, 246, 248)"}


def test_the_way_in_can_be_read_too(serve: Serve, look: Look) -> None:
    served = serve(rich(), read_token=READ_TOKEN)
    for scheme in ("light", "dark"):
        page = look(served.address, color_scheme=scheme)
        assert page.evaluate(CONTRAST) == [] and page.evaluate(CHECKS) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_everything_has_a_name_a_place_and_a_size(serve: Serve, look: Look, width: int) -> None:
    served = serve(rich())
    page = look(served.address, viewport={"width": width, "height": 800}, complains=True)
    for path in PATHS:
        page.goto(served.address + path)
        everything_open(page)
        assert page.evaluate(CHECKS) == [], path


def test_tables_stay_tables_for_who_listens_on_a_phone_too(serve: Serve, look: Look) -> None:
    page = look(serve(rich()).address, viewport={"width": 360, "height": 800})
    assert page.get_by_role("table").count() == 1
    assert page.get_by_role("row").count() == 9
    first = page.get_by_role("row").nth(1)
    assert first.get_by_role("rowheader").count() == 1 and first.get_by_role("cell").count() >= 3


def test_state_is_said_in_words_and_not_by_colour_alone(serve: Serve, look: Look) -> None:
    served = serve(rich())
    page = look(served.address)
    badges: list[Any] = page.eval_on_selector_all(".badge", "all => all.map(one => one.textContent.trim())")
    assert badges and all(badges)
    page.goto(f"{served.address}/repairs")
    drawn = page.eval_on_selector_all("rect.bar title", "all => all.map(one => one.textContent)")
    assert drawn and all(drawn)
