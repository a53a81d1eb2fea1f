"""Serves an answerer without models: ``python -m benchmarks.server.stand_in``.

All else is ``frontdesk serve``, with its options and settings, except that it has no pages.
"""

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.server.stand_in",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: FRONTDESK_DATABASE=sqlite:////tmp/x.db "
        "python -m benchmarks.server.stand_in --port 7861",
    )
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="that an answer takes; default: %(default)s"
    )
    given, options = parser.parse_known_args(arguments)
    from assistant import serve
    from assistant.assistant import Assistant
    from assistant.ui.console import mount
    from benchmarks.server.answerer import Answerer

    answerer = Answerer(given.seconds, people=True)
    Assistant.from_config = lambda _: answerer  # type: ignore[assignment,method-assign,return-value]
    serve.with_page = mount.with_console = lambda app, *_: app
    return serve.main(options)


if __name__ == "__main__":
    sys.exit(main())
