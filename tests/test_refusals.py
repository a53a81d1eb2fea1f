"""What the console says when something is refused: in the page's language, for each kind of error."""

import ast
import re

import pytest

from assistant.articles.article_text import Fields, with_fields
from assistant.articles.errors import ArticleEditError
from assistant.config import checked
from assistant.errors import AssistantError, SettingsError
from assistant.store.runs import Run
from assistant.store.tables import now
from assistant.ui.console.frame import Frame
from assistant.ui.console.knowledge_progress import progress
from assistant.ui.console.words import LANGUAGES, words
from assistant.wording import check_wording
from tests.structure import modules

FIELD = re.compile(r"(?<!\{)\{(\w+)")
# What a value is called by is put together from its name.
PUT_TOGETHER = {"value", "value_limits", "gaps", "no_gaps"}


def frame(lang):
    return Frame(lang, None, None, None, None)


def raised():
    """Return the key and the names of the values of each error that has a key."""
    for path in modules().values():
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and "Error" in ast.unparse(call.func):
                given = {one.arg: one.value for one in call.keywords}
                if isinstance(given.get("key"), ast.Constant):
                    yield given.pop("key").value, set(given)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_key_has_a_sentence_and_each_sentence_an_error(lang):
    told = {name.removeprefix("refusals."): text for name, text in words(lang).items()
            if name.startswith("refusals.")}  # fmt: skip
    found = dict(raised())
    assert len(found) > 15
    for key, values in found.items():
        assert set(FIELD.findall(told[key])) <= values, key
    others = {key for key in told if not key.startswith("people")} - set(found)
    assert others == PUT_TOGETHER


def refused(lang, do):
    with pytest.raises(AssistantError) as caught:
        do()
    return frame(lang).refusal(caught.value)


@pytest.mark.parametrize(
    ("do", "english", "chinese"),
    [
        (lambda: checked("keep_days", 0), "keep_days must be ≥ 1.", "keep_days 必须 ≥ 1。"),
        (lambda: checked("logs", "x"), "'text' or 'json'", "'text' or 'json'"),
        (lambda: checked("caution", "x"), "caution cannot have this value.", "caution 不能是这个值。"),
        (lambda: check_wording("people", {"timezone": "UTC", "hours": {"monday": "8"}}),
         "Hours are written like 08:00-22:00", "时间应写成 08:00-22:00"),
        (lambda: check_wording("people", {}), "Look at the time zone", "请检查时区"),
        (lambda: check_wording("saying.en.person_called_usual", "Wait."), "{{ minutes }}", "{{ minutes }}"),
        (lambda: with_fields("", "a.md", Fields("", "en", "")), "needs a title and a text", "需要标题和正文"),
        (lambda: with_fields("", "a.md", Fields("A", "en", "B", "{x}")), "not like {x}", "不能是 {x}"),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_the_language_of_the_page(do, english, chinese):
    assert english in refused("en", do)
    assert chinese in refused("zh", do)


def test_an_error_without_a_sentence_says_its_own():
    assert frame("zh").refusal(SettingsError("as it is")) == "as it is"
    assert frame("zh").refusal(ValueError("as it is")) == "as it is"
    assert frame("zh").refusal(ArticleEditError("as it is", key="unknown")) == "as it is"


@pytest.mark.parametrize(
    ("result", "english", "chinese"),
    [
        ({"stage": "check", "reasons": ["missing twin: a.md: no zh"],
          "found": [{"kind": "missing twin", "paths": ["a.md"], "message": "no zh"}]},
         ("The check of the articles found:", "no translation: a.md: no zh"),
         ("文章检查发现：", "缺少译文: a.md: no zh")),
        ({"stage": "dialogues", "reasons": ["FAILED card.yml: the price"]},
         ("These canned dialogues went wrong:", "FAILED card.yml: the price"),
         ("以下测试对话没有通过：", "FAILED card.yml: the price")),
        ({"stage": "dialogues", "reasons": [], "paths": ["a.md"]},
         ("and all canned dialogues passed.", "a.md is live"), ("测试对话全部通过。",)),
        ({"stage": "draft", "reasons": ["Expected …"], "key": "changed", "values": {"path": "a.md"}},
         ("a.md was changed since the draft was begun.",), ("草稿开始之后，a.md 已被修改。",)),
    ],
)  # fmt: skip
def test_what_became_of_a_draft_is_said_in_the_language_of_the_page(result, english, chinese):
    run = Run(1, "publish", "1", "failed", "mei", now(), now(), result, "")
    for lang, said in (("en", english), ("zh", chinese)):
        shown = progress(frame(lang), run)
        assert all(one in shown for one in said)
