import pytest
import torch

from eac_mm.models.heads.feature_maps import check_batch, last_map


def test_the_last_output_is_taken():
    first, last = torch.zeros(2, 4, 6, 6), torch.zeros(2, 8, 3, 3)
    assert last_map((first, last), 8, 3) is last


@pytest.mark.parametrize(
    ('shape', 'fix'),
    [
        ((2, 8), 'model.neck=None'),
        ((2, 8, 6, 6), 'model.head.in_channels=8 model.head.map_size=6'),
        ((2, 4, 3, 3), 'model.head.in_channels=4 model.head.map_size=3'),
        ((2, 8, 3, 2), 'square images'),
    ],
)
def test_other_sizes_are_refused(shape, fix):
    with pytest.raises(ValueError, match=f'8 channels, 3 x 3, and got .*Fix: .*{fix}'):
        last_map((torch.zeros(shape),), 8, 3)


def test_a_batch_of_one_is_refused():
    check_batch(torch.zeros(2, 8, 3, 3))
    with pytest.raises(ValueError, match='there is 1. Fix: .*drop_last=True'):
        check_batch(torch.zeros(1, 8, 3, 3))
