"""Finds figures that contradict each other: two articles say the same with different figures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from knowledge.article_checks import FIGURE, Finding
from knowledge.documents import Article
from knowledge.markdown_tables import is_row
from knowledge.segmenter import LEANING, sentences, words
from knowledge.similarity_checks import by_language

# Two sentences say the same if they share this many words, and this share of all their words.
# Vectors do not tell: "You can send up to £10 a day" is close to "You can take out up to £5 a day".
LEAST_WORDS, SAME_WORDS = 3, 0.6
# Sentences that are compared with all others at a time, which limits memory.
BLOCK = 512

# Words that do not show what a sentence or a title is about.
_GENERAL = frozenset(
    words(
        "a an the of to in on at by for from with and or is are be it its this that you your we "
        "our us how what when where which who if as do does can will not no up per each every "
        "within about after before until least most than all"
    )
)
_TIMES = frozenset(words("working business second minute hour day week month year"))
_CURRENCIES = {
    "£": ("pound", "gbp", "镑", "英镑"),
    "€": ("euro", "eur", "欧元"),
    "$": ("dollar", "usd", "美元"),
    "¥": ("yuan", "rmb", "cny", "元", "块", "人民币"),
}
_SIGNS = {word: sign for sign, names in _CURRENCIES.items() for word in names}
# What stands between the two numbers of a range, whose unit is behind the second one.
_RANGE = re.compile(r"\s?(?:to|or|and|[-–—~～至到或])\s?")
# Chinese has no space after a unit, so that the figure's unit has the words behind it, too.
_CHINESE_UNIT = re.compile(
    r"个?(?:工作日|自然日|英镑|欧元|美元|人民币|分钟|小时|星期|[\u4e00-\u9fff])"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with figures.

    Attributes:
        article: The article that it is from.
        sentence: Its text.
        words: The words that show what it is about.
        figures: The numbers of each unit; a number without any unit does not count.
    """

    article: Article
    sentence: str
    words: frozenset[str]
    figures: dict[str, set[str]]

    @classmethod
    def of(cls, article: Article, sentence: str) -> "Statement":
        """Read a sentence of an article."""
        bare = FIGURE.sub(lambda match: _after_unit(match["unit"] or ""), sentence)
        return cls(article, sentence, subject_words(bare), figures_by_unit(sentence))


def contradictions(articles: Sequence[Article]) -> Iterator[Finding]:
    """Yield pairs of sentences of two articles in one language that differ in figures alone.

    Left out are rows of tables, which mean nothing without the table's header, and sentences that
    depend on the one before them: "Above that we charge 2 %" can be about anything.
    """
    for group in by_language(articles):
        stated = [
            Statement.of(article, sentence)
            for article in group
            for span in sentences(article.text, article.lang)
            if not is_row(sentence := span.of(article.text))
            and not sentence.lower().startswith(LEANING)
        ]
        stated = [statement for statement in stated if statement.figures]
        for first, second in _nearly_same(stated):
            if contradict(stated[first], stated[second]):
                yield _finding(stated[first], stated[second])


def contradict(first: Statement, second: Statement) -> bool:
    """Return whether two sentences that say the same differ in figures of one unit.

    They have figures of the same units, and of one unit each has a number that the other lacks:
    "5 days" and "5 to 10 days" may both be true.
    """
    if first.article.path == second.article.path or _have_own_subjects(first, second):
        return False
    ours, theirs = first.figures, second.figures
    return ours.keys() == theirs.keys() and any(
        ours[unit] - theirs[unit] and theirs[unit] - ours[unit] for unit in ours
    )


def figures_by_unit(sentence: str) -> dict[str, set[str]]:
    """Return the numbers of a text by unit: a currency, "%", ":" for a time, or a word.

    "£1,000" and "1000 pounds" are the same: ``{"£": {"1000"}}``. Numbers without unit are left out.
    """
    found: dict[str, set[str]] = {}
    unit, start = "", len(sentence)
    for match in reversed(list(FIGURE.finditer(sentence))):
        if ":" in match["number"] or not _RANGE.fullmatch(sentence, match.end("number"), start):
            unit = _unit(match)
        unit = unit or (match["money"] or "").strip()
        start = match.start()
        if unit:
            found.setdefault(unit, set()).add(_plain(match["number"]))
    return found


def _plain(number: str) -> str:
    """Return a number as it is compared: "1,000.00" as "1000", "09:00" as "9:00"."""
    number = number.replace(",", "")
    if re.fullmatch(r"\d+\.\d+", number):
        number = number.rstrip("0").rstrip(".")
    return number.removeprefix("0") if ":" in number else number


def _unit(match: re.Match[str]) -> str:
    if ":" in match["number"]:
        return ":"
    unit = (match["money"] or match["unit"] or "").strip().lower()
    if chinese := _CHINESE_UNIT.match(unit):
        unit = chinese.group().removeprefix("个")
    unit = unit.removesuffix("s")
    return "" if unit in _GENERAL else _SIGNS.get(unit, unit)


def _after_unit(text: str) -> str:
    chinese = _CHINESE_UNIT.match(text)
    return text[chinese.end() :] if chinese else ""


def subject_words(text: str) -> frozenset[str]:
    """Return the words that show what a text is about; in Chinese, pairs of characters."""
    return frozenset(
        word
        for word in words(text)
        if word not in _GENERAL | _TIMES
        and not (len(word) == 1 and not word.isascii())
        and not word[0].isdigit()
    )


def _have_own_subjects(first: Statement, second: Statement) -> bool:
    """Return whether each sentence is about the subject of its own article.

    "The visit takes 30 minutes" may differ between "Register a birth" and "Register a death". A
    sentence about births may not: both name what only one of the titles names.
    """
    ours, theirs = (subject_words(statement.article.title) for statement in (first, second))
    are_parallel = ours & theirs and ours - theirs and theirs - ours
    return bool(are_parallel) and not (ours ^ theirs) & first.words & second.words


def _nearly_same(stated: Sequence[Statement]) -> Iterator[tuple[int, int]]:
    """Yield the places of each two sentences that say the same, the first one first."""
    table = _words_of(stated)
    counts = np.array([len(statement.words) for statement in stated])
    for start in range(0, len(stated), BLOCK):
        rows = slice(start, start + BLOCK)
        shared = (table[rows] @ table.T).toarray()
        total = counts[rows, None] + counts - shared
        near = (shared >= LEAST_WORDS) & (shared >= SAME_WORDS * total)
        for row, second in np.argwhere(near):
            if start + row < second:
                yield int(start + row), int(second)


def _words_of(stated: Sequence[Statement]) -> Any:
    """Return a sparse matrix of ones, a row for each sentence and a column for each word."""
    from scipy.sparse import csr_matrix

    columns: dict[str, int] = {}
    places = [columns.setdefault(word, len(columns)) for s in stated for word in sorted(s.words)]
    starts = np.cumsum([0, *(len(statement.words) for statement in stated)])
    shape = (len(stated), max(1, len(columns)))
    return csr_matrix((np.ones(len(places), dtype=np.float32), places, starts), shape=shape)


def _finding(first: Statement, second: Statement) -> Finding:
    message = f"“{first.sentence}” against “{second.sentence}”"
    return Finding("contradiction", (first.article.path, second.article.path), message)
