"""Put amounts into words of languages other than English, with numbers and units by CLDR.

Guarantees: no digit of a stored number is lost. A currency and the units that logs have most often
are translated; any other unit stays as it was typed. English words are in `timeline.formats.prose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from timeline.formats.local_dates import locale_of
from timeline.languages.translation import current, gettext, ngettext, number
from timeline.model import units


def local_amount(figure: Mapping[str, Any]) -> str:
    """Return the amount of a figure with its unit; the current language is not English."""
    value, low, high = (
        number(Decimal(figure[field])) if field in figure else None
        for field in ("value", "low", "high")
    )
    amount = value or ""
    if low or high:
        span = gettext("{low} to {high}").format(low=low or "?", high=high or "?")
        amount = f"{amount} ({span})" if amount else span
    last = next(figure[field] for field in ("high", "value", "low") if field in figure)
    amount = _with_unit(amount, Decimal(last), figure["unit"], figure["measure"])
    match figure.get("qualifier"):
        case "more_than":
            return gettext("more than {amount}").format(amount=amount)
        case "at_least":
            return gettext("at least {amount}").format(amount=amount)
        case "about":
            return gettext("about {amount}").format(amount=amount)
    return amount


def _with_unit(amount: str, count: Decimal, unit: str, measure: str) -> str:
    if not unit or (unit == "person" and measure in units.COUNTED_IN_PEOPLE):
        return amount
    if unit == "percent":
        return f"{amount}{locale_of(current()).percent_formats[None].suffix[0]}"
    if units.is_currency(unit):
        from babel.numbers import get_currency_name

        return f"{amount} {get_currency_name(unit, count, locale=current())}"
    return _counted(int(abs(count)), unit).format(number=amount, unit=unit)


def _counted(n: int, unit: str) -> str:
    match unit:
        case "person":
            return ngettext("{number} person", "{number} people", n)
        case "service member":
            return ngettext("{number} service member", "{number} service members", n)
        case "soldier":
            return ngettext("{number} soldier", "{number} soldiers", n)
        case "civilian":
            return ngettext("{number} civilian", "{number} civilians", n)
        case "item":
            return ngettext("{number} item", "{number} items", n)
    return "{number} {unit}"
