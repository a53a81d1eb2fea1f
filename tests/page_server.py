"""The real application with an answerer that says what a script says, so that no model is needed.

`python -m tests.page_server` serves it, to look at the page.
"""

import datetime
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import frontmatter
import uvicorn

from assistant.company import DAYS, Company, People
from assistant.config import BANK
from assistant.message.safety import check
from assistant.messages import Action, Citation, Message, Reply, Support
from assistant.policy import FittedPolicy
from assistant.serve import with_page
from assistant.store.tables import now
from assistant.web.limits import TooOftenError
from assistant.writing.responder import Responder
from assistant.writing.strategies import StrategyChoices
from assistant.writing.templates import Sayings
from knowledge.documents import Article
from knowledge.segmenter import language_of
from tests.conftest import desk_of, served
from tests.fakes import HashEmbedder

# The quotes of a scripted answer: article and words, by language.
QUOTES = {
    "en": [
        ("account-fees", "Replacement or spare card | £5"),
        ("account-confirmation-letter", "A signed paper letter costs £3 and arrives within 5 working days."),
        ("account-confirmation-letter", "It is ready within 1 minute, in English, and free of charge."),
    ],
    "zh": [
        ("account-fees", "补换卡或备用卡 | 5 英镑"),
        ("account-confirmation-letter", "签字的纸质信每份 3 英镑，5 个工作日内送达。"),
    ],
}  # fmt: skip
NEXT = {"en": ("Get a virtual card", "Express delivery of a card", "All fees at a glance"), "zh": ("申请虚拟卡", "所有费用一览")}  # fmt: skip
STEPS = {
    "en": "Do this:\n1. Open Cards in the app.\n2. Choose the card that is lost.\n3. Tap Freeze.\n\nThe card is frozen at once.",
    "zh": "请这样操作：\n1. 在应用中打开“卡片”。\n2. 选择遗失的卡。\n3. 点按“冻结”。\n\n卡片会立即冻结。",
}
CHOICES = {
    "en": ("Business plans and fees", "Lantern Plus, the paid plan", "None of these"),
    "zh": ("充值失败或被退回", "付款被拒绝", "都不是"),
}
LONG = {"en": "The fee depends on the country and on the day. ", "zh": "费用取决于国家和日期。"}


class Answerer:
    """Answers by the words of a question; `pause` seconds lie between two pieces."""

    generator = None

    def __init__(self) -> None:
        company = Company.load(BANK)
        company.people = People(timezone="UTC", hours=dict.fromkeys(DAYS, "00:00-24:00"), minutes=5)
        sayings, choices = Sayings.load_all(), StrategyChoices.load()
        self.listener = SimpleNamespace(embedder=HashEmbedder())
        self.responder = Responder(company=company, sayings=sayings, choices=choices)
        self.articles = {(a.lang, a.id): a for lang in ("en", "zh") for a in _articles(lang)}
        self.finder = SimpleNamespace(policy=FittedPolicy())
        self.asked: list[tuple[str, int]] = []
        self.failing = False
        self.pause = 0.0

    def stream(self, question: str, history: Sequence[Message] = ()):
        check(question, self.responder.max_characters)
        self.asked.append((question, len(history)))
        if "limited" in question:
            raise TooOftenError("questions", 2)
        words = question.lower()
        lang = language_of(question)
        reply = self._reply(words, lang)
        slow = "slow" in words or "慢" in words
        pieces = reply.text.splitlines(keepends=True) if not slow else _words(reply.text)
        for place, piece in enumerate(pieces):
            if self.failing and place:
                raise RuntimeError("a script said so")
            yield piece
            time.sleep(0.03 if slow else self.pause)
        if "late" in words:
            time.sleep(1.5)
        yield reply

    def _reply(self, words: str, lang: str) -> Reply:
        found = (say for any_of, say in SCRIPT.items() if any(one in words for one in any_of))
        say = next(found, None)
        return say(self.responder.saying, lang) if say else self._cited(lang)

    def _cited(self, lang: str) -> Reply:
        citations, support = [], []
        for number, (article, quote) in enumerate(QUOTES[lang], 1):
            text = self.articles[lang, article].text
            start = text.index(quote)
            place = (article, lang, self.articles[lang, article].title, quote, start)
            citations.append(Citation(number, *place, start + len(quote)))
            support.append(Support(quote.replace(" | ", ": "), number))
        text = ("" if lang == "zh" else " ").join(one.sentence for one in support)
        return Reply(
            text, Action.ANSWER, "answer", lang, citations=tuple(citations), support=tuple(support),
            suggestions=NEXT[lang],
        )  # fmt: skip

    def article(self, lang: str, article: str) -> Article | None:
        return self.articles.get((lang, article))

    def valid_articles(self) -> list[Article]:
        return list(self.articles.values())

    def versions(self) -> dict[str, str]:
        return {"index": "scripted"}


def _plain(text: str, lang: str, action: Action = Action.ANSWER, reason: str = "answer", **more):
    said = tuple(Support(part, None) for part in text.split("\n") if part)
    return Reply(text, action, reason, lang, support=said, **more)


def _danger(saying, lang):
    more = {"urgent": True, "suggestions": NEXT[lang]}
    return _plain(saying("distress", lang), lang, Action.HANDOFF, "distress", **more)


def _person(saying, lang):
    reason = "talk_to_a_person"
    return _plain(saying(reason, lang), lang, Action.HANDOFF, reason)


def _which(saying, lang):
    listed = "".join(f"\n{n}. {choice}" for n, choice in enumerate(CHOICES[lang], 1))
    text = saying("clarify", lang) + listed
    return _plain(text, lang, Action.CLARIFY, "clarify", choices=CHOICES[lang])


def _angry(saying, lang):
    return _plain(saying("sorry", lang), lang, sentiment="negative", suggestions=NEXT[lang])


EVIL = (
    "${alert(1)} <img src=x onerror=alert(1)> {{7*7}} \u202eesrever\u202c "
    + "x" * 4000
    + " </script><script>alert(1)</script>"
)


# What is said to a question with one of these words; all others get an answer with sources.
SCRIPT = {
    ("danger", "危险"): _danger,
    ("person", "人工"): _person,
    ("which", "哪个"): _which,
    ("angry", "生气"): _angry,
    ("thanks", "谢谢"): lambda say, lang: _plain(
        say("thanks", lang), lang, Action.SMALL_TALK, "thanks"
    ),
    ("steps", "步骤"): lambda _, lang: _plain(STEPS[lang], lang, suggestions=NEXT[lang][:1]),
    ("long", "长"): lambda _, lang: _plain(LONG[lang] * 30, lang),
    ("evil",): lambda _, lang: _plain(EVIL, lang),
}


def _words(text: str) -> list[str]:
    return [text[start : start + 6] for start in range(0, len(text), 6)]


def _articles(lang: str) -> list[Article]:
    found = []
    for path in sorted((BANK / "articles" / lang).glob("*.md")):
        page = frontmatter.load(str(path))
        meta = page.metadata
        found.append(Article(meta["id"], meta["title"], lang, page.content, path.name))
    return found


class PageServer:
    """The application, served from a thread of this process."""

    def __init__(self, folder: Path, *, origins: Sequence[str] = ()) -> None:
        self.answerer = Answerer()
        self.served = served(desk_of(self.answerer, folder), origins=origins)
        self.desk = self.served.desk
        app = with_page(self.served.app, self.desk, self.served.access)
        self.port = _free_port()
        self._app = app
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def handoffs(self):
        return self.desk.handover.handoffs

    def start(self) -> None:
        config = uvicorn.Config(
            self._app, host="127.0.0.1", port=self.port, log_level="warning",
            timeout_graceful_shutdown=1, timeout_keep_alive=60,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.time() + 20
        while not self._server.started:
            assert time.time() < until, "the server did not start within 20 seconds"
            time.sleep(0.05)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self.desk.conversations.interrupt_all()

    def close_people(self) -> datetime.datetime:
        """Let nobody be there now; return when somebody is, in UTC."""
        people = self.answerer.responder.company.people
        assert people
        day = now() + datetime.timedelta(days=3)
        people.hours = {DAYS[day.weekday()]: "09:00-17:00"}
        opening = people.opening(now())
        assert opening
        return opening

    def open_people(self) -> None:
        people = self.answerer.responder.company.people
        assert people
        people.hours = dict.fromkeys(DAYS, "00:00-24:00")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve until interrupted."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        server = PageServer(Path(folder))
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
