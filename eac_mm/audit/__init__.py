"""Audit data sets and their labels."""

from eac_mm.utils.training_records import read_records

from .audit_files import write_audit
from .corrected import write_corrected
from .evidence import read_evidence
from .labels import LabelAudit, audit_labels
from .report import build_report
from .review_page import Suspects, write_review_page
from .splits import data_sets, survey_split

__all__ = [
    'LabelAudit',
    'Suspects',
    'audit_labels',
    'build_report',
    'data_sets',
    'read_evidence',
    'read_records',
    'survey_split',
    'write_audit',
    'write_corrected',
    'write_review_page',
]
