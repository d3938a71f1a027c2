"""The weekly page where something lacks, or harms: a feed, people, any row at all, a name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import duckdb
import pytest
from review_home import built_home, changed, settings_for
from review_outline import Outline, outline

from pipelines.review import words
from pipelines.review.page import Page, write_page
from pipelines.settings import Settings

Change = Callable[..., Settings]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_home(tmp_path_factory)


@pytest.fixture(scope="module")
def page(home: Path) -> Page:
    return write_page(settings_for(home))


@pytest.fixture
def change(home: Path, tmp_path: Path) -> Change:
    return lambda *statements: changed(home, tmp_path / "changed", *statements)


def text(html: str) -> str:
    """What a piece of the page says, without its tags."""
    bare = re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", html, flags=re.S))
    return re.sub(r"\s+", " ", unescape(bare)).strip()


def cards(page: Page) -> dict[str, str]:
    """The HTML of each card by the name of its journey."""
    found = re.findall(r'<article class="card".*?</article>', page.html.read_text(), re.S)
    return {text(re.findall(r"<h4[^>]*>(.*?)</h4>", card, re.S)[0]): card for card in found}


def table_below(page: Page, heading: str) -> str:
    """What the table below a heading says."""
    html = page.html.read_text()
    after = html[html.index(heading) :]
    return after[: after.index("</table>")]


def test_a_week_without_data_is_no_zero(page: Page) -> None:
    """The sister brand's feed stopped: a dash with its tag, and a repair instead of a reading."""
    card = cards(page)["Cart recovery of the sister brand"]
    told = text(card)
    assert "Repair this first No data" in told
    assert re.search(r"No data \d+\.\d days since the last row came", told)
    tiles = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card, re.S)
    silent = {"Entries", "Shown really", "Human clicks"}
    for label, tile in tiles:
        now, before = text(tile).split(" before ")
        if text(label).split(" withheld")[0] in silent:
            assert now == f"{words.ABSENT} No data"
            assert before == words.ABSENT
        else:
            assert "No data" not in now
    assert "weeks without a value" in card
    html = page.html.read_text()
    assert html.count("<dt>No data</dt>") == 1
    assert card.count('href="#why-no-data"') == 1
    fold = next(
        one for one in html.split('<details class="journey">') if "sister brand</h3>" in one
    )
    weeks = re.findall(r'<tr><th scope="row">\d.*?</tr>', fold, re.S)
    assert [text(week).split()[3:7] for week in weeks[:2]] == [[words.ABSENT] * 4] * 2
    assert words.ABSENT not in text(weeks[5]).split()[3:7]
    assert "No message was made this week" not in fold


@pytest.mark.parametrize("reason", ["not_sure", "ended_short", "too_small", "too_slow"])
def test_where_somebody_is_held_out_more_are_asked_for(change: Change, reason: str) -> None:
    """Nobody is told to hold somebody out who does; where nobody is, that is what is said."""
    page = write_page(
        change(
            f"update marts.fct_review_cards set decision = 'hold_out_first', reason = '{reason}', "
            f"until_at = null, figure = '{'weeks' if reason == 'too_slow' else 'people'}', "
            "planned_n = 4000, count_week = 4, count_weeks_to_plan = 60, count_mature = 899 "
            "where experiment_key = 'cart_recovery'"
        )
    )
    told = {name: text(card) for name, card in cards(page).items()}
    assert "Hold more people out first" in told["Cart recovery"]
    assert "Hold somebody out first No control" in told["Price drops"]
    assert "Hold more people out first: Cart recovery" in page.text()
    if reason == "too_slow":
        assert "60 weeks until 4,000 people are there, at 4 a week" in told["Cart recovery"]


def test_no_horizon_is_longer_than_anybody_plans(change: Change) -> None:
    """Beyond the bound it is only said that it is beyond; at the bound the weeks are told."""
    page = write_page(
        change(
            "update marts.fct_review_cards set decision = 'hold_out_first', reason = 'too_slow', "
            "until_at = null, figure = 'weeks', planned_n = 4000, count_week = 4, "
            "count_weeks_to_plan = 39559 where experiment_key = 'cart_recovery'",
            "update marts.fct_review_sizes set count_lacking = 9, count_weeks_to_plan = 39559",
            "update marts.fct_conversion_by_timing set count_weeks = 39559, count_week = 7",
        )
    )
    html = page.html.read_text()
    assert "39,559" not in html
    assert "more than five years" in text(cards(page)["Cart recovery"])
    assert "more than five years at this week's" in text(table_below(page, "adequacy-title"))
    assert "people, more than five years at 7 a week" in text(table_below(page, "Not caused:"))


@pytest.mark.parametrize(
    ("weeks", "longest", "said"),
    [
        (1, 260, "1 week"),
        (260, 260, "260 weeks"),
        (261, 260, "more than five years"),
        (60, 52, "more than one year"),
        (None, 260, f"{words.ABSENT} weeks"),
    ],
)
def test_weeks_beyond_the_longest_are_years(weeks: int | None, longest: int, said: str) -> None:
    assert words.weeks(weeks, longest) == said


def test_one_plan_has_one_length(page: Page) -> None:
    """The plan, and what is to be held out anew, are told in weeks; other readings in people."""
    html = page.html.read_text()
    worth = html[html.index('id="worth"') : html.index('id="changes"')]
    tables = re.findall(r"<tbody>.*?</tbody>", worth, re.S)
    with_weeks = [table for table in tables if re.search(r"\d weeks?\b|five years", text(table))]
    assert len(with_weeks) <= 1
    assert all("hold out half right before it" in table for table in with_weeks)
    assert "people more would tell" in worth
    assert "people would tell" in text(table_below(page, "What a message brings beyond its cost"))


def test_a_prediction_that_may_not_be_told_has_no_lift_table(change: Change) -> None:
    """Where the area is withheld for want of people, its levels are not told either."""
    before = write_page(change())
    html = before.html.read_text()
    table = html[html.index("The lift table") :]
    table = table[: table.index("</table>")]
    assert "workspace 208301" in table
    assert "workspace 208477" not in table
    with_none = changed(
        before.html.parent.parent,
        before.html.parent.parent / "none",
        "update marts.fct_intent_prediction set area = null, area_low = null, area_high = null, "
        "verdict = 'no headline'",
    )
    assert "The lift table" not in write_page(with_none).html.read_text()


def test_a_failed_check_is_named_once_in_its_row(change: Change) -> None:
    page = write_page(
        change("update marts.fct_experiment_health set verdict = 'warn' where guardrail <> 'srm'")
    )
    html = page.html.read_text()
    trust = html[html.index('id="trust"') : html.index('id="adequacy"')]
    heads = [text(head) for head in re.findall(r'<th scope="row">(.*?)</th>', trust, re.S)]
    assert "Crossovers" in heads
    assert not [head for head in heads if head.count("Crossovers") > 1]


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\u202eevil\u2066 name\u200b\ufeff",
    "x" * 10_000,
    "=cmd|'/C calc'!A0",
    "two\r\nlines\tand \x07\x1b[31m",
    "\"'><svg/onload=alert(3)>{{ 7 * 7 }}{% raw %}",
)
"""Markup, turned and hidden letters, a name without end, a formula, lines, and templates."""

NAMES = "journey_name message_name label name event_name category what blocked_reason state motion"
KEYS = "experiment_key arm control_arm segment_key audience_key destination_id currency channel"


def renamed(home: Path) -> list[str]:
    """Statements that give whatever others name such a name: keys keep their own before it."""
    tried = "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in HOSTILE) + "]"
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        columns = db.execute(
            "select table_schema, table_name, column_name from information_schema.columns "
            "inner join information_schema.tables using (table_schema, table_name) "
            "where table_type = 'BASE TABLE' and data_type = 'VARCHAR' "
            "and table_schema in ('marts', 'registries') and column_name in "
            f"{(*NAMES.split(), *KEYS.split())} order by all"
        ).fetchall()
    return [
        f"update {schema}.{table} set {column} = "
        + (f"{column} || ' ' || " if column in KEYS.split() else "")
        + f"({tried})[1 + cast(hash({column}) % {len(HOSTILE)} as integer)]"
        for schema, table, column in columns
    ]


def test_nothing_that_others_name_can_harm_any_part_of_the_page(home: Path, change: Change) -> None:
    """Every name on every part at once; the page is whole, shut in, and says them as text."""
    page = write_page(change(*renamed(home)))
    html = page.html.read_text()
    found = Outline(html)
    assert not {tag for tag, _ in found.tags} & {"script", "img", "iframe", "object", "link"}
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on")]
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for tag, a in found.tags if tag == "a"} <= set(ids)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00-\x09\x0b-\x1f]", html)
    assert "x" * (words.LONGEST_NAME + 1) not in html
    assert "&lt;script&gt;" in html
    assert "=cmd|" in unescape(html)
    assert "{{ 7 * 7 }}" in unescape(html)
    whole = outline(write_page(settings_for(home))).sections
    assert set(found.sections) == set(whole)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", page.text())
    assert len(page.text().splitlines()) == 1 + html.count("<article ")
    facts = json.loads(page.json.read_text())
    assert {row["journey_name"] for row in facts["cards"]} <= set(HOSTILE)


def emptied(home: Path, condition: str = "true", *, with_column: str = "") -> list[str]:
    """Statements that take the rows out of whatever is built, but the weeks and the build."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as db:
        found = db.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_schema in ('marts', 'staging', 'review') "
            "and table_name not in ('fct_review_weeks', 'dim_build') "
            "and ($1 = '' or (table_schema, table_name) in (select (table_schema, table_name) "
            "from information_schema.columns where column_name = $1)) order by all",
            [with_column],
        ).fetchall()
    return [f"delete from {schema}.{table} where {condition}" for schema, table in found]


def test_a_brand_of_which_nothing_came_gets_a_whole_page(home: Path, change: Change) -> None:
    """Registries and not one row: every part says that nothing is there, in words."""
    page = write_page(change(*emptied(home)))
    html = page.html.read_text()
    assert "No journey has an experiment, or showed a message in these weeks." in html
    assert "Every source is fresh" not in html
    assert not re.search(r">\s*(None|nan|undefined)\b", html)
    assert not cards(page)
    assert "no journey to decide on" in page.text()
    json.loads(page.json.read_text())


def test_journeys_of_one_name_are_told_apart_by_their_workspace(change: Change) -> None:
    page = write_page(
        change("update marts.fct_review_cards set journey_name = 'Cart' where journey_id = '101'")
    )
    said = [line for line in page.text().splitlines() if ": Cart, " in line]
    named = [name for name in cards(page) if name.startswith("Cart, ")]
    assert len(said) == len(set(named)) == 2
    assert all(any(f": {name}, " in line for line in said) for name in named)


def test_a_brand_with_one_journey(home: Path, change: Change) -> None:
    page = write_page(
        change(
            *emptied(home, "journey_id <> '103'", with_column="journey_id"),
            *emptied(home, "experiment_key <> 'winback'", with_column="experiment_key"),
            "delete from registries.experiments where experiment_key <> 'winback'",
            "delete from registries.experiment_arms where experiment_key <> 'winback'",
        )
    )
    assert list(cards(page)) == ["Winback 60 to 90 days"]
    assert "Cart recovery" not in text(page.html.read_text())
    assert len(page.text().splitlines()) == 2


def test_without_costs_money_has_no_currency_and_no_verdict(home: Path, change: Change) -> None:
    page = write_page(
        change(
            "delete from registries.channel_costs",
            "update marts.fct_message_value set verdict = 'no headline', spending = null, "
            "reasons = 'unpriced_channel', "
            + ", ".join(
                f"{name}{side} = null"
                for name in ("net_per_message", "margin_per_cost", "margin_of_step")
                for side in ("", "_low", "_high")
            ),
        )
    )
    told = text(table_below(page, "What a message brings beyond its cost"))
    assert "not shown" in told
    assert "USD" not in told
    assert not re.search(r"\b(None|nan)\b", told)
