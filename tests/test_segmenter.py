"""Sentences, words and languages."""

import pytest

from knowledge.segmenter import language_of, sentences, words


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("I lost my card", "en"),
        ("我的卡丢了", "zh"),
        ("Apple Pay怎么用", "zh"),
        ("我的 card 到了但是 PIN 在哪里看", "zh"),
        ("I sent money to 小明 yesterday", "en"),
        ("£5?", "en"),
        ("", "en"),
        ("Я потерял карту", "other"),
        ("カードをなくしました", "other"),
        ("카드를 잃어버렸어요", "other"),
    ],
)
def test_language(text, lang):
    """Chinese with a product name is Chinese; a third script is another language."""
    assert language_of(text) == lang


def test_sentences_keep_abbreviations_times_and_amounts_whole():
    text = "Chat is open, e.g. today, from 08:00 to 22:00. It costs £1.50 each time. Why?"
    assert [s.of(text) for s in sentences(text, "en")] == [
        "Chat is open, e.g. today, from 08:00 to 22:00.",
        "It costs £1.50 each time.",
        "Why?",
    ]


def test_sentences_exclude_list_markers_and_never_cross_lines():
    text = "Do this:\n\n- Open the app\n2. Tap *Freeze*. Done.\n"
    texts = [s.of(text) for s in sentences(text, "en")]
    assert texts == ["Do this:", "Open the app", "Tap *Freeze*.", "Done."]


def test_chinese_sentences():
    text = "冻结免费，找到卡后可以解冻。请拨打电话！好吗？"
    texts = [s.of(text) for s in sentences(text, "zh")]
    assert texts == ["冻结免费，找到卡后可以解冻。", "请拨打电话！", "好吗？"]


def test_english_is_stemmed_and_chinese_becomes_characters_and_bigrams():
    assert words("Cards cost £1,000") == ["card", "cost", "£", "1,000"]
    assert words("丢了卡") == ["丢", "了", "卡", "丢了", "了卡"]
