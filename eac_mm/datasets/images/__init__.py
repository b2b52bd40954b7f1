"""Read images, decode them, and keep them decoded in memory or on the device."""

from .batch_transforms import build_batch_transforms
from .device_images import DeviceImages
from .loading import BadImageError, LoadFace
from .ram_cache import RAMCache

CACHES = ('none', 'ram', 'device')

__all__ = [
    'CACHES',
    'BadImageError',
    'DeviceImages',
    'LoadFace',
    'RAMCache',
    'build_batch_transforms',
]
