"""An online shop's guidelines for its agents (ABCD, Chen et al. 2021, MIT) as one more company.

The guidelines are public data. This project wrote the questions, as an agent in a hurry would ask
them, and the answers.
"""

from knowledge.documents import Article
from tuning.companies import Company, Pair
from tuning.dataset.answer_rows import DATA
from tuning.json_lines import read_json_lines

QUESTIONS = DATA / "abcd_questions.jsonl"


def abcd_company() -> Company:
    """Return the shop with its questions, in English; for training only.

    Raises:
        FileNotFoundError: FRONTDESK_DATA names no folder.
    """
    from tuning.public_data import abcd_articles

    articles = [
        Article(name, title, "en", text, "guidelines.json")
        for name, (title, text) in abcd_articles().items()
    ]
    pairs = [Pair(**row) for row in read_json_lines(QUESTIONS)]
    return Company("abcd", "AcmeBrands", "online shop", "en", articles, pairs)
