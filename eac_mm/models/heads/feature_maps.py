"""Feature maps as the input of a head: a model without a neck gives them."""

from torch import Tensor


def last_map(feats: tuple[Tensor, ...], channels: int, side: int) -> Tensor:
    """Return the backbone's last feature map, if it has the size expected.

    Args:
        feats: Outputs of a backbone.
        channels: Channels C that the head was made for.
        side: Height and width S that the head was made for.

    Shape:
        Output: (N, C, S, S).

    Raises:
        ValueError: If the size is another one, or a neck has pooled the map.
    """
    maps = feats[-1]
    shape = tuple(maps.shape[1:])
    if shape == (channels, side, side):
        return maps
    fix = 'model.neck=None, so that the head gets maps that are not pooled.'
    if len(shape) == 3:
        fix = f'model.head.in_channels={shape[0]} model.head.map_size={shape[1]}'
        if shape[1] != shape[2]:
            fix = 'Resize to square images in the pipelines.'
    raise ValueError(
        f'the head takes maps of {channels} channels, {side} x {side}, and got '
        f'features of shape {shape}. Fix: {fix}'
    )


def check_batch(maps: Tensor) -> None:
    """Refuse a batch of one, which layers that normalise over it cannot train on.

    Raises:
        ValueError: If there is one sample.
    """
    if len(maps) < 2:
        raise ValueError(
            'the head normalises over the samples of a batch, and there is 1. Fix: '
            'train_dataloader.drop_last=True if it is the last of an epoch, else '
            'train_dataloader.batch_size=2 or more.'
        )
