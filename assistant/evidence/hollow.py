"""Tells sentences that say nothing by themselves: titles, links, questions; pure functions."""

import re

from knowledge.documents import Passage
from knowledge.markdown_tables import is_row
from knowledge.segmenter import Span, length, step_of

# A line of at most so many words is a label if it neither ends like a sentence nor has a figure.
LABEL_WORDS = {"en": 4, "zh": 7}
_MARKS = re.compile(r"[*_`#>\s]+")
_QUESTION = re.compile(r"[?？][\s*_\"'”’)）」]*$")
_ENDS = re.compile(r"[.!;:。！；：…)）\]】」”\"]\W*$")
# A line of several links, buttons or places: "Home > Fees", "Yes | No | Report a problem".
_PATH = re.compile(r"\S\s+[>›»]\s+\S")
_LINKS = re.compile(r"^(?:[^|]{1,60}\|){1,}[^|]{1,80}$")
# A customer's words as an example, such as > "I clicked it by mistake."
_SAID = re.compile(r"^[>*_\s]*[\"“「][^\"”「」]*[\"”」][*_\s]*$")
_LINK = re.compile(r"^\W*\[[^\]]*\]\([^)]*\)\W*$")


def is_hollow(span: Span, passage: Passage, question: str) -> bool:
    """Return whether a sentence answers nothing, whatever was asked.

    A title or heading, a question, a line of links, a label, words in quotation marks alone, and
    the customer's own sentence.

    Args:
        span: The sentence, in characters of the passage's text.
        passage: The passage.
        question: The customer's question.
    """
    text = span.of(passage.text)
    if is_row(text) or step_of(passage.text, span):
        return False
    # A path that a sentence names in bold, or ends, is where to go: an answer.
    is_path = _PATH.search(text) and "**" not in text and not _ENDS.search(text)
    # A row of a table without outer bars has a figure.
    is_links = _LINKS.match(text) and not re.search(r"\d", text)
    if _QUESTION.search(text) or _LINK.match(text) or _SAID.match(text) or is_links or is_path:
        return True
    if _is_name(text, passage) or _is_label(span, passage):
        return True
    return _bared(text) == _bared(question)


def _is_name(text: str, passage: Passage) -> bool:
    names = [passage.title, *passage.heading.split(" > ")]
    return _bared(text) in {_bared(name) for name in names}


def _is_label(span: Span, passage: Passage) -> bool:
    """Return whether a whole line is a few words, such as a button or a heading in bold."""
    text = span.of(passage.text)
    before, after = passage.text[: span.start], passage.text[span.end :]
    stands_alone = not after.partition("\n")[0].strip() and not re.search(r"\w[^\n]*$", before)
    is_item = re.search(r"(?:^|\n)\s*(?:[-*+]|\d{1,2}[.)])\s+$", before) is not None
    if not stands_alone or is_item or _ENDS.search(text) or re.search(r"\d", text):
        return False
    return length(text) <= LABEL_WORDS["zh" if passage.lang == "zh" else "en"]


def _bared(text: str) -> str:
    return _MARKS.sub("", text).lower().rstrip(".:：。?？!！")
