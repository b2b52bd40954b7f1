import pytest

from eac_mm.datasets import DeviceCache
from eac_mm.datasets.images import CACHES, choose_cache, settle_loader, without_cache
from eac_mm.datasets.images.cache_config import cache_of

PLAIN = dict(type='RAFDB', split='train')
LOADER = dict(num_workers=4, persistent_workers=True, prefetch_factor=2)


def test_cache_of():
    assert cache_of(PLAIN) == 'none'
    assert cache_of(dict(type='RAMCache', dataset=PLAIN)) == 'ram'
    assert cache_of(dict(type='mmpretrain.DeviceCache', dataset=PLAIN)) == 'device'
    assert cache_of(dict(type=DeviceCache, dataset=PLAIN)) == 'device'
    # an inner one is not the loader's
    inner = dict(type='RepeatDataset', dataset=dict(type='RAMCache', dataset=PLAIN))
    assert cache_of(inner) == 'none'


@pytest.mark.parametrize('before', CACHES)
@pytest.mark.parametrize('after', CACHES)
def test_one_cache_in_place_of_another(before, after):
    loader = dict(dataset=PLAIN)
    choose_cache(loader, before)
    choose_cache(loader, after)
    assert cache_of(loader['dataset']) == after
    assert without_cache(loader['dataset']) is PLAIN


def test_unknown_cache():
    with pytest.raises(ValueError, match="cache='gpu' is unknown.*'ram', 'device'"):
        choose_cache(dict(dataset=PLAIN), 'gpu')


@pytest.mark.parametrize('cache', ['none', 'ram'])
def test_loaders_that_stay_as_they_are(cache):
    loader = dict(LOADER, dataset=PLAIN)
    choose_cache(loader, cache)
    settle_loader(loader)
    assert {key: loader[key] for key in LOADER} == LOADER
    assert set(loader) == {*LOADER, 'dataset'}


def test_the_loader_of_images_on_the_device():
    loader = dict(LOADER, dataset=PLAIN)
    choose_cache(loader, 'device')
    settle_loader(loader)
    assert loader == dict(
        num_workers=0,
        persistent_workers=False,
        pin_memory=False,
        collate_fn=dict(type='ready_batch'),
        dataset=dict(type='DeviceCache', dataset=PLAIN),
    )
