"""Run many trainings and compare them: plans, statistics, tables and plots."""

from .comparison import comparison_table, plan_comparison
from .cost import show_costs
from .curves import curves
from .inputs import missing_inputs
from .page import Page
from .plans import Cell, Plan, refuse_mixed_settings, shard_of
from .report import markdown_table
from .runs import Run, outcome, refuse_outdated, run_all
from .tables import Entry, PaperTables, Table, load_tables

__all__ = [
    'Cell',
    'Entry',
    'Page',
    'PaperTables',
    'Plan',
    'Run',
    'Table',
    'comparison_table',
    'curves',
    'load_tables',
    'markdown_table',
    'missing_inputs',
    'outcome',
    'plan_comparison',
    'refuse_mixed_settings',
    'refuse_outdated',
    'run_all',
    'shard_of',
    'show_costs',
]
