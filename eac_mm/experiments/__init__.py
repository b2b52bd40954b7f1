"""Run many trainings and compare them: plans, statistics, tables and plots."""

from .comparison import comparison_table, plan_comparison
from .cost import show_costs
from .curves import curves
from .page import FewerResults, Page
from .plans import Cell, plan, shard_of
from .report import markdown_table
from .runs import Run, run_all
from .tables import Entry, PaperTables, Table, load_tables

__all__ = [
    'Cell',
    'Entry',
    'FewerResults',
    'Page',
    'PaperTables',
    'Run',
    'Table',
    'comparison_table',
    'curves',
    'load_tables',
    'markdown_table',
    'plan',
    'plan_comparison',
    'run_all',
    'shard_of',
    'show_costs',
]
