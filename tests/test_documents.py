"""Folders of documents become articles; bad documents are skipped with the reason."""

import datetime as dt
from pathlib import Path

import pytest

from knowledge.build_index import current_articles
from knowledge.documents import to_article
from knowledge.errors import ArticleError, KnowledgeFolderError
from knowledge.folder import load_articles, read_folder
from knowledge.readers.document import Document
from knowledge.splitter import split


def test_plain_files_need_no_front_matter(tmp_path):
    """The title comes from the first heading or the name, the language from the text."""
    (tmp_path / "returns").mkdir()
    (tmp_path / "returns" / "Shoes_and-boots.txt").write_text("Send them back within 30 days.")
    (tmp_path / "fees.md").write_text("# What it costs\n\nNothing.")
    (tmp_path / "退货.md").write_text("三十天内可以退货。")
    articles = {article.id: article for article in load_articles(tmp_path)}
    assert set(articles) == {"returns-shoes_and-boots", "fees", "退货"}
    assert articles["returns-shoes_and-boots"].title == "Shoes and boots"
    assert articles["fees"].title == "What it costs"
    assert articles["退货"].lang == "zh"


def test_unknown_front_matter_is_ignored(tmp_path):
    (tmp_path / "a.md").write_text(
        "---\ntitle: A\ntags: [x]\ndraft: false\nowner: me\nintents: [a]\n---\nText."
    )
    assert load_articles(tmp_path)[0].title == "A"


def with_questions(yaml):
    text = f"---\ntitle: A\nquestions:{yaml}\n---\nText."
    return to_article(Document(text), Path("a.md"))


def test_front_matter_names_messages_that_an_article_answers():
    """They are no part of its text."""
    found = with_questions("\n- wheres my card\n- '3 days already?'\n- 卡呢")
    assert found.questions == ("wheres my card", "3 days already?", "卡呢")
    assert found.text == "Text."
    assert with_questions("").questions == with_questions(" []").questions == ()
    assert to_article(Document("Text."), Path("a.md")).questions == ()


@pytest.mark.parametrize(
    "yaml",
    [
        " wheres my card",
        " 5",
        "\n- 5",
        "\n- yes",
        "\n- fee: how much",
        "\n- [a, b]",
        "\n  a: b",
        "\n- a\n-",
    ],
)
def test_messages_that_are_no_list_of_texts_are_refused(yaml):
    """YAML reads "yes" and "fee: how much" as something else than text; the author must know."""
    expected = "questions in the front matter must be a list of texts, found "
    with pytest.raises(ArticleError, match=expected):
        with_questions(yaml)


def test_only_valid_articles_are_used(tmp_path):
    """The first and the last day are included."""
    for name, start, end in [("old", "2025-01-01", "2025-12-31"), ("new", "2026-01-01", "")]:
        text = f"---\ntitle: {name}\nvalid_from: {start}\nvalid_to: {end}\n---\nText."
        (tmp_path / f"{name}.md").write_text(text)
    assert [a.id for a in current_articles(tmp_path, dt.date(2025, 12, 31))] == ["old"]
    assert [a.id for a in current_articles(tmp_path, dt.date(2026, 1, 1))] == ["new"]
    with pytest.raises(KnowledgeFolderError, match="expired or future"):
        current_articles(tmp_path, dt.date(2024, 1, 1))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.md", b"---\ntitle: [\n---\nText.", "not valid YAML"),
        ("a.md", b"\x00\x01broken", "it is not text"),
        (
            "a.md",
            b"---\ntitle: A\nquestions: how much?\n---\nText.",
            "questions in the front matter",
        ),
        ("a.md", b"---\ntitle: A\nvalid_from: soon\n---\nText.", "expected valid_from as a date"),
    ],
)
def test_a_bad_article_is_skipped(tmp_path, name, content, message):
    """The reason is given, and the others are read."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.md").write_text("Text.")
    reading = read_folder(tmp_path)
    assert [article.id for article in reading.articles] == ["good"]
    assert [skipped.path for skipped in reading.skipped] == [name]
    assert message in reading.skipped[0].reason


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(KnowledgeFolderError, match="there is nothing"):
        load_articles(tmp_path / "none")
    with pytest.raises(KnowledgeFolderError, match="found none"):
        load_articles(tmp_path)
    (tmp_path / "empty.md").write_text("  \n")
    with pytest.raises(KnowledgeFolderError, match="found none"):
        load_articles(tmp_path)


def test_two_articles_with_one_id(tmp_path):
    """The second is skipped, unless it becomes valid after the first expired."""
    prefix = "---\nid: same\ntitle: T\n"
    (tmp_path / "a.md").write_text(prefix + "valid_to: 2026-01-31\n---\nOld.")
    (tmp_path / "b.md").write_text(prefix + "valid_from: 2026-02-01\n---\nNew.")
    (tmp_path / "c.md").write_text(prefix + "valid_from: 2026-03-01\n---\nTwice.")
    reading = read_folder(tmp_path)
    assert [article.text for article in reading.articles] == ["Old.", "New."]
    assert "its id 'same' (en) is taken by b.md" in reading.skipped[0].reason


def test_files_of_one_name_and_two_kinds_are_two_articles(tmp_path):
    (tmp_path / "fees.md").write_text("Fees.")
    (tmp_path / "fees.txt").write_text("Other fees.")
    assert [article.id for article in load_articles(tmp_path)] == ["fees", "fees-txt"]


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_text("The password is swordfish.")
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("Text.")
    (folder / "link.md").symlink_to(secret)
    assert [article.id for article in load_articles(folder)] == ["a"]


def test_split_follows_headings_and_keeps_offsets(tmp_path):
    """A passage is the article's text between its offsets, for both styles of headings."""
    text = "# Title\n\nFirst.\n\n## Fees\n\nSecond.\n\n### Abroad\n\nThird.\n\nSmall\n-----\n\nFourth.\n"
    (tmp_path / "a.md").write_text(text)
    article = load_articles(tmp_path)[0]
    passages = split(article)
    assert [(p.heading, p.text) for p in passages] == [
        ("", "First."),
        ("Fees", "Second."),
        ("Fees > Abroad", "Third."),
        ("Small", "Fourth."),
    ]
    assert all(article.text[p.start : p.end] == p.text for p in passages)


def test_split_cuts_long_sections_between_paragraphs(tmp_path):
    (tmp_path / "a.txt").write_text("\n\n".join(["one two three four five."] * 5))
    article = load_articles(tmp_path)[0]
    assert [p.text.count("one") for p in split(article, max_words=10)] == [2, 2, 1]
    with pytest.raises(ValueError, match="max_words must be at least 1. Currently, max_words is 0"):
        split(article, max_words=0)


def test_heading_in_a_code_block_is_no_heading(tmp_path):
    (tmp_path / "a.md").write_text("Run:\n\n```\n# not a heading\n```\n")
    assert [p.heading for p in split(load_articles(tmp_path)[0])] == [""]


def test_split_cuts_long_lists_between_lines_and_long_lines_between_sentences(tmp_path):
    (tmp_path / "a.md").write_text("\n".join(f"- item number {n}" for n in range(6)))
    (tmp_path / "b.md").write_text("One two three. " * 6)
    items, prose = (split(article, max_words=9) for article in load_articles(tmp_path))
    assert [passage.text.count("item") for passage in items] == [3, 3]
    assert [passage.text.count("One") for passage in prose] == [3, 3]


def test_a_table_that_is_cut_keeps_its_header_in_the_heading(tmp_path):
    table = "| Service | Fee |\n| --- | --- |\n" + "| card | five |\n" * 6
    (tmp_path / "a.md").write_text(f"## Fees\n\n{table}")
    first, second, *_ = split(load_articles(tmp_path)[0], max_words=10)
    assert (first.heading, second.heading) == ("Fees", "Fees > Service | Fee")
