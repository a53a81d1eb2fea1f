"""Every setting with its value, and where it comes from; never a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from assistant.config import KEEPABLE, Settings, is_secret
from assistant.store.kept_settings import Kept


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as it is shown.

    Attributes:
        name: Its name.
        value: Its value; of a secret, whether it is set: "yes" or "no".
        place: Where the value comes from: command line, environment, console, file or default.
        default: What it is where nobody says otherwise; "" for a secret.
        is_secret: Whether the value is never told.
        can_change: Whether the console may keep another value that counts.
        author: Who set what the console keeps; "" for nobody.
        created: When, in UTC.
    """

    name: str
    value: str
    place: str
    default: str
    is_secret: bool
    can_change: bool
    author: str = ""
    created: datetime | None = None


def setting_lines(settings: Settings, kept: Mapping[str, Kept]) -> list[SettingLine]:
    """Return all settings: first those that can be changed, then the others.

    Args:
        settings: The settings, with what is kept in effect.
        kept: What the console keeps, by name.
    """
    others = [name for name in type(settings).model_fields if name not in KEEPABLE]
    return [_line(settings, name, kept.get(name)) for name in (*KEEPABLE, *others)]


def _line(settings: Settings, name: str, kept: Kept | None) -> SettingLine:
    value, field = getattr(settings, name), type(settings).model_fields[name]
    secret = is_secret(name)
    return SettingLine(
        name=name,
        value=("yes" if value else "no") if secret else shown(name, value),
        place=settings.place_of(name),
        default="" if secret else shown(name, field.get_default(call_default_factory=True)),
        is_secret=secret,
        can_change=name in KEEPABLE and not settings.is_fixed(name),
        author=kept.author if kept else "",
        created=kept.created if kept else None,
    )


def shown(name: str, value: Any) -> str:
    """Return a value as people read it; of another system's address, the host alone."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if name == "milvus" or name.endswith("_url"):
        return _host(str(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _host(url: str) -> str:
    """Return an address without what may be a secret in it: a name, a password, a path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "…"
    if not host:
        return "…" if ":" in url or "@" in url else url
    more = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{more}"
