"""Help centres of many trades with questions in customers' words, written for training.

Each stands in ``tuning/data/companies/<id>.yml``: articles, the questions that each answers with
the answer, and questions that come near and that nothing there answers. Whoever trains takes the
companies of ``train``, whoever chooses between models those of ``dev``; no company is in both.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import Article

FOLDER = Path(__file__).with_name("data") / "companies"
# Three of each language, of trades that no other company has.
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
    """A customer's question with its answer, "" where the documents have none."""

    question: str
    answer: str
    article: str


@dataclass(frozen=True, slots=True)
class Company:
    """A help centre and what its customers ask."""

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
        ValueError: There is no such part.
    """
    if part not in ("train", "dev"):
        raise ValueError(f"Expected the part train or dev, found {part!r}.")
    files = sorted(FOLDER.glob("*.yml"))
    return [load_company(file) for file in files if (file.stem in DEV) == (part == "dev")]


def load_company(file: Path) -> Company:
    """Read one company; ``questions`` and ``unanswered`` may be missing."""
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
    """Give a company as a folder of articles, as an assistant reads it, for the time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = {"name": {"en": company.name, "zh": company.name}}
        (folder / "company.yml").write_text(json.dumps(names, ensure_ascii=False), "utf-8")
        for article in company.articles:
            head = f"---\nid: {article.id}\ntitle: {article.title}\nlang: {article.lang}\n---\n"
            (folder / f"{article.id}.md").write_text(head + article.text, encoding="utf-8")
        yield folder
