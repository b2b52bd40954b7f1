"""Keep the terminal for what a person wants to know; the log file has everything."""

import logging

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
