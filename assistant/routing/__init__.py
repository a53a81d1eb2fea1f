"""Takes what is known of a message in, gives the route of its reply out.

Knows nothing of wording. ``rules.py`` is the table of decisions, ``router.py`` applies it.
"""

from assistant.routing.route import ACCOUNT, CRISIS_REASONS, PERSON, SORRY, Route
from assistant.routing.router import Router, unanswered

__all__ = ["ACCOUNT", "CRISIS_REASONS", "PERSON", "SORRY", "Route", "Router", "unanswered"]
