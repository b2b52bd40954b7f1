"""The released EAC code's way of computing, to be measured against.

Written anew from the facts of https://github.com/zyh-uaiaaaa/Erasing-Attention-Consistency:
float32, maps by a product broadcast over (N, L, C, H, W), a flip by
``grid_sample``, and images that are read and augmented one by one with
torchvision's transforms of PIL images.
"""

import random
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from torchvision import transforms

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def maps(features: Tensor, weight: Tensor) -> Tensor:
    """Attention maps (N, L, H, W) of features (N, C, H, W), weight (L, C)."""
    product = features.unsqueeze(1) * weight.detach()[None, :, :, None, None]
    return product.sum(2)


def flip_grid(height: int, width: int) -> Tensor:
    """Return the place of each cell of the mirrored map for ``grid_sample``."""
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(1, -1, width), indexing='ij'
    )
    return torch.stack([x, y], dim=-1)


def consistency(first: Tensor, second: Tensor, grid: Tensor) -> Tensor:
    """Mean squared difference of the maps, the second flipped back."""
    grid = grid.to(second).expand(len(second), -1, -1, -1)
    flipped = F.grid_sample(
        second, grid, mode='bilinear', padding_mode='border', align_corners=True
    )
    return F.mse_loss(first, flipped)


class Step:
    """One training step: two passes, the loss, the backward pass, Adam.

    Args:
        backbone: Gives (N, C, H, W), or a tuple that ends with it.
        channels: C.
        classes: L.
    """

    def __init__(self, backbone: nn.Module, channels: int, classes: int) -> None:
        self.backbone = backbone
        backbone.train()
        device = next(backbone.parameters()).device
        self.classifier = nn.Linear(channels, classes).to(device)
        weights = [*backbone.parameters(), *self.classifier.parameters()]
        self.optimizer = torch.optim.Adam(weights, lr=2e-4, weight_decay=1e-4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, L) and maps (N, L, H, W)."""
        features = self.backbone(images)[-1]
        logits = self.classifier(features.mean((2, 3)))
        return logits, maps(features, self.classifier.weight)

    def __call__(self, views: list[Tensor], labels: Tensor) -> Tensor:
        """Train on a batch of pairs and return the loss."""
        logits, first = self.forward(views[0])
        _, second = self.forward(views[1])
        grid = flip_grid(*first.shape[-2:])
        loss = F.cross_entropy(logits, labels) + 5 * consistency(first, second, grid)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()


class Pairs(Dataset):
    """Pairs of views as the released code makes them for noisy labels.

    Args:
        paths: Image files.
        labels: Their labels.
        size: Side of the views in pixels.
    """

    def __init__(self, paths: list[Path], labels: list[int], size: int = 224) -> None:
        self.paths, self.labels = paths, labels
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.Resize((size, size)),
                transforms.ToTensor(),
                transforms.Normalize(mean=MEAN, std=STD),
                transforms.RandomErasing(scale=(0.02, 0.25)),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, idx: int) -> tuple[Tensor, Tensor, int]:
        image = cv2.imread(str(self.paths[idx]))[:, :, ::-1]
        flipped = cv2.flip(image, 1)
        if random.uniform(0, 1) > 0.5:
            noise = np.random.normal(0, 30**0.5, image.shape)
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        views = [self.transform(np.ascontiguousarray(v)) for v in (image, flipped)]
        return *views, self.labels[idx]
