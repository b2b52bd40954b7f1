"""Draw what a network learned: attention, features, losses, and what it trains on."""

from .attention import AttentionRow, Look, draw_attention, overlay
from .embedding import draw_embedding, embed
from .losses import classification_losses, draw_losses
from .pairs import draw_pairs
from .style import save

__all__ = [
    'AttentionRow',
    'Look',
    'classification_losses',
    'draw_attention',
    'draw_embedding',
    'draw_losses',
    'draw_pairs',
    'embed',
    'overlay',
    'save',
]
