"""The page in a real browser with the network off: widths, paper, both themes, keyboard, names."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from review_home import built_home, changed, settings_for

from pipelines.review.page import write_page

pytestmark = pytest.mark.browser

WIDTHS = [320, 360, 390, 768, 1280]
SCHEMES = ["light", "dark"]

BEYOND = """
() => [...document.querySelectorAll("body *")]
    .filter(one => one.checkVisibility() && one.getClientRects().length)
    .filter(one => !one.closest(".scroll, .skip, .unseen, thead, svg"))
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(one => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`)
"""
"""What reaches beyond the window; a region that scrolls by itself may be wider inside."""

FAINT = """
() => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = colour => {
        const [r, g, b] = parts(colour).map(part => part / 255)
            .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = one => {
        for (; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if ((parts(colour)[3] ?? 1) > 0) return colour;
        }
        return getComputedStyle(document.documentElement).colorScheme.includes("dark")
            ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)";
    };
    return [...document.querySelectorAll("body *")]
        .filter(one => one.checkVisibility() && !one.closest("svg, .skip")
            && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .map(one => {
            const pair = [light(getComputedStyle(one).color), light(behind(one))];
            const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            return [ratio, `${ratio.toFixed(2)} ${one.textContent.trim().slice(0, 40)}`];
        })
        .filter(([ratio]) => ratio < 4.5).map(([, told]) => told);
}
"""
"""Text whose contrast with what lies behind it is under 4.5 to 1 (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail("The browser tests need playwright: run `make browser`", pytrace=False)
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail("The browser tests need Chromium: apt-get install chromium", pytrace=False)
    with sync_playwright() as driver:
        launched = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_home(tmp_path_factory)


@pytest.fixture(scope="module")
def written(home: Path) -> Path:
    return write_page(settings_for(home)).html


def opened(browser: Any, html: Path, width: int = 1280, **how: Any) -> Any:
    """The page in a window of that width, with what broke or was fetched kept beside it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, **how)
    page = context.new_page()
    page.broken, page.fetched = [], []
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    page.on("console", lambda said: page.broken.append(said.text))
    page.on("request", lambda asked: page.fetched.append(asked.url))
    page.goto(html.as_uri())
    return page


def unfold(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(browser: Any, written: Path, width: int) -> None:
    """Folded and unfolded; no error, nothing fetched, every chart drawn."""
    page = opened(browser, written, width)
    assert page.evaluate(BEYOND) == []
    unfold(page)
    assert page.evaluate(BEYOND) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.broken == []
    assert page.fetched == [written.as_uri()]
    widths = page.eval_on_selector_all(
        "svg.chart", "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert len(widths) >= 20
    assert min(widths) > 90
    page.context.close()


@pytest.mark.parametrize("width", [320, 360, 390])
def test_long_names_do_not_widen_the_page(
    browser: Any, home: Path, tmp_path: Path, width: int
) -> None:
    """A name without a space wraps instead of pushing the page apart."""
    settings = changed(
        home,
        tmp_path / "changed",
        *(
            f"update marts.{relation} set journey_name = repeat('W', 110)"
            for relation in ("fct_review_journeys", "fct_review_cards")
        ),
        "update marts.fct_review_messages set message_name = repeat('M', 110)",
        "update registries.metrics set label = repeat('L', 110)",
        "update marts.fct_review_cards set motion = repeat('m', 90)",
    )
    page = opened(browser, write_page(settings).html, width)
    assert page.evaluate(BEYOND) == []
    unfold(page)
    assert page.evaluate(BEYOND) == []
    page.context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read(browser: Any, written: Path, scheme: str) -> None:
    """Contrast in both themes, folded and unfolded; the dark one is dark."""
    page = opened(browser, written, color_scheme=scheme)
    unfold(page)
    assert page.evaluate(FAINT) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", paper))) < 64) == (scheme == "dark")
    page.context.close()


def test_paper_gets_the_decisions(browser: Any, written: Path) -> None:
    """Printed from a dark screen: dark on white, all cards and the legend, nothing folded."""
    page = opened(browser, written, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    seen = page.locator("section").evaluate_all(
        "all => all.filter(one => one.getClientRects().length).map(one => one.id)"
    )
    assert seen == ["decisions"]
    assert page.locator(".card").count() >= 5
    assert page.locator(".legend").is_visible()
    assert page.evaluate(FAINT) == []
    printed = page.pdf(
        format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    )
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2
    page.locator("#verdicts details").first.evaluate("one => { one.open = true; }")
    assert page.locator("#verdicts table").is_visible()
    page.context.close()


def test_a_phone_shows_what_to_do_first(browser: Any, written: Path) -> None:
    """At 360 px the first card's action, number and tiles lie in the first window."""
    page = opened(browser, written, 360)
    card = page.locator(".card").first
    for part in (".what", ".number", ".tiles"):
        box = card.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 900, part
    page.context.close()


def test_the_keyboard_reaches_everything_in_order(browser: Any, written: Path) -> None:
    """Tab goes from the top to the bottom, shows where it is, and unfolds what it stands on."""
    page = opened(browser, written)
    page.keyboard.press("Tab")
    focus = "document.activeElement"
    assert page.evaluate(f"{focus}.getAttribute('href')") == "#decisions"
    assert page.evaluate(f"{focus}.getBoundingClientRect().left") >= 0
    wanted = page.locator("summary:visible, a:visible").count()
    tops, names = [], []
    for _ in range(wanted - 1):
        page.keyboard.press("Tab")
        box = page.evaluate(
            f"(() => {{ const box = {focus}.getBoundingClientRect(); "
            "return [box.top + scrollY, box.left]; })()"
        )
        tops.append(box[0])
        names.append(page.evaluate(f"{focus}.tagName + ' ' + {focus}.textContent.trim()"))
        assert page.evaluate(f"getComputedStyle({focus}).outlineStyle") != "none", names[-1]
    assert all(below >= above - 2 for above, below in pairwise(tops)), names
    assert sum(name.startswith("SUMMARY") for name in names) >= 8
    assert names[-1].startswith("SUMMARY")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{focus}.parentElement.open")
    page.context.close()


def test_a_tag_leads_to_its_one_sentence(browser: Any, written: Path) -> None:
    page = opened(browser, written)
    tag = page.locator(".card .tag").first
    tag.click()
    target = page.locator(".legend div:target")
    assert target.locator("dt").text_content() == tag.text_content()
    assert target.is_visible()
    page.context.close()


def test_whoever_hears_the_page_is_told_the_same(browser: Any, written: Path) -> None:
    """Headings without a gap, a name for every card, chart and fold, no chart in silence."""
    page = opened(browser, written)
    levels = page.locator("h1, h2, h3, h4").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    spoken = page.locator("main").aria_snapshot()
    cards = re.findall(r'article "([^"]+)"', spoken)
    assert len(cards) == page.locator(".card").count()
    assert len(set(cards)) == len(cards)
    lines = re.findall(r'img "([^"]+)"', spoken)
    assert len(lines) == page.locator(".card svg").count()
    assert all("weeks" in line or "no week" in line for line in lines)
    assert page.locator("html").get_attribute("lang") == "en"
    unfold(page)
    unnamed = page.locator("svg:not([aria-hidden])").evaluate_all(
        "all => all.filter(one => !one.getAttribute('aria-label')).length"
    )
    assert unnamed == 0
    page.context.close()


def test_the_probes_see_what_they_should(browser: Any, tmp_path: Path) -> None:
    """A page that throws, is too wide and too faint is told as such."""
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<html><body style='background: #fff'><p style='width: 900px; color: #bbb'>wide</p>"
        "<script>throw new Error('planted')</script></body></html>"
    )
    page = opened(browser, bad, 390)
    assert page.evaluate(BEYOND) == ["P wide"]
    assert [told[5:] for told in page.evaluate(FAINT)] == ["wide"]
    assert "planted" in str(page.broken)
    page.context.close()
