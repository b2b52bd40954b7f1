"""The cache in a config: which one a data set has, and how to give it another.

``tools/train.py --cache`` wraps the training data of any recipe. The choice stays in
the config as the type of the outermost data set. With ``ram`` a run draws the same
random numbers as without a cache; with ``device`` it draws others.
"""

from ..validate import require_choice

WRAPPERS = {'ram': 'RAMCache', 'device': 'DeviceCache'}
CACHES = ('none', *WRAPPERS)


def cache_of(dataset: dict) -> str:
    """Return which of :data:`CACHES` a data set's config asks for."""
    kind = dataset.get('type')
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    names = {wrapper: cache for cache, wrapper in WRAPPERS.items()}
    return names.get(name.rpartition('.')[2], 'none')


def without_cache(dataset: dict) -> dict:
    """Return the config of the data set that a cache wraps, or the config itself."""
    return dataset if cache_of(dataset) == 'none' else dataset['dataset']


def choose_cache(loader: dict, cache: str) -> None:
    """Wrap a loader's data set in a cache, in place of the one that it has, if any.

    Args:
        loader: Config of the loader, changed in place.
        cache: ``'none'``, ``'ram'`` (:class:`RAMCache`) or ``'device'``
            (:class:`DeviceCache`).

    Raises:
        ValueError: For another ``cache``.
    """
    require_choice('cache', cache, CACHES)
    if cache_of(loader['dataset']) == cache:
        return
    dataset = without_cache(loader['dataset'])
    if cache != 'none':
        dataset = dict(type=WRAPPERS[cache], dataset=dataset)
    loader['dataset'] = dataset


def settle_loader(loader: dict) -> None:
    """Set what a loader needs for its cache.

    :class:`DeviceCache` leaves nothing for workers to do, serves batches that need no
    collating, and has nothing to copy to the device.

    Args:
        loader: Config of the loader, changed in place.
    """
    if cache_of(loader['dataset']) == 'device':
        loader.update(
            num_workers=0,
            persistent_workers=False,
            pin_memory=False,
            collate_fn=dict(type='ready_batch'),
        )
        loader.pop('prefetch_factor', None)  # torch refuses it without workers
