"""Tell what a Runner is doing."""

from typing import Any

from mmengine.runner import Runner


def is_built(loop: Any) -> bool:
    """Return whether a loop of a Runner runs; it stays the config's dict until then."""
    return loop is not None and not isinstance(loop, dict)


def is_training(runner: Runner) -> bool:
    """Return whether ``Runner.train`` is running, not ``val`` or ``test``."""
    return is_built(runner._train_loop)
