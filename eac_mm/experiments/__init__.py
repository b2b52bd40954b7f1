"""Many trainings and what they come to: plans, statistics, tables and plots."""

from .markdown import markdown_table
from .plans import Cell, plan, shard_of
from .runs import Run, run_all
from .summary import Summary, spread, summarise
from .tables import Entry, PaperTables, Table, load_tables

__all__ = [
    'Cell',
    'Entry',
    'PaperTables',
    'Run',
    'Summary',
    'Table',
    'load_tables',
    'markdown_table',
    'plan',
    'run_all',
    'shard_of',
    'spread',
    'summarise',
]
