"""Parses a sentence into clauses, and each clause into values and the words they refer to.

"$5 in 5 days and $15 in 2" has four values. "$5 in 2 days" combines two of them that do not belong
together. A value refers to the words of its own clause or, if that clause names nothing, to those
of the previous clause.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from knowledge.segmenter import words

# The kind of quantity, the number or name, and the unit.
Value = tuple[str, str, str]

NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90",
    "hundred": "100", "thousand": "1000", "half": "0.5",
}  # fmt: skip
_HAN_DIGITS = {d: n for n, d in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
_HAN = re.compile(r"[\u4e00-\u9fff]")
# Only before a unit of time, money or count: "一起" and "万一" are not numbers.
HAN_NUMBER = re.compile(
    r"[零一二三四五六七八九两十百千万]+(?=\s*(?:个|天|日|周|年|小时|分钟|次|张|笔|英镑|欧元|美元|元|岁|位|台|本|件|公斤|折|倍))"
)
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
# A longer number is a telephone's or an order's, which counts nothing.
_LONGEST_COUNT = 4
_TELEPHONE_START = re.compile(r"\d{3}-$")
_MONEY = {"£": "pounds", "€": "euros", "$": "dollars", "¥": "yuan"}
_MONEY_WORDS = re.compile(
    rf"({_NUMBER})\s*(?:(pounds?|gbp|英镑)|(euros?|eur|欧元)|(dollars?|usd|美元)|(yuan|rmb|cny|元|块)|(p|pence)\b)"
)
_MONEY_NAMES = ("pounds", "euros", "dollars", "yuan", "pence")
_DURATION = re.compile(
    rf"({_NUMBER})\s*(?:full\s+|working\s+|business\s+|calendar\s+)?(?:个)?\s*"
    r"(second|minute|min|hour|day|week|month|year|秒|分钟|小时|工作日|天|日|周|星期|月|年)(?![a-rt-z])"
)
_SAME_UNIT = {"min": "minute", "分钟": "minute", "小时": "hour", "工作日": "day", "天": "day",
              "日": "day", "周": "week", "星期": "week", "月": "month", "年": "year",
              "秒": "second"}  # fmt: skip
_DAY = re.compile(r"\b(mon|tues|wednes|thurs|fri|satur|sun)days?\b|(?:周|星期)([一二三四五六日天])")
_FREE = re.compile(
    r"\b(?:no|without(?: a| any)?)\s+(?:extra |further )?(?:fee|charge|cost)s?\b|\bfor nothing\b|"
    r"\bfree\b(?! of mind)|免费|不收费|不收手续费|不要钱|不收钱|\bincluded\b"
)
_PERIOD = re.compile(r"\b(?:a|per|each|every)\s+(second|minute|hour|day|week|month|year|night)\b")
_NEGATION = re.compile(
    r"\b(not|no|never|cannot|nobody|nothing|neither|nor|without|none)\b|n['\u2019]t\b|不|没|无|未|别|勿",
    re.IGNORECASE,
)
# The words of a pair deny each other.
_OPPOSITES = (
    ("open", "clos"), ("before", "after"), ("up to", "above"), ("under", "over"),
    ("cost", "limit"), ("fee", "limit"), ("charge", "limit"),
    ("开门", "休息"), ("免费", "收费"), ("以上", "以下"), ("之前", "之后"),
    ("收费", "限额"), ("费用", "限额"), ("手续费", "限额"),
)  # fmt: skip
# A comma inside a number is no boundary. For "and" see ``_split_between_values``.
_CUT = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;—，；、。：]|(?<!\d)\.(?!\d)|\.$|\s-\s")
_UNITS = frozenset(words("second minute hour day week month year night time"))
# Words that do not show what a value refers to.
GENERIC = frozenset(
    words(
        "a an the and or but if then so to of in on at by for from with as is are was were be been "
        "being it its this that these those you your yours we our us i me my they their he she do "
        "does did can could may might will would shall should must has have had not no yes there "
        "here when where which who what how any all each up out also only just than too very about "
        "cost price pay fee charge take more less most extra until within get "
        "working business per every pound gbp euro eur dollar usd yuan rmb £ € $ ¥ %"
    )
) | set("的了和与或在是我您你们它这那个也都就可以会要请为把被从到于有元每"
        ) | {"费用", "收费", "多少", "需要", "可以", "英镑", "不收", "免费"}  # fmt: skip


def normalise(text: str) -> str:
    """Return a text in lower case with its numbers as digits: "two" as "2", "两天" as "2天"."""
    text = text.lower().replace("\u00a0", " ").replace("\u2019", "'")
    text = re.sub(r"[a-z]+", lambda m: NUMBER_WORDS.get(m.group(), m.group()), text)
    text = HAN_NUMBER.sub(lambda m: str(han_number(m.group())), text)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)


def han_number(numeral: str) -> int:
    """Return the value of a Chinese numeral, up to 99,999,999."""
    total = section = digit = 0
    for character in numeral:
        if character in _HAN_DIGITS:
            digit = _HAN_DIGITS[character]
            continue
        unit = _HAN_UNITS[character]
        if character == "万":
            total, section, digit = (total + section + digit) * unit, 0, 0
        else:
            section, digit = section + (digit or 1) * unit, 0
    return total + section + digit


def values(text: str) -> set[Value]:
    """Return the amounts, percentages, times, durations, weekdays and other numbers of a text."""
    text = normalise(text)
    parsed: set[Value] = {("money", "0", "") for _ in _FREE.finditer(text)}
    parsed |= {("weekday", m.group(1) or m.group(2), "") for m in _DAY.finditer(text)}
    return parsed | {value for value, _, _ in numbers(text)}


def numbers(text: str) -> list[tuple[Value, int, int]]:
    """Return the amounts, percentages, times, durations and other numbers of a text.

    Args:
        text: A text as ``normalise`` returns it.

    Returns:
        Each value with the range of its characters, by its kind.
    """
    parsed: list[tuple[Value, int, int]] = []
    for pattern, value_of in _VALUE_PATTERNS:
        matches = [
            m
            for m in pattern.finditer(text)
            if not any(m.start() < end and start < m.end() for _, start, end in parsed)
        ]
        parsed += [(value_of(m), *m.span()) for m in matches]
    return parsed


def _symbol_amount(m: re.Match[str]) -> Value:
    return "money", _digits(m.group(2)), _MONEY[m.group(1)]


def _word_amount(m: re.Match[str]) -> Value:
    number, *currencies = m.groups()
    unit = next(name for name, word in zip(_MONEY_NAMES, currencies, strict=True) if word)
    return "money", _digits(number), unit


def _percentage(m: re.Match[str]) -> Value:
    return "share", _digits(m.group(1)), "%"


def _time_of_day(m: re.Match[str]) -> Value:
    return "clock", f"{int(m.group(1))}:{m.group(2)}", ""


def _duration(m: re.Match[str]) -> Value:
    return "duration", _digits(m.group(1)), _SAME_UNIT.get(m.group(2), m.group(2))


def _count(m: re.Match[str]) -> Value:
    # What stands behind a telephone number is not counted: "0551-5550-0199订".
    if len(m.group(1)) > _LONGEST_COUNT or _TELEPHONE_START.search(m.string[: m.start()]):
        return "count", _digits(m.group(1)), ""
    after = re.match(r"\s*([a-z]+|[\u4e00-\u9fff])?", m.string[m.end() :])
    unit = (after.group(1) or "") if after else ""
    return "count", _digits(m.group(1)), "" if unit in GENERIC else unit.rstrip("s")


# A piece of text counts once, for the first pattern that matches it.
_VALUE_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Value]], ...] = (
    (re.compile(rf"([£€$¥])\s?({_NUMBER})"), _symbol_amount),
    (_MONEY_WORDS, _word_amount),
    (re.compile(rf"({_NUMBER})\s?%"), _percentage),
    (re.compile(r"(\d{1,2}):(\d\d)(?!\d)"), _time_of_day),
    (_DURATION, _duration),
    (re.compile(rf"({_NUMBER})"), _count),
)


def _digits(number: str) -> str:
    number = number.replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def same_value(claimed: Value, written: Value) -> bool:
    """Return whether two values agree.

    For counts, the nouns may differ, unless both are Chinese: there what is counted stands right
    behind the number.
    """
    if claimed[:2] != written[:2]:
        return False
    if claimed[0] == "count" and not (_HAN.match(claimed[2]) and _HAN.match(written[2])):
        return True
    return claimed[2] == written[2]


def are_among(claimed: set[Value], written: set[Value]) -> bool:
    """Return whether each claimed value agrees with a written one."""
    return all(any(same_value(value, other) for other in written) for value in claimed)


def are_rivals(one: Value, other: Value) -> bool:
    """Return whether two values are of the same kind, and counts of the same noun, but differ."""
    if one[0] != other[0] or one[:2] == other[:2]:
        return False
    return one[0] != "count" or one[2] == other[2]


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence, with a link to the previous one."""

    text: str
    previous: "Clause | None" = None

    @cached_property
    def values(self) -> set[Value]:
        """The values of this clause alone."""
        return values(self.text)

    @cached_property
    def subject(self) -> set[str]:
        """The words and numbers that show what the clause's values refer to.

        They include those of the previous clause if this one has only numbers and units.
        """
        content = content_words(self.text)
        naming = {w for w in content if not w[0].isdigit() and w[0] != "/" and w not in _UNITS}
        return content if naming or not self.previous else content | self.previous.subject

    @cached_property
    def negated(self) -> bool:
        """Whether the clause is negated."""
        return is_negated(self.text)


def is_negated(text: str) -> bool:
    """Return whether a text is negated. "No fee" is a value of 0, not a negation."""
    return bool(_NEGATION.search(_FREE.sub(" ", normalise(text))))


def are_opposed(claim: str, written: str) -> bool:
    """Return whether the texts differ in a pair of opposites, as in "open" and "closed"."""
    claim, written = (_FREE.sub(" 免费 ", normalise(text)) for text in (claim, written))
    return any(
        (a in claim) != (b in claim)
        and (a in written) != (b in written)
        and (a in claim) != (a in written)
        for a, b in _OPPOSITES
    )


def content_words(text: str) -> set[str]:
    """Return a text's content words, numbers and periods.

    Chinese words are pairs of characters. A period has a slash: "a month" gives "/month".
    """
    text = normalise(text)
    periods = {f"/{m.group(1)}" for m in _PERIOD.finditer(text)}
    content = {
        word
        for word in words(text)
        if word not in GENERIC and not (len(word) == 1 and "\u4e00" <= word <= "\u9fff")
    }
    return content | periods


def subject_words(text: str) -> set[str]:
    """Return a text's content words without its numbers."""
    return {word for word in content_words(text) if not word[0].isdigit()}


def clauses(sentence: str) -> list[Clause]:
    """Split a sentence into clauses, each linked to the previous one."""
    pieces, start = [], 0
    for cut in _CUT.finditer(sentence):
        pieces.append(sentence[start : cut.start()])
        start = cut.end()
    pieces.append(sentence[start:])
    linked: list[Clause] = []
    for piece in pieces:
        for part in _split_between_values(piece):
            if part.strip():
                linked.append(Clause(part.strip(), linked[-1] if linked else None))
    return linked


def _split_between_values(piece: str) -> list[str]:
    """Split at a conjunction that has values on both sides."""
    for joint in re.finditer(r"\s(?:and|but|or|while|then)\s|和|或", piece):
        left, right = piece[: joint.start()], piece[joint.end() :]
        if values(left) and values(right):
            return [*_split_between_values(left), *_split_between_values(right)]
    return [piece]
