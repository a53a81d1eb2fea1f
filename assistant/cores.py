"""Shares the processor among turns that are answered at the same time."""


class Cores:
    """Knows how many threads the networks may use."""

    def __init__(self) -> None:
        """Take as many as torch uses now: the processor's cores, or the environment's."""
        import torch

        self._all = torch.get_num_threads()

    def share(self, turns: int) -> None:
        """Let the networks use this thread's part of the cores from now on.

        Two turns with two threads each on two cores wait for each other in every matrix product:
        they take several times as long as two with one thread each.

        Args:
            turns: How many turns are answered now.
        """
        import torch

        # OpenMP keeps the number for each thread that calls it.
        torch.set_num_threads(max(1, self._all // turns))
