"""Converts HTML to Markdown: the visible text, without scripts, menus and hidden parts."""

import re
import warnings
from typing import Any

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from bs4.element import PreformattedString
from markdownify import MarkdownConverter

from knowledge.readers.document import Document, Limits
from knowledge.readers.plain import decode
from knowledge.readers.table_lines import table_lines

_UNSEEN = ["script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "head"]
_AROUND = ["nav", "footer", "aside", "form", "button", "select"]
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
# A main element is taken for the page if it has at least this share of the page's characters.
MAIN_SHARE = 0.5
# A list with at least this many links, which have at least this share of its text, is a menu.
MENU_LINKS, MENU_SHARE = 4, 0.8
# A table with a cell longer than this is a page layout, not data.
MAX_CELL = 200


def read_html(raw: bytes, _limits: Limits) -> Document:
    """Return the visible text of a page as Markdown, with its title."""
    with warnings.catch_warnings():
        # Old pages are XHTML, and the lenient parser is used for them on purpose.
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(_decoded(raw), "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else None
    for tag in soup.find_all(_UNSEEN):
        tag.decompose()
    for tag in [t for t in soup.find_all(True) if _is_hidden(t)]:
        tag.decompose()
    for comment in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        comment.extract()
    main = _main(soup)
    for string in main.find_all(string=True):
        if not string.find_parent("pre"):
            string.replace_with(re.sub(r"\s+", " ", string))
    text = _Converter(heading_style="ATX", bullets="-").convert_soup(main)
    text = re.sub(r"[ \t\u00a0]+$", "", text, flags=re.MULTILINE)
    return Document(re.sub(r"\n{3,}", "\n\n", text).strip(), title or None)


def _decoded(raw: bytes) -> str:
    charset = _CHARSET.search(raw[:2048])
    if charset:
        try:
            # Pages that declare GB2312 use characters of its superset GB18030.
            name = charset.group(1).decode("ascii").lower()
            return raw.decode("gb18030" if name in ("gb2312", "gbk") else name)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(raw)


def _is_hidden(tag: Any) -> bool:
    attributes = tag.attrs or {}
    styled = _HIDDEN.search(str(attributes.get("style", "")))
    return "hidden" in attributes or attributes.get("aria-hidden") == "true" or bool(styled)


def _main(soup: BeautifulSoup) -> Any:
    whole = len(soup.get_text(" ", strip=True))
    main = soup.find("main") or soup.find("article")
    if main and len(main.get_text(" ", strip=True)) >= MAIN_SHARE * whole:
        return main
    for tag in soup.find_all(_AROUND):
        tag.decompose()
    for tag in soup.find_all(["ul", "ol"]):
        if not tag.decomposed and _is_menu(tag):
            tag.decompose()
    return soup


def _is_menu(tag: Any) -> bool:
    links = tag.find_all("a")
    linked = sum(len(link.get_text(strip=True)) for link in links)
    return len(links) >= MENU_LINKS and linked >= MENU_SHARE * len(tag.get_text(strip=True))


class _Converter(MarkdownConverter):
    """Markdown whose table rows keep their headers; links and pictures become plain text."""

    def convert_a(self, _el: Any, text: str, *_args: Any, **_kwargs: Any) -> str:
        return text

    def convert_b(self, _el: Any, text: str, *_args: Any, **_kwargs: Any) -> str:
        return text

    convert_strong = convert_em = convert_i = convert_b

    def convert_img(self, el: Any, _text: str, *_args: Any, **_kwargs: Any) -> str:
        return str(el.get("alt") or "")

    def convert_table(self, el: Any, text: str, *_args: Any, **_kwargs: Any) -> str:
        rows = [
            [cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])]
            for row in el.find_all("tr")
        ]
        # A table with tables, headings or long texts in it is a page layout.
        longest = max((len(cell) for row in rows for cell in row), default=0)
        if el.find(["table", "h1", "h2", "h3"]) or longest > MAX_CELL:
            return f"\n\n{text}\n\n"
        return "\n\n" + "\n".join(table_lines(rows)) + "\n\n"

    def convert_tr(self, _el: Any, text: str, *_args: Any, **_kwargs: Any) -> str:
        return f"\n{text.strip()}\n"

    def convert_td(self, _el: Any, text: str, *_args: Any, **_kwargs: Any) -> str:
        return f"{text.strip()} "

    convert_th = convert_td
