"""Small runs of the benchmarks that start servers and processes, so that they keep working."""

import re

import pytest

from benchmarks import console, load, memory, page, store_cost
from benchmarks.fuzz import __main__ as fuzz
from benchmarks.personal_data import __main__ as personal_data_command
from benchmarks.personal_data.invented import invented
from benchmarks.personal_data.searched import Places
from benchmarks.reliability import __main__ as reliability
from benchmarks.server.questions import real_questions
from tests.page_browser import CHROMIUM

WIDE = str.maketrans("０１２３４５６７８９", "0123456789")


def rows(capsys):
    """Return the rows of the printed table, without its head."""
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.slow
def test_load(capsys):
    assert load.main(["--stand-in", "--levels", "1", "3", "--seconds", "0.5"]) == 0
    one, three = rows(capsys)
    assert (one[0], three[0]) == ("1", "3")
    assert float(one[1]) > 0
    assert one[-1] == three[-1] == "0"


@pytest.mark.slow
def test_memory(capsys):
    memory.main(["--turns", "60", "--every", "10"])
    assert [row[0] for row in rows(capsys)] == list(memory.SMALL)


@pytest.mark.slow
def test_page(capsys, page_server):
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    few = ["--questions", "4", "--messages", "6"]
    assert page.main(["--url", page_server.url, *few]) == 0
    measured = dict(rows(capsys))
    assert len(measured) == 6
    assert re.match(r"\d+ ms, \d+ ms", measured["later visit: first paint, ready to type"])
    assert re.match(r"\d+ frames a second", measured["scrolling 6 messages"])


def test_a_slope_per_thousand_turns():
    slope, low, high = memory._slope([0, 500, 1000, 1500], [10, 11, 12, 13])
    assert (round(slope, 6), round(low, 6), round(high, 6)) == (2, 2, 2)


def test_store_cost(capsys):
    assert store_cost.main(["--stand-in", "--pairs", "4"]) == 0
    [[count, *_]] = rows(capsys)
    assert count == "4"


@pytest.mark.slow
def test_console(capsys):
    assert console.main(["--conversations", "60", "--only", "conversations"]) == 0
    pages = rows(capsys)
    assert {page for page, *_ in pages} == {"conversations"}
    assert all(float(median) < 5 for *_, median in pages)


@pytest.mark.slow
def test_fuzz(capsys):
    pytest.importorskip("schemathesis")
    fuzz.main(["--examples", "1", "--rounds", "no key", "--only", "/v1/feedback"])
    name, cases, errors, *_ = rows(capsys)[0]
    assert name == "no key"
    assert int(cases.replace(",", "")) > 10
    assert errors == "0"


@pytest.mark.slow
def test_personal_data(capsys):
    personal_data_command.main(["--texts", "36"])
    found = {row[0]: row for row in rows(capsys) if row[1] == "customers"}
    assert {"card", "iban", "email", "phone", "identity", "name", "address"} <= set(found)


def test_invented_numbers_have_valid_check_digits():
    from stdnum import iban, luhn
    from stdnum.iso7064 import mod_11_2

    plain = {"card": [], "iban": [], "identity": []}
    for text in invented(400):
        number = re.sub(r"[ -]", "", text.secret).translate(WIDE).upper()
        plain.get(text.kind, []).append(number)
    assert all(map(luhn.is_valid, plain["card"]))
    assert all(iban.is_valid(number, check_country=False) for number in plain["iban"])
    assert all(map(mod_11_2.is_valid, plain["identity"]))


def test_personal_data_is_found_however_it_is_written():
    card = next(text for text in invented(100) if text.kind == "card")
    digits = re.sub(r"\D", "", card.secret.translate(WIDE))
    spaced = " ".join(digits[n : n + 4] for n in range(0, len(digits), 4))
    places = {"plain": digits, "spaced": spaced, "part": digits[:10], "none": "[card]"}
    found = Places({name: text.encode() for name, text in places.items()}, [card]).search(card)
    assert found.whole == ("plain", "spaced")
    assert "part" in found.part
    assert "none" not in found.part


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["kills", "--count", "2"], ["writers", "--writes", "64", "--processes", "2"]]
)
def test_reliability(arguments):
    assert reliability.main(arguments) == 0


def test_crossings():
    assert reliability.main(["crossings", "--turns", "40"]) == 0


def test_real_questions_are_of_both_languages_in_turn():
    asked = real_questions(20)
    assert len(set(asked)) == 20
    assert [any("\u4e00" <= c <= "\u9fff" for c in text) for text in asked[:4]] == [False, True] * 2
    assert asked == real_questions(20)
    assert asked != real_questions(20, seed=1)
