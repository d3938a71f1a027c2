"""The page in a real browser with the network off, at desktop and at phone width."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from review_home import built_home, changed, settings_for

from pipelines.review import write_page

pytestmark = pytest.mark.browser

PROBE = """
<script>
const broken = [];
window.addEventListener("error", event => broken.push(String(event.message)), true);
window.addEventListener("load", () => {
    document.querySelectorAll("details").forEach(element => { element.open = true; });
    const beyond = element => element.getBoundingClientRect().right > window.innerWidth + 1;
    const seen = [...document.querySelectorAll("body *")].filter(element =>
        element.getClientRects().length && !element.closest(".scroll, .skip, thead, svg"));
    const name = element => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`;
    const charts = [...document.querySelectorAll("svg.chart")];
    parent.postMessage(JSON.stringify({
        width: window.innerWidth,
        broken,
        wide: seen.filter(beyond).map(name),
        charts: charts.map(svg => svg.getBoundingClientRect().width),
        resources: performance.getEntriesByType("resource").map(entry => entry.name),
    }), "*");
});
</script>
"""
"""Added to a copy of the page, which itself has no script."""

FRAME = """
<script>
window.addEventListener("message", event => {
    const result = document.createElement("pre");
    result.id = "probe";
    result.textContent = event.data;
    document.body.append(result);
});
</script>
<body><iframe src="probed.html" width="WIDTH" height="2000" style="border: 0"></iframe></body>
"""
"""A browser window has a least width; a frame in it can be as narrow as a phone."""


@pytest.fixture(scope="module")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.fail("The browser tests need Chromium: apt-get install chromium", pytrace=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_home(tmp_path_factory)


def probe(chromium: str, html: str, folder: Path, width: int) -> dict[str, list[object]]:
    """What the browser makes of a page of that width."""
    (folder / "probed.html").write_text(html.replace("<head>", "<head>" + PROBE))
    frame = folder / "frame.html"
    frame.write_text(FRAME.replace("WIDTH", str(width)))
    finished = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--proxy-server=127.0.0.1:9",
            f"--user-data-dir={folder / 'profile'}",
            "--window-size=1400,2000",
            "--virtual-time-budget=10000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'<pre id="probe">(.*?)</pre>', finished.stdout, re.DOTALL)
    assert found, finished.stderr[-2000:]
    result = json.loads(unescape(found[1]))
    assert result.pop("width") == width
    told: dict[str, list[object]] = result
    return told


@pytest.mark.parametrize("width", [1280, 390])
def test_renders_without_the_network(chromium: str, home: Path, tmp_path: Path, width: int) -> None:
    """No error, nothing fetched, every chart drawn, nothing wider than the window."""
    html = write_page(settings_for(home)).html.read_text()
    result = probe(chromium, html, tmp_path, width)
    assert result["broken"] == []
    assert result["resources"] == []
    assert result["wide"] == []
    assert len(result["charts"]) >= 4
    assert all(isinstance(chart, int | float) and chart > 100 for chart in result["charts"])


def test_long_names_do_not_widen_the_page(chromium: str, home: Path, tmp_path: Path) -> None:
    """A name without a space wraps instead of pushing the page apart."""
    settings = changed(
        home,
        tmp_path / "changed",
        "update marts.fct_journey_entries set journey_name = repeat('W', 110)",
        "update marts.fct_message_exposures set journey_name = repeat('W', 110), "
        "message_name = repeat('M', 110)",
    )
    html = write_page(settings).html.read_text()
    assert probe(chromium, html, tmp_path, 390)["wide"] == []


def test_the_probe_sees_what_it_should(chromium: str, tmp_path: Path) -> None:
    """A page that throws and is too wide is told as such."""
    html = (
        "<html><head></head><body><p style='width: 900px'>wide</p>"
        "<script>throw new Error('planted')</script></body></html>"
    )
    result = probe(chromium, html, tmp_path, 390)
    assert result["wide"] == ["P wide"]
    assert "planted" in str(result["broken"])
