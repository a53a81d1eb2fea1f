"""Settings: a file, then the console, then the environment, then the command line; the last wins.

Whoever starts the process decides last: what the environment or the command line sets stays set,
whatever is changed in the console.
"""

import argparse
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from assistant.errors import SettingsError
from assistant.kept_values import kept_values

BANK = Path(__file__).parent.parent / "knowledge" / "bank"
# How many right answers one wrong answer outweighs in the thresholds of ``assistant.routing``.
USUAL_CAUTION = 3.0
# How what a value must be is written in every language.
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "expected": ""}
# Their values are never told.
_SECRETS = (
    *("generator_key", "database", "secret_key", "contact_key", "admin_password"),
    *("webhook_secret", "chatwoot_token", "chatwoot_secret", "identity_secret"),
)
# What the console may change. Not where the server is found and what it keeps things in; nor whom
# it trusts, which models it loads and which systems it calls, some of them with a secret.
KEEPABLE = (
    *("caution", "strategy", "max_characters", "keep_days", "contact_days", "per_minute"),
    *("at_once", "queue", "patience", "small", "expansions", "logs"),
)
Place = Literal["command line", "environment", "console", "file", "default"]
# Where a value may come from, the strongest first; without any, it is the default.
PLACES: tuple[Place, ...] = ("command line", "environment", "console", "file")
Strategy = Literal["auto", "tuned", "few_shot", "zero_shot", "extractive"]

logger = logging.getLogger(__name__)


class Options(BaseSettings):
    """The settings that every command takes as options."""

    model_config = SettingsConfigDict(
        env_prefix="FRONTDESK_",
        extra="forbid",
        cli_kebab_case=True,
        cli_hide_none_type=True,
        cli_parse_none_str="none",
    )

    knowledge: Path = Field(BANK, description="the folder of articles to answer from")
    state: Path = Field(Path("var"), description="the folder of indexes and prepared models")
    strategy: Strategy = Field("auto", description="how replies are written")
    caution: float = Field(
        USUAL_CAUTION,
        ge=0.5,
        le=100,
        description="how many right answers one wrong answer outweighs",
    )
    embedder: str | None = Field(
        None, description="a sentence-transformers model, as folder or hub name"
    )
    small: bool = Field(
        False, description="leave out the larger encoder, for machines with less than 4 GB"
    )
    expansions: bool = Field(
        False,
        description="write messages in the background by which passages are found",
    )
    reranker: str | None = Field(None, description="a cross-encoder, as folder or hub name")
    milvus: str | None = Field(None, description="the URI of a Milvus that replaces FAISS")
    generator: str | None = Field(
        None,
        description="a causal language model: smollm2, qwen, none to quote alone, or a folder, hub "
        "name or served name",
    )
    runtime: Literal["auto", "openvino", "llama", "transformers"] = Field(
        "auto", description="what runs smollm2 and qwen; auto: what is fastest for it"
    )
    generator_url: str | None = Field(
        None, description="the base URL of an OpenAI-compatible server"
    )
    adapter: Path | None = Field(None, description="the folder of a PEFT adapter for the generator")
    max_characters: int = Field(4000, ge=1, description="the longest message accepted")


class ServeOptions(Options):
    """The settings that a server takes as options."""

    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(7860, ge=1, le=65535, description="the port to listen on")
    at_once: int = Field(
        os.cpu_count() or 2,
        ge=1,
        le=256,
        description="how many questions are answered at a time; more than cores only make each "
        "slower, unless a generator on another machine is waited for",
    )
    queue: int = Field(32, ge=0, le=1000, description="how many more wait; others are refused")
    patience: float = Field(20, gt=0, le=300, description="the seconds that one waits at most")
    per_minute: int = Field(
        60, ge=1, le=100_000, description="how many questions a key or an address may ask a minute"
    )
    keep_days: int = Field(90, ge=1, le=3650, description="how many days conversations are kept")
    contact_days: int = Field(
        30, ge=1, le=3650, description="how many days it is kept how a customer can be reached"
    )
    logs: Literal["text", "json"] = Field("text", description="how the server says what it does")


class Settings(ServeOptions):
    """Every setting. In the environment, its name is FRONTDESK_<NAME>."""

    # A secret is no option: other users of a machine can read its command lines.
    generator_key: SecretStr | None = Field(None, description="the API key for `generator_url`")
    database: SecretStr | None = Field(
        None, description="where conversations are kept; None for SQLite in the state folder"
    )
    secret_key: SecretStr | None = Field(
        None, description="signs tokens; None for one that is made in the state folder"
    )
    contact_key: SecretStr | None = Field(
        None, description="seals how customers can be reached; None for `secret_key`"
    )
    admin_password: SecretStr | None = Field(
        None, description="the password of the user `admin`, who is made with it"
    )

    trusted_proxies: list[str] = Field(
        ["127.0.0.1"], description="the addresses of proxies that say where a request comes from"
    )
    allowed_origins: list[str] = Field(
        [], description="the origins of other sites whose pages may call and show this one"
    )
    # Whoever has a signature can try secrets at home, and would find a short one.
    identity_secret: SecretStr | None = Field(
        None, min_length=16, description="signs who a customer is, on the company's own site"
    )
    public_url: str | None = Field(
        None, description="where customers reach this server, for links in other systems"
    )
    dialogues: Path | None = Field(
        None,
        description="the folder of canned dialogues that must pass before an article goes live; "
        "None for `dialogues` in the knowledge folder",
    )
    webhook_url: str | None = Field(None, description="where events of handoffs are sent")
    webhook_secret: SecretStr | None = Field(None, description="signs those events")
    webhook_hosts: list[str] = Field([], description="the hosts that events may be sent to")
    chatwoot_url: str | None = Field(None, description="the base URL of a Chatwoot to answer in")
    chatwoot_token: SecretStr | None = Field(None, description="the access token of its agent bot")
    chatwoot_secret: SecretStr | None = Field(
        None, description="the secret with which that bot's events are signed"
    )

    # What each place says, as it says it.
    _given: dict[Place, dict[str, Any]] = PrivateAttr(default_factory=dict)

    def place_of(self, name: str) -> Place:
        """Return where the value of a setting comes from."""
        return next((place for place in PLACES if name in self._given.get(place, {})), "default")

    def is_fixed(self, name: str) -> bool:
        """Return whether who started the process has set it, so that the console cannot."""
        return self.place_of(name) in ("command line", "environment")

    def with_kept(self, kept: Mapping[str, Any]) -> "Settings":
        """Return these settings with what the console keeps, instead of what it kept before.

        Args:
            kept: Values by name. What is no setting, or no longer right, is left out and logged.
        """
        return _merged({**self._given, "console": _usable(kept)}, None)

    @property
    def database_url(self) -> str:
        """The address of the database, as SQLAlchemy takes it."""
        if self.database:
            return self.database.get_secret_value()
        return f"sqlite:///{self.state.resolve() / 'frontdesk.db'}"


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Merge the settings of a file, the environment and the caller.

    Args:
        file: A YAML file of settings.
        overrides: Values that override both; None overrides nothing.

    Raises:
        SettingsError: The file is missing, a key is unknown or a value is invalid.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    return _read(given, file)


def checked(name: str, value: Any) -> Any:
    """Return a value of a setting as JSON can hold it, if the console may keep it.

    Raises:
        SettingsError: It cannot be changed there, or the value is wrong.
    """
    if name not in KEEPABLE:
        raise SettingsError(
            f"Expected a setting that can be changed here: {', '.join(KEEPABLE)}; found {name!r}."
        )
    settings = _merged({"console": {name: value}}, None)
    return settings.model_dump(mode="json", include={name})[name]


def is_secret(name: str) -> bool:
    """Return whether the value of a setting is never told."""
    return name in _SECRETS


def _read(given: dict[str, Any], file: Path | None) -> Settings:
    env, yaml = EnvSettingsSource(Settings)(), _file_source(file)()
    said: dict[Place, dict[str, Any]] = {
        "command line": given, "environment": env, "console": {}, "file": yaml,
    }  # fmt: skip
    return _merged(said, file)


def _merged(given: dict[Place, dict[str, Any]], file: Path | None) -> Settings:
    said = [InitSettingsSource(Settings, given.get(place, {})) for place in PLACES]
    try:
        # To mypy, a model's constructor takes the fields alone.
        settings = Settings(_build_sources=(tuple(said), {}))  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsError(_explain(error, file), **_first(error)) from None
    settings._given = given
    return settings


def _usable(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kept values that are settings; one that is wrong must not keep a server down."""
    usable = {}
    for name, value in kept.items():
        if name not in KEEPABLE:
            continue
        try:
            usable[name] = checked(name, value)
        except SettingsError as error:
            logger.warning("what the console keeps is left out: %s", error)
    return usable


def _file_source(file: Path | None) -> YamlConfigSettingsSource:
    if file and not file.is_file():  # which the source would ignore
        raise SettingsError(f"Expected a YAML file of settings at {file}, found none.")
    try:
        return YamlConfigSettingsSource(Settings, file)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"Expected a YAML file of settings at {file}: {reason}") from None
    except (AttributeError, TypeError, ValueError):
        raise SettingsError(
            f"Expected `name: value` lines in {file}, such as `port: 8080`."
        ) from None


def _explain(error: ValidationError, file: Path | None) -> str:
    lines = []
    for issue in error.errors():
        name = ".".join(str(part) for part in issue["loc"])
        if issue["type"] == "extra_forbidden":
            known = ", ".join(Settings.model_fields)
            lines.append(f"unknown setting {name!r}; known are: {known}")
        else:
            found = "" if name in _SECRETS else f", found {issue['input']!r}"
            lines.append(f"{name}: {issue['msg']}{found}")
    return f"The settings{f' in {file}' if file else ''} are wrong. " + "; ".join(lines)


def _first(error: ValidationError) -> dict[str, str]:
    """Return what pages say of the first wrong value: a key, and what fills its sentence."""
    first = error.errors()[0]
    known = first.get("ctx", {})
    limits = [f"{sign} {known[rule]}".strip() for rule, sign in SIGNS.items() if rule in known]
    name = ".".join(str(part) for part in first["loc"])
    return {"key": "value_limits" if limits else "value", "name": name, "limits": ", ".join(limits)}


def add_arguments(parser: argparse.ArgumentParser, options: type[Options] = Options) -> None:
    """Add ``--config`` and an option for each field of ``options``."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="a YAML file of settings")
    CliSettingsSource[Any](options, root_parser=parser)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings of a command line that ``add_arguments`` parsed.

    What the console keeps in the database that they name counts, too.

    Raises:
        SettingsError: As in ``load_settings``.
    """
    # The source would also try to parse the lists that a command's own options hold.
    given = {n: v for n, v in vars(arguments).items() if n in ServeOptions.model_fields}
    source = CliSettingsSource[Any](ServeOptions)(parsed_args=given)
    settings = _read(source(), arguments.config)
    return settings.with_kept(kept_values(settings.database_url))
