"""MMEngine's Runner, for runs that keep their logs apart and the terminal short."""

import itertools
import logging
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from .terminal import is_for_people

_NAMES: set[str] = set()  # of the runs of this process


class ToolboxRunner(Runner):
    """The runner of :func:`~eac_mm.apis.build_runner`.

    It differs from MMEngine's in two ways. Each run has a log folder of its own, even
    if another run began within the same second. The log file alone lists environment,
    config and hooks.
    """

    def setup_env(self, env_cfg: dict) -> None:
        """Set the environment up, and take a name that no other run has.

        MMEngine names the log folder, logger, message hub and visualizer of a run by
        the time in seconds. Two runs of one second would share them.

        Raises:
            OSError: In all processes, if the folder cannot be made.
        """
        super().setup_env(env_cfg)
        taken: list = [None]
        if self.rank == 0:
            try:
                taken = [_take_name(self.work_dir, self.timestamp)]
            except OSError as error:
                taken = [error]
        broadcast_object_list(taken)
        if isinstance(taken[0], OSError):
            raise taken[0]
        self._timestamp = taken[0]

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger, and say where the rest is."""
        logger = super().build_logger(*args, **kwargs)
        files = []
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler):
                files.append(handler.baseFilename)
            elif is_for_people not in handler.filters:
                handler.addFilter(is_for_people)
        if files:
            logger.info(f'Environment, config and hooks are listed in {files[0]}')
        return logger


def _take_name(work_dir: str, time: str) -> str:
    """Make the log folder, and return its name: TIME, else TIME_2, TIME_3 and so on."""
    for number in itertools.count(1):
        name = time if number == 1 else f'{time}_{number}'
        if name in _NAMES:
            continue
        try:
            Path(work_dir, name).mkdir()
        except FileExistsError:
            continue
        _NAMES.add(name)
        return name
