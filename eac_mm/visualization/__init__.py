"""Draw what a network learned: attention, features, losses, and what it trains on."""

from .attention import AttentionRow, draw_attention, overlay
from .attention_figure_hook import AttentionFigureHook
from .embedding import draw_embedding, embed
from .looks import Look, look_at
from .losses import classification_losses, draw_losses
from .pairs import draw_pairs
from .style import save

__all__ = [
    'AttentionFigureHook',
    'AttentionRow',
    'Look',
    'classification_losses',
    'draw_attention',
    'draw_embedding',
    'draw_losses',
    'draw_pairs',
    'embed',
    'look_at',
    'overlay',
    'save',
]
