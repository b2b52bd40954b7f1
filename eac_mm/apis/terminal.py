"""Keep the terminal for what a person wants to know; the log file has everything."""

import logging
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner

# How messages begin that a run logs each time: long listings, and warnings of packages
# below, which a user can do nothing about.
FOR_THE_FILE = (
    '\n' + '-' * 60 + '\nSystem environment:',
    'Config:\n',
    'Hooks will be executed in the following order:',
    'Distributed training is not used, all SyncBatchNorm',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


def is_for_people(record: logging.LogRecord) -> bool:
    """Return whether a message goes to the terminal, too."""
    return not record.getMessage().startswith(FOR_THE_FILE)


class QuietRunner(Runner):
    """MMEngine's Runner, whose log file alone lists environment, config and hooks."""

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
