"""Heads that MMPretrain does not have."""

from .coarse_fine_head import CoarseFineHead
from .dacl_head import DACLHead
from .dmue_head import DMUEHead
from .eac_head import EACHead
from .ltnet_head import LTNetHead
from .rul_head import RULHead
from .sample_loss_head import SampleLossHead
from .scn_head import SCNHead

__all__ = [
    'CoarseFineHead',
    'DACLHead',
    'DMUEHead',
    'EACHead',
    'LTNetHead',
    'RULHead',
    'SCNHead',
    'SampleLossHead',
]
