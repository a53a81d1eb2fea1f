"""Validates messages, detects prompt injection and masks personal data."""

import re
import unicodedata
from collections.abc import Callable

from assistant.errors import InvalidMessageError

# Prompt injection cannot change what a reply says, since replies come from the articles alone. It
# is refused so that the customer knows.
_INJECTION = re.compile(
    r"""
    \b(ignore|disregard|forget|override)\b.{0,40}\b(instructions?|prompts?|rules|above|previous)\b
    | \b(reveal|show|print|repeat|leak)\b.{0,30}\b(system\s+prompt|your\s+(prompt|instructions))\b
    | \byou\s+are\s+now\b.{0,60}\b(dan|assistant|bot|ai|pirate|unrestricted|jailbroken)\b
    | \b(pretend|act)\b.{0,30}\b(no\s+(rules|restrictions)|unrestricted|jailbroken)\b
    | <\|?\s*(im_start|im_end|system|endoftext)\s*\|?>
    | (忽略|无视|忘记|忘掉|绕过).{0,12}(指令|指示|规则|提示词?|设定|要求)
    | (显示|告诉我|输出|泄露|重复).{0,10}(系统提示|提示词|系统指令)
    | 你现在是.{0,12}(不受限|没有限制|无限制|黑客)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# The blocks of emoji, without question and exclamation marks. The standard library names no emoji.
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23fa\u2600-\u2752\u2758-\u27bf\u2b50\u2b55\U0001f000-\U0001faff]"
)
# Chinese stands beside a number without a space, so a boundary is one of Latin letters and digits.
_EMAIL = re.compile(r"[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
_IBAN = re.compile(
    r"(?<![a-z0-9])[a-z]{2}[ .-]?\d{2}(?:[ .-]?[a-z0-9]){11,36}(?![a-z0-9])", re.IGNORECASE
)
_DIGITS = re.compile(r"(?<![a-z0-9_.])\d(?:[ -]?\d){11,18}(?![a-z0-9_])", re.IGNORECASE)
_IDENTITY = re.compile(
    r"(?<![a-z0-9_.])\d(?:[ -]?\d){16}[ -]?[\dx](?![a-z0-9_])", re.IGNORECASE | re.ASCII
)
# Accounts have no check digit that anybody can test, so the words before them tell.
_ACCOUNT = re.compile(
    r"(sort[ -]?code\W{0,3}(?:is|number|no)?\W{0,3})\d\d[ -]?\d\d[ -]?\d\d(?!\d)"
    r"|(\bacc(?:oun)?t\W{0,2}(?:is|number|no|num)?\W{0,3}(?:is)?\W{0,2})\d{8}(?!\d)"
    r"|(账[号户]\W{0,2}(?:是|为)?\W{0,2})\d(?:[ -]?\d){9,21}(?!\d)",
    re.IGNORECASE,
)
_SORT_CODE_WITH_ACCOUNT = re.compile(r"(?<!\d)\d\d-\d\d-\d\d\W{1,3}\d{8}(?!\d)")
# Full-width letters, digits and what joins them, as Chinese keyboards type them.
_FULL_WIDTH = re.compile(
    "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff20\uff0b\uff0d]|(?<=\\w)\uff0e(?=\\w)"
)
# The digits of the shortest telephone number with its first nought, or with its country.
_DIGITS_OF_PHONE = 10

# A mask with the words that introduce it: "my email is [email]", "手机 [phone]".
_LABELLED = re.compile(
    r"(?:(?:my|and)\s+)*(?:(?:e-?mail|phone|mobile|number|iban|id)\s*)*(?:address\s*)?(?:is|:)?\s*"
    r"(?:我的)?(?:手机号?码?|电话号?码?|邮箱|卡号|身份证号?码?)?\s*(?:是|：)?\s*"
    r"\[(?:email|iban|id|card|phone|account)\]",
    re.IGNORECASE,
)


def check(text: str, max_characters: int) -> str:
    """Return a message without surrounding white space.

    Raises:
        InvalidMessageError: The message is empty, longer than ``max_characters``, without any
            letter, digit or emoji, or has control characters or broken UTF-8.
    """
    stripped = text.strip()
    if not stripped:
        raise InvalidMessageError("Expected a message, found an empty one.", "empty")
    if len(stripped) > max_characters:
        raise InvalidMessageError(
            f"Expected at most {max_characters:,} characters, found {len(stripped):,}. "
            f"Please shorten the message.",
            "too_long",
        )
    if any(_is_unreadable(c) for c in stripped):
        raise InvalidMessageError(
            "Expected readable text, found control characters or broken UTF-8. "
            "Please type the message again.",
            "unreadable",
        )
    if not any(c.isalnum() for c in stripped) and not is_emoji_alone(stripped):
        raise InvalidMessageError("Expected words, found only symbols.", "no_words")
    return stripped


def is_emoji_alone(text: str) -> bool:
    """Return whether a message has emoji and no letters or digits; punctuation is allowed."""
    return _EMOJI.search(text) is not None and not any(c.isalnum() for c in text)


def readable(text: str) -> str:
    """Return a text without control characters and lone surrogates, which tokenizers refuse."""
    return "".join(c for c in text if not _is_unreadable(c))


def _is_unreadable(character: str) -> bool:
    # Lone surrogates (Cs) come from broken UTF-8, control characters (Cc) from binary data.
    return unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\r\t"


def is_injection(text: str) -> bool:
    """Return whether a message tries to override the assistant's instructions."""
    return _INJECTION.search(unicodedata.normalize("NFKC", text)) is not None


def mask(text: str, *, contacts: bool = True) -> str:
    """Replace personal data with what it is, such as ``[card]``.

    That is an e-mail address, an IBAN, a Chinese identity number (``[id]``), a card, an account or
    a telephone number. IBANs, identity and card numbers are masked only if their check digits are
    valid, so that fees and dates stay readable. Full-width letters and digits become narrow ones.

    Args:
        text: What somebody typed.
        contacts: Whether e-mail addresses and phone numbers are masked; those that a company's own
            people give are not personal.
    """
    text = _FULL_WIDTH.sub(lambda wide: unicodedata.normalize("NFKC", wide.group()), text)
    text = _EMAIL.sub("[email]", text) if contacts else text
    text = _IBAN.sub(_mask_iban, text)
    text = _IDENTITY.sub(_masked("[id]", _is_identity), text)
    text = _DIGITS.sub(_masked("[card]", _is_card), text)
    text = _SORT_CODE_WITH_ACCOUNT.sub("[account]", text)
    text = _ACCOUNT.sub(lambda found: f"{''.join(filter(None, found.groups()))}[account]", text)
    return _mask_phones(text) if contacts else text


def without_personal_data(text: str) -> str:
    """Return a message without personal data, which would mislead retrieval.

    A message with nothing else is only masked.
    """
    masked = mask(text)
    rest = _LABELLED.sub("", masked)
    return rest if any(c.isalpha() for c in rest) else masked


def _masked(label: str, is_valid: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    return lambda match: label if is_valid(match.group()) else match.group()


def _is_card(text: str) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(re.sub(r"\D", "", text)))


def _is_identity(text: str) -> bool:
    """Return whether date and check digit are right; the list of places ends at some year."""
    from stdnum.cn import ric
    from stdnum.exceptions import ValidationError

    number = re.sub("[ -]", "", text).upper()
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(number[-1] == ric.calc_check_digit(number))


def _mask_iban(match: re.Match[str]) -> str:
    """Mask the longest prefix that is an IBAN and keep the words after it."""
    from stdnum import iban

    text = match.group()
    ends = [len(text), *(gap.start() for gap in reversed(list(re.finditer("[ .-]", text))))]
    for end in ends:
        # Only the check digits: not every version of the library has the rules of each country.
        if iban.is_valid(text[:end], check_country=False):
            return f"[iban]{text[end:]}"
    return text


def _mask_phones(text: str) -> str:
    import phonenumbers

    valid, possible = phonenumbers.Leniency.VALID, phonenumbers.Leniency.POSSIBLE
    # Numbers that only could be some are amounts too, unless they begin as no amount does.
    for region, leniency in (("GB", valid), ("CN", valid), ("GB", possible)):
        for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, region, leniency))):
            digits = sum(character.isdigit() for character in match.raw_string)
            begins = match.raw_string.startswith(("+", "0")) and digits >= _DIGITS_OF_PHONE
            if leniency is valid or begins:
                text = f"{text[: match.start]}[phone]{text[match.end :]}"
    return text
