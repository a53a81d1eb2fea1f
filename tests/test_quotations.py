"""Which sentences of passages a text quotes, however it sets them."""

import pytest

from knowledge.documents import Passage
from knowledge.retrieval.quotations import Quotations


def passage(text, lang="en", article="cards", heading=""):
    return Passage(article, lang, "Cards", heading, text, 0, len(text))


def quoted(text, *passages, lang="en"):
    """Return the article and the words of each sentence that a text quotes."""
    found = Quotations(passages).in_text(text, lang)
    return [(place.article, span.of(place.text)) for place, span in found]


CARDS = passage("A new card costs £5. It comes within 3 days.")
FEES = passage("Cash is free up to £200. Above that we charge 2 %.", article="fees")


def test_sentences_are_found_in_the_order_of_the_text_each_in_its_passage():
    text = "Above that we charge 2 %. Does that help? A new card costs £5."
    assert quoted(text, CARDS, FEES) == [
        ("fees", "Above that we charge 2 %."),
        ("cards", "A new card costs £5."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "A new card costs £6.",
        "A new card costs",
        "As you know, a new card costs £5.",
        "It comes within 3 days, and sometimes sooner.",
    ],
)
def test_other_words_and_parts_of_sentences_are_no_quotations(text):
    assert quoted(text, CARDS, FEES) == []
    assert quoted(text) == [], "without passages nothing is"


@pytest.mark.parametrize(
    "text",
    ["a new card costs £5.", "A NEW CARD COSTS £5.", "A  new card\u00a0costs £5.", "  A newcard costs £5.\n"],
)  # fmt: skip
def test_spaces_and_capitals_do_not_count(text):
    assert quoted(text, CARDS) == [("cards", "A new card costs £5.")]


def test_a_sentence_that_is_quoted_twice_is_found_once():
    assert quoted("A new card costs £5.\nA new card costs £5.", CARDS) == [
        ("cards", "A new card costs £5.")
    ]


def test_of_two_passages_with_the_same_sentence_the_first_is_meant():
    footer = passage("A new card costs £5.", article="footer")
    assert quoted("A new card costs £5.", CARDS, footer) == [("cards", "A new card costs £5.")]
    assert quoted("A new card costs £5.", footer, CARDS) == [("footer", "A new card costs £5.")]


STEPS = passage("To freeze it:\n\n1. Open the app. Wait for the list.\n2) Tap Freeze.\n- Done.")


def test_steps_of_lists_are_found_with_their_numbers_and_without():
    every = ["Open the app.", "Wait for the list.", "Tap Freeze."]
    expected = [("cards", step) for step in every]
    numbered = "1. Open the app. Wait for the list.\n2. Tap Freeze."
    assert quoted(numbered, STEPS) == expected
    assert quoted(" ".join(every), STEPS) == expected
    assert quoted("10. Tap Freeze.\n- Done.", STEPS) == [
        ("cards", "Tap Freeze."),
        ("cards", "Done."),
    ]


TABLE = "| Service | Standard | Plus |\n| --- | --- | --- |\n| Free cash | £200 | £600 |"
ROW = "| Free cash | £200 | £600 |"


@pytest.mark.parametrize("text", ["Free cash: Standard £200, Plus £600", ROW])
def test_a_row_of_a_table_is_found_as_it_reads_aloud_and_as_it_is_written(text):
    table = passage(f"Prices:\n\n{TABLE}")
    assert quoted(text, table) == [("cards", ROW)]
    assert quoted(f"It depends.\n{text}\nAnything else?", table) == [("cards", ROW)]


def test_neither_the_head_of_a_table_nor_a_row_with_other_names_is_a_quotation():
    table = passage(TABLE)
    assert quoted("| Service | Standard | Plus |\n| --- | --- | --- |", table) == []
    assert quoted("Free cash: Basic £200, Plus £600", table) == []
    assert quoted("Free cash: £200, £600", table) == []


def test_a_row_below_the_cut_of_a_long_table_has_the_names_of_its_heading():
    """A passage that begins within a table carries its head as the last heading."""
    rest = passage(ROW, heading="Prices > Service | Standard | Plus")
    assert quoted("Free cash: Standard £200, Plus £600", rest) == [("cards", ROW)]


def test_a_row_that_holds_full_stops_is_found_as_a_line():
    row = "| Opening | Mon. 9:00 | Tue. 10:00 |"
    hours = passage(f"| | North | South |\n| --- | --- | --- |\n{row}", article="hours")
    for number in ("", "2. "):
        text = f"{number}Opening: North Mon. 9:00, South Tue. 10:00"
        assert quoted(text, hours) == [("hours", row)], text


def test_a_line_is_found_in_the_order_of_the_text():
    row = "| Opening | Mon. 9:00 | Tue. 10:00 |"
    hours = passage(f"| | North | South |\n| --- | --- | --- |\n{row}", article="hours")
    text = "Opening: North Mon. 9:00, South Tue. 10:00\nA new card costs £5."
    assert [name for name, _ in quoted(text, CARDS, hours)] == ["hours", "cards"]


def test_nothing_quotes_an_empty_row():
    assert quoted("A new card costs £6.\n\nSorry.", passage("| A |\n| --- |\n| |")) == []


KARTE = passage(
    "补办一张卡收费 5 英镑。三天之内寄到！\n\n1. 打开应用。\n2. 点冻结。\n\n"
    "| 服务 | 标准 | 会员 |\n| --- | --- | --- |\n| 取现 | 200 英镑 | 600 英镑 |",
    "zh",
    heading="费用",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("三天之内寄到！补办一张卡收费 5 英镑。", ["三天之内寄到！", "补办一张卡收费 5 英镑。"]),
        ("补办一张卡收费5英镑。", ["补办一张卡收费 5 英镑。"]),
        ("1. 打开应用。\n2. 点冻结。", ["打开应用。", "点冻结。"]),
        ("取现：标准 200 英镑，会员 600 英镑", ["| 取现 | 200 英镑 | 600 英镑 |"]),
        ("补办一张卡收费 6 英镑。", []),
    ],
)
def test_chinese_is_found_too(text, found):
    assert quoted(text, KARTE, lang="zh") == [("cards", sentence) for sentence in found]
