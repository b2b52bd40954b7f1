"""Images that are decoded once and kept, in memory or on the training device."""

from .batch_transforms import build_batch_transforms
from .device_images import DeviceImages
from .ram_cache import RAMCache

CACHES = ('none', 'ram', 'device')

__all__ = ['CACHES', 'DeviceImages', 'RAMCache', 'build_batch_transforms']
