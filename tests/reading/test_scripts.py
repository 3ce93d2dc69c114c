"""One name in several scripts is told as one, with the reason; two persons stay two."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from timeline.reading.twins import names, scripts
from timeline.reading.twins.names import likeness

PERSONS = {
    "Zelensky": [
        "Володимир Зеленський",
        "Владимир Зеленский",
        "Volodymyr Zelenskyy",
        "Wolodymyr Selenskyj",
        "Βολοντίμιρ Ζελένσκι",
        "فولوديمير زيلينسكي",
    ],
    "Zelenska": ["Олена Зеленська", "Olena Zelenska", "Olena Selenska"],
    "Zelenskaya": ["Елена Зеленская", "Elena Zelenskaya"],
    "Ivanov": ["Сергей Иванов", "Sergei Ivanov", "Sergej Iwanow"],
    "Ivanova": ["Светлана Иванова", "Svetlana Ivanova", "Swetlana Iwanowa"],
    "Putin": ["Владимир Путин", "Vladimir Putin", "Wladimir Putin", "فلاديمير بوتين"],
    "Lavrov": ["Сергей Лавров", "Сергій Лавров", "Sergey Lavrov", "Sergej Lawrow"],
    "Hrushevsky": ["Михайло Грушевський", "Mykhailo Hrushevsky"],
    "Vucic": ["Александар Вучић", "Aleksandar Vučić"],
    "Samaras": ["Αντώνης Σαμαράς", "Antonis Samaras"],
    "Mitsotakis": ["Κυριάκος Μητσοτάκης", "Kyriakos Mitsotakis"],
    "Assad": ["بشار الأسد", "Bashar al-Assad"],
    "Hussein": ["صدام حسين", "Saddam Hussein"],
    "Abbas": ["محمود عباس", "Mahmoud Abbas"],
    "Mohammed Abbas": ["محمد عباس"],
    "Raisi": ["إبراهيم رئيسي", "Ebrahim Raisi"],
    "Soleimani": ["قاسم سليماني", "Qassem Soleimani", "Qasim Sulaimani"],
    "Xi": ["习近平", "Xi Jinping"],
    "Klitschko": ["Виталий Кличко", "Vitaly Klichko"],
    "his brother": ["Володимир Кличко", "Volodymyr Klichko"],
    "Kovalenko": ["Олег Коваленко", "Oleg Kovalenko"],
    "his wife": ["Ольга Коваленко", "Olga Kovalenko"],
    "his son": ["Алексей Коваленко", "Aleksei Kovalenko"],
    "Petrov": ["Александр Петров", "Alexander Petrov"],
    "Petrova": ["Александра Петрова", "Alexandra Petrova"],
    "Salem Hassan": ["سالم حسن", "Salem Hassan"],
    "Salim Hussein": ["سليم حسين", "Salim Hussein"],
}
FAR = {
    # Two ways to say the first name, of which Arabic and Cyrillic each write one.
    frozenset(("Владимир Зеленский", "فولوديمير زيلينسكي")),
    frozenset(("Βολοντίμιρ Ζελένσκι", "فولوديمير زيلينسكي")),
}


def together(one: str, other: str) -> bool:
    """Whether two names would be compared, of however many."""
    keys, others = {*names.keys(one)}, {*names.keys(other)}
    return any((key, True) in others or (looks and (key, False) in others) for key, looks in keys)


def test_spellings_of_one_person_are_told_and_those_of_two_are_not() -> None:
    one = [pair for spelled in PERSONS.values() for pair in combinations(spelled, 2)]
    missed = [pair for pair in one if frozenset(pair) not in FAR and not likeness(*pair)]
    apart = [pair for pair in one if likeness(*pair) and not together(*pair)]
    wrong = [
        pair
        for some, others in combinations(PERSONS.values(), 2)
        for pair in product(some, others)
        if likeness(*pair)
    ]
    assert (missed, apart, wrong) == ([], [], [])


@pytest.mark.parametrize(
    ("one", "other", "rank"),
    [
        ("Иванов", "Ivanov", 3),
        ("Ivanov", "Iwanow", 3),
        ("Zelensky", "Selenskyj", 3),
        ("محمد", "Mohammed", 3),
        ("محمد", "Muhammad", 3),
        ("محمد", "Mohamed", 3),
        ("Mohammed", "Muhammad", 3),
        ("Зеленський", "Volodymyr Zelenskyy", names.SURNAME),
        ("В. Зеленський", "Volodymyr Zelenskyy", names.INITIAL),
        ("Зеленський Володимир", "Volodymyr Zelenskyy", 3),
        ("Гагарін", "Haharin", 3),
    ],
)
def test_a_name_in_two_scripts_has_a_rank_in_either_order(one: str, other: str, rank: int) -> None:
    found = likeness(one, other)
    assert found
    assert found.rank == rank
    assert likeness(other, one) == found
    assert together(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Зеленська", "Zelensky"),
        ("محمود", "Mohammed"),
        ("Олег", "Olga"),
        ("Иран", "Iraq"),
        ("Анна Ли", "Ян Ли"),
        ("Иванов", "Evanson"),
        ("Мария", "Mario"),
        ("НАТО", "Nate"),
        ("عمر", "Amir"),
    ],
)
def test_two_names_in_two_scripts_stay_two(one: str, other: str) -> None:
    assert likeness(one, other) is None
    assert likeness(other, one) is None


def test_the_reason_says_how_the_names_differ_in_latin_letters() -> None:
    found = likeness("Зеленський", "Zelensky")
    assert found
    assert found.why == 'the same in Latin letters ("zelenskiy") but for iy/y'
    same = likeness("Иванов", "Ivanov")
    assert same
    assert same.why == "the same in Latin letters"
    arabic = likeness("صدام حسين", "Saddam Hussein")
    assert arabic
    assert arabic.why == (
        'the same consonants in Latin letters ("sdam hsyn"): Arabic writes no short vowels'
    )


@pytest.mark.parametrize("name", ["Orbán", "Łódź", "“Wagner”", "Ａ", "½", ""])
def test_a_name_in_latin_letters_stays_as_it_is(name: str) -> None:
    assert scripts.is_latin(name)
    assert scripts.latin(name) == name
