"""Coordinates as people paste them: one point of a map, in many spellings."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidInput, InvalidValue
from timeline.model import coordinates


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("50.4501, 30.5234", "50.4501", "30.5234"),
        ("50.4501,30.5234", "50.4501", "30.5234"),
        ("50.4501 30.5234", "50.4501", "30.5234"),
        ("50.4501; 30.5234", "50.4501", "30.5234"),
        ("50.4501/30.5234", "50.4501", "30.5234"),
        ("(50.45, 30.52)", "50.45", "30.52"),
        ("[50.45, 30.52]", "50.45", "30.52"),
        ("50.45N 30.52E", "50.45", "30.52"),
        ("50.45N,30.52E", "50.45", "30.52"),
        ("50.45n30.52e", "50.45", "30.52"),
        ("50.45° N, 30.52° E", "50.45", "30.52"),
        ("N50 27 E30 31", "50.45", "30.516667"),
        ("N 50° 27' 00\", E 30° 31' 24\"", "50.45", "30.523333"),
        ("50°27′00″N 30°31′24″E", "50.45", "30.523333"),
        ("50º27’00”N 30º31’24”E", "50.45", "30.523333"),
        ("50°27'00''N 30°31'24''E", "50.45", "30.523333"),
        ("50 27 0 N 30 31 24 E", "50.45", "30.523333"),
        ("50 27 0 30 31 24", "50.45", "30.523333"),
        ("50° 27.5', 30° 31.4'", "50.458333", "30.523333"),
        ("50°27' 30°31'", "50.45", "30.516667"),
        ("50d27min 30d31min", "50.45", "30.516667"),
        ("30.52E 50.45N", "50.45", "30.52"),
        ("E30 31 N50 27", "50.45", "30.516667"),
        ("33.45S 70.66W", "-33.45", "-70.66"),
        ("−33.45, −70.66", "-33.45", "-70.66"),
        ("–33.45 –70.66", "-33.45", "-70.66"),
        ("-33.45 -70.66", "-33.45", "-70.66"),
        ("50,4501 30,5234", "50.4501", "30.5234"),
        ("50,4501, 30,5234", "50.4501", "30.5234"),
        ("50,45; 30,52", "50.45", "30.52"),
        ("50,45N 30,52E", "50.45", "30.52"),
        ("５０．４５、３０．５２", "50.45", "30.52"),
        ("٥٠٫٤٥ ٣٠٫٥٢", "50.45", "30.52"),
        ("lat: 50.45, lon: 30.52", "50.45", "30.52"),
        ("Latitude 50.45 Longitude 30.52", "50.45", "30.52"),
        ("50.45 North, 30.52 East", "50.45", "30.52"),
        ("50,45 Nord 30,52 Ost", "50.45", "30.52"),
        ("50°27′ с. ш. 30°31′ в. д.", "50.45", "30.516667"),
        ("geo:50.45,30.52", "50.45", "30.52"),
        ("Point(30.52 50.45)", "50.45", "30.52"),
        ("POINT (-70.66 -33.45)", "-33.45", "-70.66"),
        ("SRID=4326;POINT(30.52 50.45)", "50.45", "30.52"),
        (
            "50.45\N{NO-BREAK SPACE}N \N{LEFT-TO-RIGHT MARK}30.52\N{NO-BREAK SPACE}E",
            "50.45",
            "30.52",
        ),
        ("0, 0", "0", "0"),
    ],
)
def test_a_point_is_read_as_it_is_pasted(text: str, lat: str, lon: str) -> None:
    assert coordinates.read(text) == (lat, lon)


@pytest.mark.parametrize(
    ("text", "lat"),
    [
        ("50.45", "50.45"),
        ("50.", "50."),
        ("5e1", "5e1"),
        ("50.45N", "50.45"),
        ("S 33.45", "-33.45"),
        ("50°27′00″N", "50.45"),
        ("50 27 0 N", "50.45"),
        ("50° 27.5'", "50.458333"),
        ("−0.5", "-0.5"),
        ("50,4501", "50.4501"),
        ("５０．４５", "50.45"),
        ("-0°0'0\"", "0"),
    ],
)
def test_a_latitude_is_read_as_it_is_pasted(text: str, lat: str) -> None:
    assert coordinates.latitude(text) == lat


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Kyiv", "is not a latitude and a longitude"),
        ("50.45", "is not a latitude and a longitude"),
        ("50.45N 30.52N", "has two latitudes"),
        ("50,45", "can be read as 50.45 or as 50 and 45"),
        ("50 45", "can be read as 50 degrees 45 minutes"),
        ("50.45 30.52 10", "is not a latitude and a longitude"),
        ("50°72'N 30°31'E", "has 72 minutes: write less than 60"),
        ("50.5°27'N 30°31'E", "is not a latitude and a longitude"),
        ("-33.45S 70.66W", "has both a minus and the letter S"),
        ("139.69, 35.68", "the two seem swapped: latitude 35.68, longitude 139.69"),
        ("95.1, 190", "95.1 is not a latitude: it lies between -90 and 90"),
        ("50.45, 190", "190 is not a longitude: it lies between -180 and 180"),
        ("50.45 N 30.52 O", "east in German and west in French"),
        ("1" * 200, "is too long"),
        ("", "is not a latitude and a longitude"),
    ],
)
def test_a_text_that_is_no_point_is_refused_with_what_to_write(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem):
        coordinates.read(text)


@pytest.mark.parametrize("text", ["Point(30.52)", "Point(1 2 3)", "Point(10 95)", "Point(1.2.3 4)"])
def test_a_point_of_wkt_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        coordinates.read(text)


def test_with_a_decimal_comma_the_comma_parts_no_numbers() -> None:
    with pytest.raises(InvalidValue, match="is not a latitude and a longitude"):
        coordinates.read("50,45", decimal_comma=True)


def test_a_longitude_in_place_of_a_latitude_is_refused() -> None:
    with pytest.raises(InvalidValue, match="is a longitude, not a latitude"):
        coordinates.latitude("30.52E")
    with pytest.raises(InvalidValue, match="200 is not a longitude"):
        coordinates.longitude("200")


@pytest.mark.parametrize(
    ("place", "lat", "lon"),
    [
        ({"lat": "50.45N 30.52E"}, "50.45", "30.52"),
        ({"lat": "50.45N 30.52E", "lon": ""}, "50.45", "30.52"),
        ({"lat": None, "lon": "50.45, 30.52"}, "50.45", "30.52"),
        ({"lat": "50.45N", "lon": "30.52E"}, "50.45", "30.52"),
        ({"lat": "30.52E", "lon": "50.45N"}, "50.45", "30.52"),
        ({"lat": "30.52E", "lon": "50.45"}, "50.45", "30.52"),
        ({"lat": 50.45, "lon": "30°31'E"}, "50.45", "30.516667"),
        ({"lat": 50.45, "lon": 30.52}, 50.45, 30.52),
        ({"lat": "50.450", "lon": "30.52"}, "50.450", "30.52"),
    ],
)
def test_the_two_fields_of_a_place_become_numbers(
    place: dict[str, object], lat: object, lon: object
) -> None:
    found = coordinates.in_place({"name": "Kyiv", **place})
    assert (found["name"], found["lat"], found["lon"]) == ("Kyiv", lat, lon)


def test_numbers_that_fit_only_the_other_way_round_are_refused_as_swapped() -> None:
    with pytest.raises(InvalidInput) as refusal:
        coordinates.in_statement({"place": {"lat": 139.69, "lon": "35.68"}})
    assert str(refusal.value) == (
        "place.lat: 139.69 is not a latitude: it lies between -90 and 90; the two seem swapped: "
        "latitude 35.68, longitude 139.69"
    )


def test_what_has_no_coordinates_stays_as_it_is() -> None:
    for statement in ("text", {"title": "Talks"}, {"place": "Kyiv"}, {"place": {"lat": [1]}}):
        assert coordinates.in_statement(statement) == statement


@given(lat=st.decimals(-90, 90, places=4), lon=st.decimals(-180, 180, places=4), swap=st.booleans())
def test_degrees_with_letters_are_read_in_either_order(
    lat: Decimal, lon: Decimal, swap: bool
) -> None:
    north = f"{abs(lat):f}{'S' if lat < 0 else 'N'}"
    east = f"{abs(lon):f}{'W' if lon < 0 else 'E'}"
    found = coordinates.read(f"{east} {north}" if swap else f"{north} {east}")
    assert tuple(map(Decimal, found)) == (lat, lon)


@given(text=st.text(max_size=130))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        lat, lon = coordinates.read(text)
    except InvalidValue:
        return
    assert abs(Decimal(lat)) <= 90
    assert abs(Decimal(lon)) <= 180
