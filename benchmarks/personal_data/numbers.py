"""Invented personal data of fixed form, with valid check digits, as customers type it."""

import random
from collections.abc import Callable

# Countries with the length of what follows the check digits, and its letters at the start.
IBANS = {"GB": (18, 4), "DE": (18, 0), "FR": (23, 0), "ES": (20, 0), "NL": (14, 4),
         "PL": (24, 0), "IE": (18, 4), "NO": (11, 0)}  # fmt: skip
CARDS = {"4": 16, "51": 16, "37": 15, "62": 19, "6011": 16}
# Regions of identity numbers, and their weights (GB 11643).
REGIONS = ("110105", "310104", "440305", "510107", "330106")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def card(draws: random.Random, _: str) -> str:
    """Return a card number with spaces, dashes, full-width digits or nothing between."""
    prefix, length = draws.choice(list(CARDS.items()))
    body = prefix + _digits(draws, length - 1 - len(prefix))
    doubled = [int(d) * (2 - n % 2) for n, d in enumerate(reversed(body))]
    number = body + str(-sum(d - 9 * (d > 9) for d in doubled) % 10)
    how = draws.choice(("", " ", "-", "wide", " wide"))
    return _spaced(number, how)


def iban(draws: random.Random, _: str) -> str:
    """Return an IBAN of one of several countries."""
    country, (length, letters) = draws.choice(list(IBANS.items()))
    body = "".join(draws.choice(LETTERS) for _ in range(letters))
    body += _digits(draws, length - letters)
    number = "".join(str(int(c, 36)) for c in f"{body}{country}00")
    whole = f"{country}{98 - int(number) % 97:02d}{body}"
    return _spaced(whole, draws.choice(("", " ", "-", "lower", " wide")))


def email(draws: random.Random, _: str) -> str:
    """Return an address, some with capitals, plus signs or several dots."""
    name = draws.choice(("jo.tolliver", "d_okafor", "priya+bank", "LinXiaotong", "zhou.m.yun"))
    host = draws.choice(("example.com", "mail.example.org", "post-box.example.co.uk", "example.cn"))
    return f"{name}{draws.randrange(10_000)}@{host}"


def phone(draws: random.Random, lang: str) -> str:
    """Return a telephone number of Britain or America, or of China."""
    forms = CHINESE if lang == "zh" else ENGLISH
    return _filled(draws, draws.choice(forms))


# A hash is any digit. American ones are of the part of numbers kept for fiction, mobiles are not.
ENGLISH = (
    "077## ######", "+44 78## ######", "020 7946 0###", "0161 496 0###", "(0117) 496 0###",
    "+447700900###", "07700-900-###", "+1 202-555-01##", "(415) 555-01##", "212.555.01##",
    "0044 20 7946 0###", "07７00 900###",
)  # fmt: skip
CHINESE = (
    "138########", "+86 139########", "+86-150-####-####", "186 #### ####", "177-####-####",
    "010-6552####", "021 6288 ####", "(0755) 8266####", "0571-8799####", "0086 136########",
    "１５９########", "400-820-####",
)  # fmt: skip


def identity(draws: random.Random, _: str) -> str:
    """Return a Chinese identity number."""
    born = f"{draws.randint(1950, 2004)}{draws.randint(1, 12):02d}{draws.randint(1, 28):02d}"
    body = draws.choice(REGIONS) + born + _digits(draws, 3)
    rest = sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11
    number = body + "10X98765432"[rest]
    return _spaced(number, draws.choice(("", "", "id ", "wide", "lower")))


def account(draws: random.Random, _: str) -> str:
    """Return a British sort code and account number."""
    number = _filled(draws, draws.choice(("20-##-## ########", "20####  ########")))
    return number.replace("  ", " ")


KINDS: dict[str, Callable[[random.Random, str], str]] = {
    "card": card, "iban": iban, "email": email, "phone": phone, "identity": identity,
    "account": account,
}  # fmt: skip


def _digits(draws: random.Random, count: int) -> str:
    return "".join(draws.choice("0123456789") for _ in range(count))


def _filled(draws: random.Random, form: str) -> str:
    return "".join(draws.choice("0123456789") if c == "#" else c for c in form)


def _spaced(number: str, how: str) -> str:
    """Return a number with something between its parts, in full-width digits or small letters."""
    if how == "id ":
        number = f"{number[:6]} {number[6:14]} {number[14:]}"
    elif how[:1] in (" ", "-"):
        number = how[0].join(number[n : n + 4] for n in range(0, len(number), 4))
    number = number.lower() if how == "lower" else number
    return number.translate(WIDE) if "wide" in how else number
