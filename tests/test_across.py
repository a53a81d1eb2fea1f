"""What supports a sentence in the other language, with the real embedder."""

import json

import pytest

from assistant.grounding.across import WEIGHTS_FILE, AcrossGrounder, holds
from knowledge.documents import Hit, Passage
from tests.fakes import HashEmbedder
from tuning import across

FEES = (
    "The paid plan costs £6 a month. Standard accounts are free. "
    "A replacement card costs £5 and arrives within 4 working days. "
    "You can close the account at any time in the app."
)
HITS = [Hit(Passage("fees", "en", "Fees", "", FEES, 0, len(FEES)), 1.0)]


def test_values_and_latin_names_must_be_there():
    assert holds("A card costs £5 and takes 4 days.", "卡 5 英镑，4 天到。")
    assert not holds("A card costs £5.", "卡 6 英镑。")
    assert not holds("A card costs £5.", "Plus 卡 5 英镑。")
    assert holds("With Plus a card costs £5.", "Plus 卡 5 英镑。")
    assert not holds("卡 5 英镑。", "The Gold card is £5.")


@pytest.mark.model
@pytest.mark.parametrize(
    ("claim", "support"),
    [
        ("补办一张卡收费 5 英镑，4 个工作日内送达。", "A replacement card costs £5"),
        ("付费套餐每月 6 英镑。", "The paid plan costs £6 a month."),
        ("您随时可以在应用中注销账户。", "You can close the account at any time"),
        ("补办一张卡收费 7 英镑。", None),
        ("您可以带狗进网点。", None),
        ("我们在 12 月 25 日休息。", None),
    ],
)
def test_a_claim_rests_on_the_sentence_that_says_it(embedder, claim, support):
    grounder = AcrossGrounder.open(embedder)
    found = grounder.check(claim, HITS)
    said = found.span.of(found.passage.text) if found else None
    assert bool(said) == bool(support)
    assert (said or "").startswith(support or "")
    assert grounder.check(claim, []) is None


def test_weights_of_another_embedder_are_not_used(tmp_path):
    assert AcrossGrounder.open(HashEmbedder()) is None
    assert AcrossGrounder.open(HashEmbedder(), tmp_path / "none.json") is None
    assert json.loads(WEIGHTS_FILE.read_text())["embedder"] == "multilingual-e5-small"


@pytest.mark.model
def test_parts_are_apart_and_both_sources_give_cases(embedder):
    written = list(across.written_cases())
    assert len(written) > 60
    assert all(0 <= case.right < len(case.texts) for case in written)
    assert {case.is_dev for case in written} == {True, False}
    assert across.hash_of("card-delivery") == across.hash_of("card-delivery")
