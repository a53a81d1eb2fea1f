"""Renders model cards and reports from Jinja templates."""

from pathlib import Path
from typing import Any


def render(template: Path, *, trim: bool = False, **values: Any) -> str:
    """Return a rendered template.

    Args:
        template: A Jinja file; values are escaped if its name contains ``.html``.
        trim: Whether lines that hold only a Jinja tag leave no blank line.
        **values: What the template may use.

    Raises:
        jinja2.UndefinedError: The template uses a value that is missing.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined,
        autoescape=".html" in template.name,  # noqa: S701  # cards are Markdown
        trim_blocks=trim,
        lstrip_blocks=trim,
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)
