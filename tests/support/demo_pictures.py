"""Draw the pictures of the demonstration, in db/demo/: run this module to draw them anew.

They are drawn in the colours of the pages. The coast in black_sea.txt is that of Natural Earth
(public domain), in Web Mercator, 1200 wide from 26.3 to 42.7 degrees east.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

from browsers import executable
from PIL import Image
from playwright.sync_api import sync_playwright
from running import CHECKOUT

TARGET = CHECKOUT / "db" / "demo"
COAST = Path(__file__).with_name("black_sea.txt")
FONT = CHECKOUT / "timeline" / "site" / "static" / "source-serif-4-latin-wght-normal.woff2"
COLOURS = 64
"""The colours that are left of a picture, so that it takes less than 100 kB."""

PAPER, INK, INK2, LAND, LINE = "#fffefb", "#191817", "#57534c", "#f0ece3", "#d9d3c7"
TALK, HELP, DEMAND, FORCE = "#2a6496", "#2b6f4e", "#8a5500", "#b3242b"
SEA, DUSK, GLOW = "#dbe7ee", "#c7d8e3", "#f6e3c5"

PORTS = (
    ("Odesa", 46.49, 30.73, "end", True),
    ("Mykolaiv", 46.96, 32.0, "start", True),
    ("Constanța", 44.17, 28.65, "start", False),
    ("Varna", 43.2, 27.92, "start", False),
    ("Burgas", 42.49, 27.48, "start", False),
    ("Istanbul", 41.01, 28.98, "start", False),
    ("Samsun", 41.29, 36.33, "start", False),
    ("Trabzon", 41.0, 39.73, "start", False),
    ("Batumi", 41.65, 41.64, "end", False),
    ("Novorossiysk", 44.72, 37.77, "start", False),
)
"""Name, latitude, longitude, the side of the name, and whether it is a port of Ukraine."""


def place(lat: float, lon: float) -> tuple[float, float]:
    """Where a place is on the map."""
    width = 1200 / (42.7 - 26.3)

    def north(degrees: float) -> float:
        return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(degrees) / 2)))

    return (lon - 26.3) * width, (north(47.75) - north(lat)) * width


def port_map() -> str:
    coast = " ".join(COAST.read_text().split("\n"))
    parts = [
        f'<rect width="1200" height="760" fill="{SEA}"/>',
        f'<path d="{coast}" fill="{LAND}" stroke="{LAND}" stroke-width="1.5"/>',
        f'<text x="560" y="440" class="sea" fill="{TALK}">Black Sea</text>',
        f'<text x="660" y="184" class="sea small" fill="{TALK}">Sea of Azov</text>',
    ]
    for name, lat, lon, side, is_ukrainian in PORTS:
        x, y = place(lat, lon)
        colour = TALK if is_ukrainian else INK2
        shift = -18 if side == "end" else 18
        weight = 700 if name == "Odesa" else 500
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{10 if name == "Odesa" else 7}"'
            f' fill="{colour}" stroke="{PAPER}" stroke-width="3"/>'
            f'<text x="{x + shift:.0f}" y="{y + 9:.0f}" text-anchor="{side}" class="port"'
            f' font-weight="{weight}" fill="{INK}">{name}</text>'
        )
    length = place(0, 26.3 + 200 / (111.32 * math.cos(math.radians(41))))[0]
    parts.append(
        f'<path d="M{620 - length:.0f},728h{length:.0f}m0,-8v16m{-length:.0f},-16v16"'
        f' stroke="{INK2}" stroke-width="2.5"/>'
        f'<text x="640" y="737" class="note" fill="{INK2}">200 km</text>'
    )
    return _svg(1200, 760, "".join(parts))


def toll_chart() -> str:
    left, bottom, day, step = 110, 640, 260, 9

    def spot(when: float, number: float) -> tuple[float, float]:
        return left + (when - 13) * day, bottom - number * step

    parts = [f'<rect width="1200" height="760" fill="{PAPER}"/>']
    for number in range(0, 61, 20):
        _, y = spot(13, number)
        parts.append(
            f'<path d="M{left},{y}H1150" stroke="{INK if number == 0 else LINE}"'
            ' stroke-width="2"/>'
            f'<text x="{left - 18}" y="{y + 10}" text-anchor="end" class="note"'
            f' fill="{INK2}">{number}</text>'
        )
    for number in range(13, 17):
        x, _ = spot(number, 0)
        parts.append(
            f'<path d="M{x},{bottom}v14" stroke="{INK2}" stroke-width="2"/>'
            f'<text x="{x}" y="{bottom + 48}" text-anchor="middle" class="note"'
            f' fill="{INK2}">{number} April</text>'
        )
    said = (
        (13.35, 20, "20", "acting mayor", -8, 52),
        (14.0, 34, "34", "Ukrainian officials", -24, -26),
        (14.55, 35, "35", "prosecutor", 4, 54),
        (15.3, 36, "36", "The Kyiv Independent", -8, -26),
    )
    way = "".join(
        (f"M{x:.0f},{y:.0f}" if not count else f"H{x:.0f}V{y:.0f}")
        for count, (x, y) in enumerate(spot(when, number) for when, number, *_ in said)
    )
    parts.append(f'<path d="{way}H1150" stroke="{FORCE}" stroke-width="6" fill="none"/>')
    for when, number, figure, who, dx, dy in said:
        x, y = spot(when, number)
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="10" fill="{FORCE}" stroke="{PAPER}"'
            ' stroke-width="4"/>'
            f'<text x="{x + dx:.0f}" y="{y + dy:.0f}" class="label" fill="{INK}">'
            f'<tspan font-weight="700" fill="{FORCE}">{figure}</tspan> {who}</text>'
        )
    x, y = spot(14.0, 60)
    parts.append(
        f'<path d="M{x},{y - 15}l15,15-15,15-15-15z" fill="{PAPER}" stroke="{DEMAND}"'
        ' stroke-width="5"/>'
        f'<text x="{x + 32}" y="{y + 10}" class="label" fill="{INK}"><tspan font-weight="700"'
        f' fill="{DEMAND}">more than 60</tspan> service members: Russian ministry</text>'
        f'<text x="{left}" y="60" class="title" fill="{INK}">Killed in Sumy, by who says so</text>'
    )
    return _svg(1200, 760, "".join(parts))


def harbour() -> str:
    waves = "".join(
        f'<path d="M{x},{y}q30,-10 60,0t60,0" stroke="{PAPER}" stroke-width="3" fill="none"'
        ' opacity=".8"/>'
        for x, y in ((90, 640), (300, 700), (560, 650), (760, 720), (980, 670), (430, 600))
    )
    crane = (
        '<path d="M0,0V-170M60,0V-170M0,-170H60M-90,-176H180M60,-176L20,-250L-90,-176'
        'M20,-250L180,-176M0,0L60,-85M60,0L0,-85M0,-85H60M150,-176V-110" fill="none"'
        f' stroke="{INK2}" stroke-width="9" stroke-linejoin="round"/>'
    )
    cranes = "".join(
        f'<g transform="translate({x},470) scale({size})">{crane}</g>'
        for x, size in ((700, 0.9), (880, 1.1), (1050, 0.85))
    )
    ship = (
        f'<path d="M330,560h330l-38,70H362z" fill="{TALK}"/>'
        f'<path d="M330,560h330l-6,12H334z" fill="{PAPER}"/>'
        f'<path d="M570,560v-74h64v74z" fill="{PAPER}"/>'
        f'<path d="M582,498h14v14h-14zm26,0h14v14h-14z" fill="{TALK}"/>'
        f'<path d="M600,486v-34h22v34z" fill="{FORCE}"/>'
        f'<path d="M350,560q45,-52 92,0zm104,0q45,-52 92,0z" fill="{GLOW}" stroke="{DEMAND}"'
        ' stroke-width="3"/>'
    )
    lighthouse = (
        f'<path d="M0,548q120,-40 290,-8l40,40H0z" fill="{INK2}"/>'
        f'<path d="M142,540l14,-250h52l14,250z" fill="{PAPER}"/>'
        f'<path d="M150,404h64l4,62h-72z" fill="{FORCE}"/>'
        f'<path d="M150,290h64v-14h-64zm8,-14v-46h48v46z" fill="{INK}"/>'
        f'<path d="M166,276v-38h32v38z" fill="{GLOW}"/>'
        f'<path d="M152,230l30,-34 30,34z" fill="{FORCE}"/>'
    )
    return _svg(
        1200,
        800,
        f'<rect width="1200" height="800" fill="{DUSK}"/>'
        f'<rect y="250" width="1200" height="230" fill="{GLOW}"/>'
        f'<rect y="180" width="1200" height="110" fill="#e4dfd6"/>'
        f'<circle cx="560" cy="470" r="86" fill="#f0b46c"/>'
        f'<path d="M600,480V428h90v-26h70v40h110v-58h86v42h120v-24h124v78z" fill="#a9bac6"/>'
        f"{cranes}"
        f'<rect y="470" width="1200" height="330" fill="#7ba3bf"/>'
        f'<rect y="470" x="640" width="560" height="26" fill="{INK2}"/>'
        f'<path d="M486,484h148l-14,12h-120zm22,24h104l-10,10h-84z" fill="#f0b46c" opacity=".7"/>'
        f"{waves}{lighthouse}{ship}",
    )


def _svg(width: int, height: int, inner: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">{inner}</svg>'
    )


STYLE = """
@font-face {font-family: Story; src: url(data:font/woff2;base64,FONT); font-weight: 200 900}
body {margin: 0} svg {display: block} text {font-family: "Noto Sans", system-ui, sans-serif}
.port {font-size: 30px; paint-order: stroke; stroke: #ffffffb0; stroke-width: 5px}
.sea {font: italic 44px Story; letter-spacing: .12em} .small {font-size: 26px}
.note {font-size: 26px}
.label {font-size: 28px; paint-order: stroke; stroke: #fffefb; stroke-width: 10px}
.title {font: 600 44px Story}
"""

PICTURES = {"black-sea-ports": port_map, "sumy-toll": toll_chart, "odesa-harbour": harbour}


def main() -> None:
    import base64

    style = STYLE.replace("FONT", base64.b64encode(FONT.read_bytes()).decode())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable())
        page = browser.new_page()
        for name, drawn in PICTURES.items():
            page.set_content(f"<style>{style}</style>{drawn()}")
            page.evaluate("document.fonts.ready")
            shot = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("RGB")
            small = shot.quantize(COLOURS, dither=Image.Dither.NONE)
            small.save(TARGET / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
