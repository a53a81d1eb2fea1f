"""Figures that people type: each is read, and those that no article supports are found."""

import time

import pytest

from assistant.config import BANK
from assistant.grounding.figures import figures_of
from assistant.grounding.known_figures import KnownFigures
from assistant.proofread import main
from knowledge.build_index import current_articles
from knowledge.documents import Article


class Folder:
    def __init__(self, articles):
        self.articles, self.generation, self.reads = articles, "1", 0

    def versions(self):
        return {"index": self.generation}

    def valid_articles(self):
        self.reads += 1
        return self.articles


@pytest.fixture(scope="module")
def bank():
    return KnownFigures(Folder(current_articles(BANK)))


def article(text, lang="en"):
    return Article("a", "A title", lang, text, "a.md")


@pytest.mark.parametrize(
    ("text", "typed", "value"),
    [
        ("costs £15", "£15", ("money", "15", "pounds")),
        ("GBP 15.00 or", "GBP 15.00", ("money", "15", "pounds")),
        ("twenty-five pounds", "twenty-five pounds", ("money", "25", "pounds")),
        ("收费十五英镑", "十五英镑", ("money", "15", "pounds")),
        ("要15块钱", "15块", ("money", "15", "yuan")),
        ("１５％", "１５％", ("share", "15", "%")),
        ("百分之五", "百分之五", ("share", "5", "%")),
        ("2.5 per cent", "2.5 per cent", ("share", "2.5", "%")),
        ("in 5 working days.", "5 working days", ("duration", "5", "day")),
        ("两天内", "两天", ("duration", "2", "day")),
        ("by 3pm", "3pm", ("clock", "15:00", "")),
        ("by 12 a.m.", "12 a.m.", ("clock", "0:00", "")),
        ("下午三点半", "下午三点半", ("clock", "15:30", "")),
        ("on 24 December 2026", "24 December 2026", ("date", "12-24", "2026")),
        ("on Dec 24th", "Dec 24th", ("date", "12-24", "")),
        ("2026-12-24", "2026-12-24", ("date", "12-24", "2026")),
        ("12月24日", "12月24日", ("date", "12-24", "")),
        ("1,000.50 euros", "1,000.50 euros", ("money", "1000.5", "euros")),
    ],
)
def test_a_figure_is_read_where_it_was_typed(text, typed, value):
    (figure,) = figures_of(text)
    assert (figure.text, figure.value) == (typed, value)
    assert text[figure.start : figure.end] == typed


def test_words_without_figures_have_none():
    assert figures_of("One of us may help you, 一起想办法，万一不行再说") == []


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("A new card costs £15.", ["£15"]),
        ("A new card costs £12.34.", ["£12.34"]),
        ("A replacement card costs £5 and comes within 5 working days.", []),
        ("Express delivery of a card costs £15.", []),
        ("Lantern Plus costs £6 a month.", []),
        ("Lantern Plus costs $6 a month.", ["$6"]),
        ("新卡收费 15 英镑。", ["15 英镑"]),
        ("补卡收费 5 英镑，5 个工作日内送达。", []),
        ("卡片加急寄送收 15 英镑。", []),
        ("补卡收费 12.34 英镑。", ["12.34 英镑"]),
        ("Hello, how can I help you?", []),
    ],
)
def test_what_no_article_supports_is_found_in_both_languages(bank, text, figures):
    assert [doubt.figure.text for doubt in bank.doubts(text)] == figures


def test_where_a_figure_stands_is_said(bank):
    (elsewhere,) = bank.doubts("A new card costs £15.")
    assert elsewhere.nearest.sentence == "Express delivery of a card: £15"
    (nowhere,) = bank.doubts("A new card costs £12.34.")
    assert nowhere.nearest is None


def test_what_only_the_other_language_has_is_supported():
    known = KnownFigures(Folder([article("信件收费 3 英镑。", "zh")]))
    assert known.doubts("A letter costs £3.") == []
    assert [d.figure.text for d in known.doubts("A letter costs £4.")] == ["£4"]


def test_articles_are_read_once_for_each_generation():
    folder = Folder([article("A letter costs £3.")])
    known = KnownFigures(folder)
    for _ in range(3):
        assert [d.figure.text for d in known.doubts("A letter costs £4.")] == ["£4"]
    assert folder.reads == 1
    folder.articles, folder.generation = [article("A letter costs £4.")], "2"
    assert known.doubts("A letter costs £4.") == []
    assert folder.reads == 2


def test_a_check_takes_less_than_a_tenth_of_a_second(bank):
    bank.doubts("£1")
    text = ("A new card costs £15, or £5; 5 working days. By 3pm on 24 December. " * 60)[:4000]
    start = time.process_time()
    bank.doubts(text)
    assert time.process_time() - start < 0.1


def test_the_command(capsys):
    assert main(["A new card costs £12.34"]) == 1
    assert capsys.readouterr().out == "£12.34 stands in no article.\n"
    assert main(["A replacement card costs £5"]) == 0
    assert main(["--json", "新卡收费 15 英镑"]) == 1
    assert '"figure": "15 英镑"' in capsys.readouterr().out
    assert main(["--knowledge", "/nowhere", "x"]) == 2
