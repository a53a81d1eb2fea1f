"""Training rows from messages as customers type them, with short answers of their own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tuning.companies import Company
from tuning.customer_messages import CustomerMessage, HelpCentre, Part, help_centres
from tuning.customer_talks import talks_of
from tuning.dataset.answer_rows import Row, RowMaker

if TYPE_CHECKING:
    from assistant.evidence.ranker import SentenceRanker
    from knowledge.models.embedder import Embedder


def customer_rows(
    part: Part, lang: str, embedder: "Embedder", ranker: "SentenceRanker", seed: int
) -> Iterator[Row]:
    """Yield the rows of first messages, then of later turns, that have an answer.

    Args:
        part: ``train`` or ``dev``.
        lang: "en" or "zh".
        embedder: Retrieves the passages.
        ranker: Ranks sentences as in a turn.
        seed: The seed of all random choices.
    """
    from tqdm import tqdm

    makers: dict[str, RowMaker] = {}

    def maker(centre: HelpCentre) -> RowMaker:
        if centre.name not in makers:
            company = Company(centre.name, centre.name, "", centre.lang, centre.articles, ())
            makers[centre.name] = RowMaker(company, embedder, seed, ranker=ranker)
        return makers[centre.name]

    for centre in tqdm(help_centres(part, lang), unit="centre", desc=f"{part}, first messages"):
        for message in _answered(centre):
            if row := maker(centre).answered(message, message.question, None, "customer"):
                yield row
    for talks in tqdm(talks_of(part, lang), unit="centre", desc=f"{part}, later turns"):
        for turn in (turn for talk in talks.talks for turn in talk if turn.message.answer):
            if turn.last and (
                row := maker(talks.centre).answered(turn.message, turn.text, turn.last, "later")
            ):
                yield row


def _answered(centre: HelpCentre) -> Iterator[CustomerMessage]:
    return (m for m in centre.messages if m.answer and not m.is_later)
