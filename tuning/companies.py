"""Help centres of many trades with questions in customers' words, written for training.

Each is a file ``tuning/data/companies/<id>.yml``: articles, the questions that each article answers
with their answers, and related questions that no article answers. Training uses the part ``train``,
choosing between models the part ``dev``; no company is in both.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import Article

FOLDER = Path(__file__).with_name("data") / "companies"
# Three companies per language, from trades that occur nowhere in ``train``.
DEV = frozenset(
    {
        "heron-post",
        "willow-dental",
        "brackley-council",
        "anda-jiaxiao",
        "heyuan-wuye",
        "kangning-tijian",
    }
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A customer's question, its answer, and the id of the article; "" if nothing answers it."""

    question: str
    answer: str
    article: str


@dataclass(frozen=True, slots=True)
class Company:
    """A help centre and its customers' questions."""

    id: str
    name: str
    trade: str
    lang: str
    articles: Sequence[Article]
    pairs: Sequence[Pair]


def load_companies(part: str) -> list[Company]:
    """Return the companies of a part.

    Args:
        part: ``train`` or ``dev``.

    Raises:
        ValueError: The part has another name.
    """
    if part not in ("train", "dev"):
        raise ValueError(f"Expected the part train or dev, found {part!r}.")
    files = sorted(FOLDER.glob("*.yml"))
    return [load_company(file) for file in files if (file.stem in DEV) == (part == "dev")]


def load_company(file: Path) -> Company:
    """Read one company; an article's ``questions`` and ``unanswered`` may be missing."""
    import yaml

    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    articles, pairs = [], []
    for row in data["articles"]:
        articles.append(Article(row["id"], row["title"], data["lang"], row["text"], file.name))
        pairs += [Pair(q["question"], q["answer"], row["id"]) for q in row.get("questions", ())]
        pairs += [Pair(question, "", "") for question in row.get("unanswered", ())]
    return Company(file.stem, data["company"], data["trade"], data["lang"], articles, pairs)


@contextmanager
def as_folder(company: Company) -> Iterator[Path]:
    """Write a company as a knowledge folder, which is deleted at the end of the ``with`` block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = {"name": {"en": company.name, "zh": company.name}}
        (folder / "company.yml").write_text(json.dumps(names, ensure_ascii=False), "utf-8")
        for article in company.articles:
            front_matter = (
                f"---\nid: {article.id}\ntitle: {article.title}\nlang: {article.lang}\n---\n"
            )
            (folder / f"{article.id}.md").write_text(front_matter + article.text, encoding="utf-8")
        yield folder
