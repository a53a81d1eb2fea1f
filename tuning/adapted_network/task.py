"""One training from its rows to the folder that serves, and its command line."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tuning.training_command import parsed, run

if TYPE_CHECKING:
    import torch

    from tuning.adapted_network.config import NetworkSettings
    from tuning.adapted_network.training import TrainedNetwork

Row = TypeVar("Row")
# By language, or by language and kind: how many rows there are, and how many are told rightly.
Measures = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Task(Generic[Row]):
    """What one training differs in.

    Attributes:
        labels: Those of each layer.
        unit: What a row is called: "messages".
        rows: What it learns from.
        dev: What it is calibrated and measured on.
        loss: That of a batch.
        varied: Returns a row as it is, or in another spelling.
        measured: Returns the temperature of each layer, and the measures on ``dev``.
        card: The template of the model card.
        told: What else the card says.
    """

    labels: Mapping[str, Sequence[str]]
    unit: str
    rows: Sequence[Row]
    dev: Sequence[Row]
    loss: "Callable[[TrainedNetwork, Sequence[Row]], torch.Tensor]"
    varied: Callable[[Row, random.Random], Row]
    measured: "Callable[[TrainedNetwork, Sequence[Row]], tuple[Mapping[str, float], Measures]]"
    card: Path
    told: Mapping[str, Any] = field(default_factory=dict)


def command(
    name: str, doc: str | None, arguments: Sequence[str] | None, task: Callable[[], Task[Any]]
) -> int:
    """Run ``python -m tuning.<name>``: train, measure and save.

    Args:
        name: The command's name.
        doc: What it says of itself.
        arguments: The command line; None for the process's own.
        task: Reads the rows; called once the options are known.

    Returns:
        1 if something cannot be used, 130 after Ctrl-C, else 0.
    """
    options = parsed(name, doc, arguments)
    from tuning.adapted_network.config import NetworkSettings

    def train(settings: NetworkSettings, state: Path) -> None:
        _train(task(), settings, state)

    return run(name, options, NetworkSettings, train)


def lowered(text: str) -> str:
    """Return a text in lower case and without final punctuation; unchanged if nothing is left."""
    return text.lower().strip(" ?!.？！。") or text


def _train(task: Task[Row], settings: "NetworkSettings", state: Path) -> None:
    import torch

    from tuning.adapted_network.model_folder import save_result
    from tuning.adapted_network.training import TrainedNetwork, train

    start = time.perf_counter()
    network = TrainedNetwork(settings, task.labels, state)
    print(f"{len(task.rows):,} {task.unit} for training, {len(task.dev):,} for development")
    if torch.cuda.is_available():
        network.cuda()
    loss = train(network, task.rows, lambda batch: task.loss(network, batch), task.varied)
    temperatures, development = task.measured(network, task.dev)
    facts: dict[str, Any] = {
        task.unit: len(task.rows),
        "loss": round(loss, 3),
        "temperatures": temperatures,
        "development": development,
        "seconds": round(time.perf_counter() - start),
    }
    _print(development)
    save_result(network, facts, task.card, **task.told)


def _print(measures: Measures, of: str = "") -> None:
    """Print a line for each language, or for each of its kinds."""
    for name, row in measures.items():
        if all(isinstance(value, Mapping) for value in row.values()):
            _print(row, f"{of}{name} ")
        else:
            counts = ", ".join(f"{measure} {count}" for measure, count in row.items())
            print(f"{of}{name}: {counts}")
