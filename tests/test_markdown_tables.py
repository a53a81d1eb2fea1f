"""Rows of Markdown tables, and how they read aloud."""

import pytest

from knowledge.markdown_tables import asked_columns, header_of, read_row
from knowledge.segmenter import sentences

TABLE = (
    "Prices:\n\n| Service | Standard | Plus |\n| --- | --- | --- |\n| Cash | £200 | £600 |\nMore."
)


def test_a_row_is_a_sentence_and_a_header_is_not():
    texts = [span.of(TABLE) for span in sentences(TABLE, "en")]
    assert texts == ["Prices:", "| Cash | £200 | £600 |", "More."]


@pytest.mark.parametrize(
    ("row", "header", "spoken"),
    [
        (
            "| Cash | £200 | £600 |",
            ["Service", "Standard", "Plus"],
            "Cash: Standard £200, Plus £600",
        ),
        ("| Spare card | £5 |", ["Service", "Fee"], "Spare card: Fee £5"),
        (
            "| 取现 | 200 英镑 | 600 英镑 |",
            ["服务", "标准", "会员"],
            "取现：标准 200 英镑，会员 600 英镑",
        ),
        ("| Sales | 12,000 |", ["", "£"], "Sales: £12,000"),
        ("| Rate | 14.5% |", ["", "£"], "Rate: 14.5%"),
        ("| alone |", [], "alone"),
        ("| Cash | | £600 |", ["Service", "Standard", "Plus"], "Cash: Plus £600"),
        ("| Cash | £200 |", ["Service", "Standard", "Plus"], "Cash: £200"),
        ("| Cash | | |", ["Service", "Standard", "Plus"], "Cash"),
    ],
    ids=str,
)
def test_a_row_reads_aloud(row, header, spoken):
    assert read_row(row, header) == spoken


def test_a_header_belongs_to_the_table_of_the_row():
    assert header_of(TABLE, TABLE.index("| Cash")) == ["Service", "Standard", "Plus"]
    assert header_of(TABLE, TABLE.index("More")) == []
    assert header_of("| no | head |\n| a | b |", 14) == []


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("how much cash is free with plus?", "Cash: Plus £600"),
        ("plus or standard, which gives more", "Cash: Standard £200, Plus £600"),
        ("how much cash is free", "Cash: Standard £200, Plus £600"),
        ("is a surplus standardised", "Cash: Standard £200, Plus £600"),
    ],
)
def test_a_question_names_the_columns_that_are_read(asked, spoken):
    assert read_row("| Cash | £200 | £600 |", ["", "Standard", "Plus"], asked) == spoken


def test_a_word_that_all_columns_share_names_none():
    columns = ["Business Start", "Business Pro"]
    assert asked_columns(columns, "what does a business account cost") == columns
    assert asked_columns(columns, "what does business pro cost") == ["Business Pro"]
    assert asked_columns(["标准账户", "会员账户"], "会员多少钱") == ["会员账户"]
