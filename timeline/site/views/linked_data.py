"""Describe a page to search engines as JSON-LD, in the words of schema.org.

Guarantees: nothing is claimed that the log does not say. An event that was retracted, did not
happen or is only considered is no Event; a vague date is left out; what is disputed says so in
words, without a mark of ours. The text cannot end the element `script` that it stands in. Knows no
request and no template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from markupsafe import Markup

from timeline.formats.exports import FORMATS
from timeline.formats.prose import Fields
from timeline.languages.translation import gettext
from timeline.site.views.time_units import edtf_of

_HAPPENS = ("actual", "ongoing", "planned")
"""The modalities of events that happened, or are to happen."""
_DOUBTED = ("disputed", "refuted")
"""The verifications that make a review of an event itself."""
_MOST = 50
"""The number of sources, and of reviews, that are described: 10 kB of each."""

_ISO = re.compile(
    r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?)?)?"
)
"""A date of EDTF that is one of ISO 8601 too; a season is none."""
_CREATIVE_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-SA|-ND)?)-(\d\.\d)", re.I)

Object = dict[str, Any]


def of_page(
    found: Fields, canonical: str, absolute: Callable[[str], str], picture: str = ""
) -> Markup:
    """Return the JSON-LD of a page as it is now; "" for a page without any.

    `found` is what the page shows, `canonical` its address, and `picture` that of its picture.
    """
    things: list[Object] = []
    if "event" in found:
        things = [*_event(found, canonical, picture)]
    elif "groups" in found and "total" in found and not found["address"].is_narrowed:
        things = [_dataset(found, absolute)]
    if not things:
        return Markup()
    whole = things[0] if len(things) == 1 else {"@graph": things}
    return safe({"@context": "https://schema.org", **whole})


def safe(data: Object) -> Markup:
    """Return an object as JSON that may stand within an element `script`."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character is left that HTML knows


# --- Events -------------------------------------------------------------------------------


def _event(found: Fields, canonical: str, picture: str) -> Iterator[Object]:
    event = found["event"]
    if event["state"] != "current":
        return
    verification = event.get("verification", "reported")
    modality = event.get("modality", "actual")
    if modality in _HAPPENS and verification != "refuted":
        begin, end = _times(str(event.get("occurred", "")))
        is_planned = modality == "planned"
        yield _known(
            {
                "@type": "Event",
                "@id": canonical,
                "url": canonical,
                "name": found["title"],
                "description": event.get("summary"),
                "startDate": begin,
                "endDate": end,
                "eventStatus": "https://schema.org/EventScheduled" if is_planned else "",
                "location": _place(found["facts"], event.get("place", {})),
                "image": picture,
                "keywords": event.get("tags"),
                "subjectOf": [_work(source) for source in found["sources"][:_MOST]],
            }
        )
    yield from _reviews(found, canonical, verification)


def _times(occurred: str) -> tuple[str, str]:
    """Return the beginning and the end of an event in ISO 8601; "" for what is not sure."""
    begin, is_interval, end = occurred.partition("/")
    sure = [each if _ISO.fullmatch(each) else "" for each in (begin, end)]
    return sure[0], sure[1] if is_interval else sure[0]


def _place(facts: Fields, place: Fields) -> Object | None:
    if not place:
        return None
    point = place.get("lat") and {
        "@type": "GeoCoordinates",
        "latitude": str(place["lat"]),
        "longitude": str(place["lon"]),
    }
    address = {
        "@type": "PostalAddress",
        "addressRegion": place.get("admin1"),
        "addressCountry": facts["country_name"],
    }
    named = place.get("name") or place.get("admin1") or facts["country_name"]
    return _known({"@type": "Place", "name": named, "address": _known(address), "geo": point})


def _work(source: Fields) -> Object:
    published = source.get("published_edtf") or ""
    return _known(
        {
            "@type": "CreativeWork",
            "name": source["title"],
            "url": source["url"],
            "inLanguage": source["language"],
            "datePublished": published if _ISO.fullmatch(published) else "",
            "publisher": _organisation(source["publisher"]),
        }
    )


def _reviews(found: Fields, canonical: str, verification: str) -> Iterator[Object]:
    """Yield what is disputed or denied, with who says so: claims, then the event itself."""
    words: dict[str, list[str]] = {}
    for claim in found["claims"]:
        if claim["stance"] == "asserts":
            continue
        said = gettext("Denied by {name}")
        if claim["stance"] == "disputes":
            said = gettext("Disputed by {name}")
        words.setdefault(claim["statement"] or found["title"], []).append(
            said.format(name=claim["speaker"])
        )
    if verification in _DOUBTED:
        said = gettext("Disputed") if verification == "disputed" else gettext("Refuted")
        words.setdefault(found["title"], []).insert(0, said)
    info = found["info"]
    author = _organisation(info.get("publisher") or info["title"], info.get("homepage"))
    for claimed, verdicts in [*words.items()][:_MOST]:
        yield {
            "@type": "ClaimReview",
            "url": canonical,
            "datePublished": found["event"]["recorded_at"],
            "author": author,
            "claimReviewed": claimed,
            "itemReviewed": {"@type": "Claim", "text": claimed},
            "reviewRating": {
                "@type": "Rating",
                "alternateName": "; ".join(dict.fromkeys(verdicts)),
            },
        }


# --- The whole timeline -------------------------------------------------------------------


def _dataset(found: Fields, absolute: Callable[[str], str]) -> Object:
    info, address = found["info"], absolute("/")
    return _known(
        {
            "@type": "Dataset",
            "@id": address,
            "url": address,
            "identifier": info["origin"],
            "name": info["title"],
            "description": info.get("description"),
            "inLanguage": info.get("language"),
            "creator": _organisation(info.get("publisher"), info.get("homepage")),
            "license": _licence(str(info.get("licence") or "")),
            "dateModified": found["updated_at"],
            "temporalCoverage": _coverage(found["axis"]),
            "isAccessibleForFree": True,
            "distribution": [
                {
                    "@type": "DataDownload",
                    "name": f"{each.stem}{each.suffix}",
                    "encodingFormat": each.media_type.partition(";")[0],
                    "contentUrl": f"{address}{each.stem}{each.suffix}",
                }
                for each in FORMATS.values()
            ],
        }
    )


def _licence(licence: str) -> str:
    """Return the address of a licence that has one, otherwise its name."""
    if match := _CREATIVE_COMMONS.fullmatch(licence):
        return f"https://creativecommons.org/licenses/{match[1].lower()}/{match[2]}/"
    if licence.upper() == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return licence


def _coverage(axis: Any) -> str:
    """Return the first and the last day of all events, in ISO 8601."""
    stretches = axis.strip.stretches if axis else ()
    if not stretches:
        return ""
    days = edtf_of(stretches[0].first), edtf_of(stretches[-1].last)
    return "/".join(days) if all(_ISO.fullmatch(day) for day in days) else ""


def _organisation(name: object, url: object = None) -> Object | None:
    return _known({"@type": "Organization", "name": name, "url": url}) if name else None


def _known(thing: Object) -> Object:
    """Return an object without the properties that are empty."""
    return {name: value for name, value in thing.items() if value}
