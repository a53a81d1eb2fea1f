"""The checks of a knowledge folder with the real embedder, and the search command."""

import datetime as dt
import json

import pytest

from knowledge import check as module
from knowledge import search
from knowledge.article_checks import Finding, figures_of
from knowledge.check import check, unreached
from knowledge.folder import load_articles
from tests.conftest import STATE
from tests.fakes import HashEmbedder

TODAY = dt.date(2026, 6, 1)


@pytest.fixture
def write(tmp_path):
    def write(**pages):
        for name, text in pages.items():
            (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def kinds(findings: list[Finding]) -> list[tuple]:
    return [(finding.kind, *finding.paths) for finding in findings]


def test_a_clean_folder_has_no_findings(write, embedder):
    folder = write(
        card="---\ntitle: Cards\n---\nA spare card costs £5. See [fees](fees).",
        fees="---\ntitle: Fees\n---\nA transfer abroad costs £4.",
    )
    assert check(load_articles(folder), folder, embedder, TODAY) == []


def test_contradicting_figures(write, embedder):
    """Two articles say the same with different figures of one unit."""
    folder = write(
        card="---\ntitle: Spare cards\n---\nA spare card costs £5 and comes in a week.",
        fees="---\ntitle: Spare cards and fees\n---\nA spare card costs £7 and comes in a week.",
        other="---\ntitle: Loans\n---\nA loan may run for 10 years.",
    )
    findings = check(load_articles(folder), folder, embedder, TODAY)
    (finding,) = [f for f in findings if f.kind == "contradiction"]
    assert finding.paths == ("card.md", "fees.md")
    assert "£5" in finding.message
    assert "£7" in finding.message


def test_contradicting_figures_in_chinese(write, embedder):
    folder = write(
        a="---\ntitle: 备用卡\n---\n办理一张备用卡收费 5 英镑。",
        b="---\ntitle: 备用卡收费\n---\n办理一张备用卡收费 7 英镑。",
    )
    findings = check(load_articles(folder), folder, embedder, TODAY)
    assert "contradiction" in [finding.kind for finding in findings]


def test_near_duplicates(write, embedder):
    text = "Freeze a lost card in the app at once, then order a new one under Cards."
    folder = write(
        a=f"---\ntitle: Lost card\n---\n{text}",
        b=f"---\ntitle: Lost cards\n---\n{text}",
        c="---\ntitle: Mortgages\n---\nWe do not lend money for houses.",
    )
    findings = check(load_articles(folder), folder, embedder, TODAY)
    assert ("near-duplicate", "a.md", "b.md") in kinds(findings)
    assert len(findings) == 1


def test_links_twins_and_dates(write):
    folder = write(
        old="---\ntitle: Old\nvalid_to: 2026-05-31\n---\nWords.",
        soon="---\ntitle: Soon\nvalid_from: 2026-06-02\n---\nWords.",
        a="---\ntitle: A\n---\n[b](b.md) [gone](gone.md) [away](https://x.example) [top](#top)",
        b="---\ntitle: B\n---\nFree for 3 days.",
        zh="---\nid: zh-b\ntitle: 乙\nlang: zh\ntranslation_of: b\n---\n4 天内免费。",
        lost="---\ntitle: 丙\nlang: zh\ntranslation_of: nowhere\n---\n文字。",
    )
    findings = check(load_articles(folder), folder, HashEmbedder(), TODAY)
    assert kinds(findings) == [
        ("expired", "old.md"),
        ("not yet valid", "soon.md"),
        ("broken link", "a.md"),
        ("missing twin", "a.md"),
        ("missing twin", "lost.md"),
        ("twins differ", "b.md", "zh.md"),
    ]


def test_figures_of_dates_agree_between_the_languages():
    assert figures_of("by 31 May, £1,000 or 2.5 %") == {"31", "1,000", "2.5"}
    assert figures_of("5 月 31 日前，1,000 英镑或 2.5 %") == {"31", "1,000", "2.5"}


def test_articles_that_no_question_retrieves(write, tmp_path):
    folder = write(**{name: f"---\ntitle: {name}\n---\nAll about {name}." for name in "abcdef"})
    findings = unreached(
        folder, ["All about a.", "All about b."], HashEmbedder(), tmp_path / "s", 1
    )
    assert {finding.paths[0] for finding in findings} == {"en/c", "en/d", "en/e", "en/f"}


@pytest.mark.model
def test_the_command_prints_findings_and_exits_with_1(write, capsys):
    folder = write(a="---\ntitle: A\n---\n[gone](gone.md)", b="")
    assert module.main([str(folder), "--state", str(STATE)]) == 1
    out = capsys.readouterr().out
    assert "unread: b.md: the file is empty" in out
    assert "broken link: a.md: gone.md does not exist" in out
    assert module.main([str(folder / "none")]) == 2


def test_the_bank_has_no_problems(embedder):
    """All figures are consistent, and every translation agrees with its original."""
    from assistant.config import BANK

    findings = check(load_articles(BANK), BANK, embedder)
    assert [f for f in findings if f.kind not in module.NOTES] == []
    assert {f.kind for f in findings} == module.NOTES


@pytest.mark.model
def test_search_shows_hits_and_scores(write, capsys):
    folder = write(
        card="---\ntitle: Cards\n---\nA spare card costs £5.",
        fees="---\ntitle: Transfers\n---\nA transfer abroad costs £4.",
    )
    options = ["--folder", str(folder), "--state", str(STATE)]
    assert search.main(["how much is a second card?", *options]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["score", "dense", "lexical", "near", "rerank", "article"]
    assert "card (en), Cards" in table[1]
    assert float(table[1].split()[3]) != 0, "the span embedders read any folder"
    assert search.main(["备用卡多少钱？", "--json", "--top", "1", *options]) == 0
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert row["article"] == "card"
    assert 0 <= row["score"] <= 1
    assert search.main(["fee", "--folder", str(folder / "none")]) == 1
