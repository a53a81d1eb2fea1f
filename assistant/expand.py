"""Writes messages by which passages are found: ``frontdesk expand --knowledge FOLDER``.

For each passage a fine-tuned generator writes messages as customers would type them, and search
finds the passage by those that fit it. Stopped with Ctrl-C, it continues the next time with what is
missing. `frontdesk search --expansions` lists them; with the setting `expansions` the assistant
writes them while it serves.
"""

import argparse
import logging
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.config import Settings
    from assistant.waiting import Waiting
    from knowledge.knowledge_base import KnowledgeBase

logger = logging.getLogger(__name__)

# How long until passages that were added meanwhile are looked for.
PAUSE_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None, prog: str = "python -m assistant.expand") -> int:
    """Write what is missing; return 2 if the folder or the writers cannot be used."""
    from assistant.config import add_arguments

    parser = argparse.ArgumentParser(
        prog=prog,
        description=__doc__,
        epilog="example:\n  %(prog)s --knowledge ./help-centre",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    given = parser.parse_args(arguments)
    from assistant.config import settings_of
    from assistant.errors import AssistantError
    from knowledge.errors import KnowledgeError

    try:
        return _run(settings_of(given))
    except (AssistantError, KnowledgeError, OSError) as error:
        print(f"expand: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("expand: stopped; what was written is kept.", file=sys.stderr)
        return 130


def _run(settings: "Settings") -> int:
    from assistant.writing.message_writer import open_message_writers
    from knowledge.knowledge_base import KnowledgeBase
    from knowledge.models.model_files import open_embedder, open_span_embedders

    embedder = open_embedder(settings.embedder, settings.state)
    spans = open_span_embedders(embedder, settings.state, small=settings.small)
    base = KnowledgeBase.open(
        settings.knowledge, embedder, settings.state, span_embedders=spans, progress=True
    )
    writers = open_message_writers(settings.state, _languages(base))
    if not writers:
        print(
            "expand: nothing was written. Expected articles in English or Chinese, and the "
            "packages that are named above if any are missing.",
            file=sys.stderr,
        )
        return 2
    start = time.perf_counter()
    count = sum(base.expand(writer, progress=True) for writer in writers)
    seconds = time.perf_counter() - start
    print(f"Wrote messages for {count} passages in {seconds / 60:.1f} minutes.")
    return 0


def expand_in_background(base: "KnowledgeBase", state: "Path", waiting: "Waiting") -> None:
    """Write what is missing in a thread of its own, and again after the index was renewed.

    It uses one core, and stands still while a customer waits. A failure is logged and ends it; what
    is there keeps serving.
    """
    thread = threading.Thread(
        target=_expand, args=(base, state, waiting), daemon=True, name="expansions"
    )
    thread.start()


def _expand(base: "KnowledgeBase", state: "Path", waiting: "Waiting") -> None:
    from threadpoolctl import threadpool_limits

    from assistant.errors import AssistantError
    from assistant.writing.message_writer import open_message_writers

    # The limit is this thread's alone.
    with threadpool_limits(1, user_api="openmp"):
        try:
            # Known before anything is written: the index may be renewed meanwhile.
            generation = base.current().snapshot.generation
            while writers := open_message_writers(state, _languages(base), waiting.until_none):
                for writer in writers:
                    base.expand(writer, progress=True)
                while base.current().snapshot.generation == generation:
                    time.sleep(PAUSE_SECONDS)
                generation = base.current().snapshot.generation
        except (AssistantError, OSError) as error:
            logger.error("No more messages are written; what is there serves: %s", error)


def _languages(base: "KnowledgeBase") -> list[str]:
    return sorted({str(passage.lang) for passage in base.current().passages})


if __name__ == "__main__":
    sys.exit(main())
