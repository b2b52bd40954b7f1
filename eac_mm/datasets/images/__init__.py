"""Read images, decode them, and keep them decoded in memory or on the device."""

from .cache_config import (
    CACHES,
    choose_cache,
    settle_loader,
    without_cache,
)
from .device_cache import DeviceCache, ready_batch
from .loading import BadImageError, LoadFace
from .ram_cache import RAMCache

__all__ = [
    'CACHES',
    'BadImageError',
    'DeviceCache',
    'LoadFace',
    'RAMCache',
    'choose_cache',
    'ready_batch',
    'settle_loader',
    'without_cache',
]
