"""Tell what a Runner is doing."""

from typing import Any

from mmengine.runner import Runner


def is_built(loop: Any) -> bool:
    """Return whether a loop of a Runner runs; it stays the config's dict until then."""
    return loop is not None and not isinstance(loop, dict)


def is_training(runner: Runner) -> bool:
    """Return whether ``Runner.train`` runs or has run, not only ``val`` or ``test``."""
    return is_built(runner._train_loop)


def is_starting(runner: Runner) -> bool:
    """Return whether a training was set up and has made no step.

    A checkpoint that is loaded then is resumed or started from. One that is loaded
    later, such as the best one after training, is there to be measured.
    """
    return is_training(runner) and getattr(runner._train_loop, 'iter', 0) == 0
