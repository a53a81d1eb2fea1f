"""What a sentence claims: its values with their units, clause by clause, and what they belong to.

"$5 in 5 days and $15 in 2" holds four values, and "$5 in 2 days" takes two of them that do not
belong together. A value belongs to the clause that it stands in, or, where that names nothing, to
the clause before.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from knowledge.segmenter import words

# A value: what kind of thing it measures, its number or name, and its unit.
Value = tuple[str, str, str]

NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "fifteen": "15",
    "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90",
    "hundred": "100", "thousand": "1000", "half": "0.5",
}  # fmt: skip
_HAN_DIGITS = {d: n for n, d in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
# Before a unit of time, money or count; "一起" and "万一" are no numbers.
HAN_NUMBER = re.compile(
    r"[零一二三四五六七八九两十百千万]+(?=\s*(?:个|天|日|周|年|小时|分钟|次|张|笔|英镑|欧元|美元|元|岁|位|台|本|件|公斤|折|倍))"
)
_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
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
# "Closed" says no to "open".
_OPPOSITES = (
    ("open", "clos"), ("before", "after"), ("up to", "above"), ("under", "over"),
    ("开门", "休息"), ("免费", "收费"), ("以上", "以下"), ("之前", "之后"),
)  # fmt: skip
# Commas inside numbers cut nothing. "And" cuts only between two values, see ``clauses``.
_CUT = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;—，；、。：]|(?<!\d)\.(?!\d)|\.$|\s-\s")
_UNITS = frozenset(words("second minute hour day week month year night time"))
# Words that say nothing of what a value belongs to.
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


def plain(text: str) -> str:
    """Return a text with one spelling for its numbers: "two" and "两天" become digits."""
    text = text.lower().replace("\u00a0", " ").replace("\u2019", "'")
    text = re.sub(r"[a-z]+", lambda m: NUMBER_WORDS.get(m.group(), m.group()), text)
    text = HAN_NUMBER.sub(lambda m: str(han_number(m.group())), text)
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)


def han_number(numeral: str) -> int:
    """Return what a Chinese numeral up to 99,999,999 stands for."""
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
    """Return the values of a text: amounts, shares, times, durations, weekdays, other numbers."""
    text = plain(text)
    found: set[Value] = {("money", "0", "") for _ in _FREE.finditer(text)}
    found |= {("weekday", m.group(1) or m.group(2), "") for m in _DAY.finditer(text)}
    taken: list[tuple[int, int]] = []

    def take(pattern: str | re.Pattern[str]) -> "list[re.Match[str]]":
        matches = [
            m
            for m in re.finditer(pattern, text)
            if not any(m.start() < end and start < m.end() for start, end in taken)
        ]
        taken.extend(m.span() for m in matches)
        return matches

    for m in take(rf"([£€$¥])\s?({_NUMBER})"):
        found.add(("money", _digits(m.group(2)), _MONEY[m.group(1)]))
    for m in take(_MONEY_WORDS):
        unit = next(n for n, held in zip(_MONEY_NAMES, m.groups()[1:], strict=True) if held)
        found.add(("money", _digits(m.group(1)), unit))
    for m in take(rf"({_NUMBER})\s?%"):
        found.add(("share", _digits(m.group(1)), "%"))
    for m in take(r"(\d{1,2}):(\d\d)(?!\d)"):
        found.add(("clock", f"{int(m.group(1))}:{m.group(2)}", ""))
    for m in take(_DURATION):
        unit = _SAME_UNIT.get(m.group(2), m.group(2))
        found.add(("duration", _digits(m.group(1)), unit))
    for m in take(rf"({_NUMBER})"):
        after = re.match(r"\s*([a-z]+|[\u4e00-\u9fff])?", text[m.end() :])
        unit = (after.group(1) or "") if after else ""
        found.add(("count", _digits(m.group(1)), "" if unit in GENERIC else unit.rstrip("s")))
    return found


def _digits(number: str) -> str:
    number = number.replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def same_value(claimed: Value, written: Value) -> bool:
    """Tell whether two values agree; a count may be named by another word."""
    if claimed[:2] != written[:2]:
        return False
    return claimed[0] == "count" or claimed[2] == written[2]


def are_among(claimed: set[Value], written: set[Value]) -> bool:
    """Tell whether each of some values agrees with one of others."""
    return all(any(same_value(value, other) for other in written) for value in claimed)


def are_rivals(one: Value, other: Value) -> bool:
    """Tell whether two values answer the same question differently."""
    if one[0] != other[0] or one[:2] == other[:2]:
        return False
    return one[0] != "count" or one[2] == other[2]


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence with what it inherits from the piece before."""

    text: str
    before: "Clause | None" = None

    @cached_property
    def values(self) -> set[Value]:
        """What stands in the clause itself."""
        return values(self.text)

    @cached_property
    def own(self) -> set[str]:
        """The words and numbers that say what the clause's values belong to."""
        found = content(self.text)
        named = {w for w in found if not w[0].isdigit() and w[0] != "/" and w not in _UNITS}
        return found if named or not self.before else found | self.before.own

    @cached_property
    def negated(self) -> bool:
        """Whether the clause says no."""
        return is_negated(self.text)


def is_negated(text: str) -> bool:
    """Tell whether a text says no; "no fee" counts as a value, not as a no."""
    return bool(_NEGATION.search(_FREE.sub(" ", plain(text))))


def are_opposed(claim: str, written: str) -> bool:
    """Tell whether a claim says "open" where "closed" is written, or the other way round."""
    claim, written = (_FREE.sub(" 免费 ", plain(text)) for text in (claim, written))
    return any(
        (a in claim) != (b in claim)
        and (a in written) != (b in written)
        and (a in claim) != (a in written)
        for a, b in _OPPOSITES
    )


def content(text: str) -> set[str]:
    """Return a text's content words and numbers; of Chinese, pairs of characters."""
    text = plain(text)
    periods = {f"/{m.group(1)}" for m in _PERIOD.finditer(text)}
    kept = {
        word
        for word in words(text)
        if word not in GENERIC and not (len(word) == 1 and "\u4e00" <= word <= "\u9fff")
    }
    return kept | periods


def subjects(text: str) -> set[str]:
    """Return a text's content words without its numbers."""
    return {word for word in content(text) if not word[0].isdigit()}


def clauses(sentence: str) -> list[Clause]:
    """Cut a sentence into clauses, each knowing the one before."""
    pieces, start = [], 0
    for cut in _CUT.finditer(sentence):
        pieces.append(sentence[start : cut.start()])
        start = cut.end()
    pieces.append(sentence[start:])
    found: list[Clause] = []
    for piece in pieces:
        for part in _between_values(piece):
            if part.strip():
                found.append(Clause(part.strip(), found[-1] if found else None))
    return found


def _between_values(piece: str) -> list[str]:
    """Cut at "and" and its like where values stand on both sides."""
    for joint in re.finditer(r"\s(?:and|but|or|while|then)\s|和|或", piece):
        left, right = piece[: joint.start()], piece[joint.end() :]
        if values(left) and values(right):
            return [*_between_values(left), *_between_values(right)]
    return [piece]
