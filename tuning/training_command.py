"""The command line that trainings with a configuration file have in common."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tuning.config_file import ConfigError, ConfigFile

Settings = TypeVar("Settings", bound=ConfigFile)
# Keys of the configuration that are options too.
REPLACEABLE = ("epochs", "max_steps", "output", "seed")


def parsed(name: str, doc: str | None, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of ``python -m tuning.<name>``.

    Args:
        name: The command's name, which is that of its configuration, too.
        doc: What it says of itself.
        arguments: The command line; None for the process's own.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m tuning.{name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Example: FRONTDESK_DATA=~/data python -m tuning.{name} "
        f"--config tuning/configs/{name}.yaml",
    )
    parser.add_argument("--config", type=Path, required=True, help="a YAML file")
    parser.add_argument("--epochs", type=float, help="replaces the config's")
    parser.add_argument("--max-steps", type=int, help="replaces the config's")
    parser.add_argument("--output", type=Path, help="replaces the config's")
    parser.add_argument("--seed", type=int, help="replaces the config's")
    parser.add_argument("--state", type=Path, default=Path("var"), help="default: %(default)s")
    return parser.parse_args(arguments)


def run(
    name: str,
    options: argparse.Namespace,
    settings: type[Settings],
    train: Callable[[Settings, Path], None],
    kept: str = "nothing was written",
) -> int:
    """Train as the options say; return 1 if something cannot be used, 130 after Ctrl-C, else 0.

    Args:
        name: The command's name.
        options: Those of ``parsed``.
        settings: What the configuration file holds.
        train: Takes the settings and the state folder.
        kept: What a training that was stopped leaves, as its last line says it.
    """
    from knowledge.errors import KnowledgeError

    try:
        changed = {key: getattr(options, key) for key in REPLACEABLE}
        train(settings.load(options.config, **changed), options.state)
    except (ConfigError, KnowledgeError, ValueError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: stopped; {kept}.", file=sys.stderr)
        return 130
    return 0
