import cv2
import numpy as np
import pytest
import torch
from mmpretrain.datasets import BaseDataset
from scipy.special import softmax
from scipy.stats import truncnorm
from torch.utils.data import TensorDataset

from eac_mm.datasets import FolderFaces, NoisyLabels, SyntheticFER
from eac_mm.datasets.labels import Annotations
from eac_mm.datasets.noise.instances import instance_shares, read_features


def test_features_are_standardised_pixels(tmp_path):
    # Grey levels 0 and 200: mean 100, standard deviation 100
    for name, value in (('a', 0), ('b', 200)):
        (tmp_path / name).mkdir()
        image = np.full((40, 50, 3), value, np.uint8)
        cv2.imwrite(str(tmp_path / name / '0.png'), image)
    data = FolderFaces(str(tmp_path), pipeline=[dict(type='LoadFace')])
    features = read_features(Annotations(data))
    assert features.shape == (2, 32 * 32 * 3)
    np.testing.assert_allclose(features, np.repeat([[-1.0], [1]], 3072, axis=1))


def test_channels_are_standardised_each_by_itself():
    images = [np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32, 3), np.uint8)]
    images[1][..., 2] = 9
    images[0][..., 1] = 4

    class InMemory(BaseDataset):
        def load_data_list(self):
            return [dict(img=image, gt_label=0) for image in images]

    features = read_features(Annotations(InMemory('', pipeline=[])))
    features = features.reshape(2, -1, 3)
    np.testing.assert_allclose(features[0], [[0, 1, -1]] * 1024)
    np.testing.assert_allclose(features[1], [[0, -1, 1]] * 1024)


def test_a_data_set_without_images_to_read():
    data = TensorDataset(torch.zeros(3, 1), torch.tensor([0, 1, 0]))
    data.classes = ('a', 'b')
    with pytest.raises(ValueError, match='TensorDataset gives neither img nor img_pa'):
        NoisyLabels(data, kind='instance', rate=0.3)


@pytest.mark.parametrize('rate', [0.1, 0.3])
def test_shares_follow_the_published_generator(rate):
    """Written from Algorithm 2, sample by sample."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((6, 4)).astype(np.float32) / 4
    labels = np.array([0, 1, 2, 2, 1, 0])
    shares = instance_shares(features, labels, rate, 3, seed=7)

    rng = np.random.default_rng([7, 1])
    flips = truncnorm(-rate / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1).rvs(
        6, random_state=rng
    )
    weights = [rng.standard_normal((4, 3), np.float32) for _ in range(3)]
    for x, y, q, row in zip(features, labels, flips, shares, strict=True):
        scores = x @ weights[y]
        others = [k for k in range(3) if k != y]
        assert row[y] == pytest.approx(1 - q)
        np.testing.assert_allclose(row[others], q * softmax(scores[others]), rtol=1e-5)
    np.testing.assert_allclose(shares.sum(1), 1)


def test_rate_and_dependence_on_the_image():
    images = np.random.default_rng(1).standard_normal((2, 3072)).astype(np.float32)
    features = np.repeat(images, 5000, axis=0)
    shares = instance_shares(features, np.zeros(10_000, int), 0.3, 5, seed=0)
    # The mean of N(0.3, 0.1) truncated at 0 is 0.3004; five standard errors: 0.005
    assert shares[:, 1:].sum(1).mean() == pytest.approx(0.3004, abs=0.005)
    for part in (shares[:5000], shares[5000:]):
        # Of 3,072 pixels: one wrong label takes nearly all, the same for each copy.
        assert (part[:, 1:].max(1) / part[:, 1:].sum(1)).min() > 0.99
        assert len(set(part[:, 1:].argmax(1))) == 1


def test_noisy_labels_of_images():
    faces = SyntheticFER(size=400, img_size=24, pipeline=[])
    noisy = NoisyLabels(faces, kind='instance', rate=0.4, seed=3)
    # 160 are expected, and five standard deviations are 49
    assert 111 < len(noisy.wrong_indices) < 209
    again = NoisyLabels(faces, kind='instance', rate=0.4, seed=3)
    assert again.given_labels.tolist() == noisy.given_labels.tolist()
    other = NoisyLabels(faces, kind='instance', rate=0.4, seed=4)
    assert other.given_labels.tolist() != noisy.given_labels.tolist()


def test_no_rate_is_no_noise():
    faces = SyntheticFER(size=20, img_size=24, pipeline=[])
    assert NoisyLabels(faces, kind='instance').wrong_indices.tolist() == []
