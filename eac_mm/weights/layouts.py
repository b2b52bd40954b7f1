"""Rename the weights of other projects to the keys of MMPretrain's backbones."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from mmpretrain.models import ResNet
from mmpretrain.models.backbones.resnet import Bottleneck

# The children of torchvision's ResNet, as the released EAC code numbers them.
EAC_CHILDREN = {
    '0': 'conv1',
    '1': 'bn1',
    '4': 'layer1',
    '5': 'layer2',
    '6': 'layer3',
    '7': 'layer4',
}
RESNET_CHILDREN = tuple(EAC_CHILDREN.values())
# Blocks in the stages of MobileNetV2; torchvision numbers them in one row.
MOBILENET_V2_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
VGGFACE2_IDENTITIES = 8631


def rename_resnet(key: str) -> str | None:
    """Rename ``layer1.0.bn1.weight`` to ``backbone.layer1.0.bn1.weight``."""
    return f'backbone.{key}' if key.split('.')[0] in RESNET_CHILDREN else None


def rename_eac(key: str) -> str | None:
    """Rename ``features.4.0.bn1.weight`` to ``backbone.layer1.0.bn1.weight``."""
    if key in ('fc.weight', 'fc.bias'):
        return f'head.{key}'
    parts = key.split('.', 2)
    if len(parts) < 3 or parts[0] != 'features' or parts[1] not in EAC_CHILDREN:
        return None
    return f'backbone.{EAC_CHILDREN[parts[1]]}.{parts[2]}'


def rename_mobilenet_v2(key: str) -> str | None:
    """Rename ``features.1.conv.1.weight`` to ``backbone.layer1.0.conv.1.conv.weight``.

    torchvision's blocks hold triples of convolution, norm and activation, and at the
    end a convolution and a norm of their own; MMPretrain's hold ``ConvModule`` only.
    """
    if stem := re.fullmatch(r'features\.(0|18)\.([01])\.(\w+)', key):
        place, part, name = stem.groups()
        module = 'conv1' if place == '0' else 'conv2'
        return f'backbone.{module}.{("conv", "bn")[int(part)]}.{name}'
    block = re.fullmatch(r'features\.(\d+)\.conv\.(\d)(?:\.([01]))?\.(\w+)', key)
    if block is None or not 1 <= int(block[1]) <= sum(MOBILENET_V2_BLOCKS):
        return None
    number, module, part, name = block.groups()
    if part is None:
        triples = 1 if number == '1' else 2  # the first block does not expand
        module, part = triples, int(module) - triples
    if int(part) not in (0, 1):
        return None
    stage, index = 1, int(number) - 1
    while index >= MOBILENET_V2_BLOCKS[stage - 1]:
        index -= MOBILENET_V2_BLOCKS[stage - 1]
        stage += 1
    kind = ('conv', 'bn')[int(part)]
    return f'backbone.layer{stage}.{index}.conv.{module}.{kind}.{name}'


def resnet_depth(keys: Collection[str]) -> int:
    """Return the depth of a ResNet, from the blocks that its keys name.

    Args:
        keys: Keys of MMPretrain, such as ``backbone.layer1.0.conv1.weight``.

    Raises:
        ValueError: If MMPretrain has no such ResNet.
    """
    found = [re.match(r'backbone\.layer([1-4])\.(\d+)\.', key) for key in keys]
    blocks = [0] * 4
    for match in filter(None, found):
        stage = int(match[1]) - 1
        blocks[stage] = max(blocks[stage], int(match[2]) + 1)
    bottleneck = any('.conv3.' in key for key in keys)
    for depth, (block, counts) in ResNet.arch_settings.items():
        if tuple(blocks) == counts and (block is Bottleneck) == bottleneck:
            return depth
    known = ', '.join(
        f'{d}: {counts}' for d, (_, counts) in ResNet.arch_settings.items()
    )
    kind = 'bottlenecks' if bottleneck else 'basic blocks'
    raise ValueError(
        f'stages of {tuple(blocks)} {kind} are not a ResNet of MMPretrain ({known}; '
        'bottlenecks from 50 on). Fix: give the whole file of one of these.'
    )


def _resnet(keys: Collection[str]) -> dict:
    return dict(type='ResNet', depth=resnet_depth(keys))


def _caffe_resnet(keys: Collection[str]) -> dict:
    return dict(type='CaffeResNet', depth=resnet_depth(keys))


def _eac(keys: Collection[str]) -> dict:
    depth = resnet_depth(keys)
    return dict(type='CaffeResNet' if depth >= 50 else 'ResNet', depth=depth)


def _mobilenet_v2(keys: Collection[str]) -> dict:
    return dict(type='MobileNetV2')


@dataclass(frozen=True)
class Layout:
    """Describe how another project names its weights.

    Args:
        about: Its name for people.
        example: One of its keys.
        rename: Maps a key to MMPretrain's, or to None if it has none.
        backbone: Maps MMPretrain's keys to the config of the backbone.
        heads: Prefixes of the keys of a head, which is left out.
    """

    about: str
    example: str
    rename: Callable[[str], str | None]
    backbone: Callable[[Collection[str]], dict]
    heads: tuple[str, ...] = ()


# 'feature' is the embedding before the head, in the files of SCN.
RESNET_HEADS = ('fc.', 'feature.')
LAYOUTS = {
    'resnet': Layout(
        "ResNet with torchvision's names",
        'conv1.weight',
        rename_resnet,
        _resnet,
        RESNET_HEADS,
    ),
    'vggface2': Layout(
        "VGGFace2's ResNet, strides and max-pool as in Caffe",
        'conv1.weight',
        rename_resnet,
        _caffe_resnet,
        RESNET_HEADS,
    ),
    'mobilenetv2': Layout(
        "torchvision's MobileNetV2",
        'features.0.0.weight',
        rename_mobilenet_v2,
        _mobilenet_v2,
        ('classifier.',),
    ),
    'eac': Layout(
        'a model of the released EAC code, with its head',
        'features.0.weight',
        rename_eac,
        _eac,
    ),
}


def detect(shapes: dict[str, tuple[int, ...]], numpy_pickle: bool) -> str:
    """Return the name of the layout that the keys of a file belong to.

    Args:
        shapes: Keys of the file and the shapes of its weights.
        numpy_pickle: Whether the file is a pickle of NumPy arrays, as VGGFace2's is.

    Raises:
        ValueError: If the keys belong to none.
    """
    known = {
        name: sum((layout.rename(key) or '').startswith('backbone.') for key in shapes)
        for name, layout in LAYOUTS.items()
    }
    best = max(known, key=known.get)
    if not known[best]:
        names = '; '.join(f'{x.example} of {x.about}' for x in LAYOUTS.values())
        raise ValueError(
            f'no key of the file is known; it holds {list(shapes)[:8]}... Allowed are '
            f'files with keys such as {names}. Fix: give one of these.'
        )
    identities = shapes.get('fc.weight', ())[:1] == (VGGFACE2_IDENTITIES,)
    if best == 'resnet' and (identities or numpy_pickle):
        return 'vggface2'
    return best
