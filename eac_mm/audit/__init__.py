"""Audit data sets and their labels."""

from .report import build_report
from .splits import data_sets, survey_split

__all__ = ['build_report', 'data_sets', 'survey_split']
