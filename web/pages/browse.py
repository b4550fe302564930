"""The pages that need no question: the articles of the archive, and its sources."""

from calendar import monthrange
from collections.abc import Sequence
from typing import NamedTuple

from flask import Blueprint, Response, render_template, request

from indexer.web_support import BrowseRequest, BrowseResult, Count
from web.i18n.locale import digits, month
from web.pages import feeds, links
from web.parameters import read_browse
from web.service import service

MONTHS = 48  # bars at most; a longer time is drawn by year
WIDTH, HEIGHT, GAP = 640, 96, 0.2  # of the histogram, in its own units; the gap is a share of a bar

blueprint = Blueprint("browse", __name__)


class Bar(NamedTuple):
    """A bar of a histogram: its range of days, its number of articles, and its place in the drawing."""

    label: str
    articles: int
    address: str
    x: float
    y: float
    width: float
    height: float


@blueprint.get("/articles")
def articles() -> str | Response:
    searcher, browsed = service().searcher(), read_browse(request.args)
    if feeds.is_wanted():
        return feeds.articles_feed(searcher, browsed)
    result = searcher.browse(browsed)
    next_page = links.address_of(result.request, {"after": result.next}) if result.next else None
    return render_template(
        "articles.html",
        result=result,
        browsed=result.request,
        facets=links.facets_of(result, numbered=True),
        chips=links.chips_of(result.request),
        bars=histogram(result),
        size=(WIDTH, HEIGHT),
        next_page=next_page,
        empty=not searcher.size()[0],
    )


@blueprint.get("/sources")
def sources() -> str:
    searcher = service().searcher()
    return render_template("sources.html", sources=searcher.source_facts(), damage=searcher.damage)


def histogram(result: BrowseResult) -> list[Bar]:
    """Return the bars of the articles of a list by month, or by year where there are many months.

    Months without an article have a bar of no height, so that the distances are true. A list of one bar has
    no histogram.
    """
    counts = _every_month(result.months)
    if len(counts) > MONTHS:
        counts = _by_year(counts)
    if len(counts) < 2:
        return []
    most, step = max(count.count for count in counts), WIDTH / len(counts)
    return [
        Bar(
            label=_label(count.value or ""),
            articles=count.count,
            address=_address(result.request, count.value or ""),
            x=round(place * step, 2),
            y=round(HEIGHT - HEIGHT * count.count / most, 2),
            width=round(step * (1 - GAP), 2),
            height=round(HEIGHT * count.count / most, 2),
        )
        for place, count in enumerate(counts)
    ]


def _every_month(months: Sequence[Count]) -> list[Count]:
    if not months:
        return []
    counted = {count.value: count.count for count in months}
    first, last = (_number(count.value or "") for count in (months[0], months[-1]))
    if last - first > 12 * 1_000:  # a date that no archive has
        return list(months)
    names = (f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1))
    return [Count(name, counted.get(name, 0)) for name in names]


def _number(name: str) -> int:
    year, month_of_year = map(int, name.split("-"))
    return 12 * year + month_of_year - 1


def _by_year(months: Sequence[Count]) -> list[Count]:
    years: dict[str, int] = {}
    for count in months:
        year = (count.value or "")[:4]
        years[year] = years.get(year, 0) + count.count
    return [Count(year, count) for year, count in years.items()]


def _label(name: str) -> str:
    return month(name) if "-" in name else digits(name)


def _address(browsed: BrowseRequest, name: str) -> str:
    """Return the address of the articles of a month, YYYY-MM, or of a year, YYYY."""
    year, _, month_of_year = name.partition("-")
    if not month_of_year:
        days = (f"{year}-01-01", f"{year}-12-31")
    else:
        last = monthrange(int(year), int(month_of_year))[1] if year != "0000" else 31
        days = (f"{name}-01", f"{name}-{last:02}")
    return links.address_of(browsed, dict(zip(("from", "to"), days, strict=True)))
