import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from eac_mm.datasets.noise import model
from eac_mm.datasets.noise.model import (
    check_options,
    check_rate,
    check_seed,
    draw_labels,
    draw_rows,
    transition_matrix,
)

CLASSES = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')
ABC = ('a', 'b', 'c')


def balanced(size, classes=7):
    return np.repeat(np.arange(classes), size)


# rates and seeds


@pytest.mark.parametrize('rate', [0, 0.0, 0.3, 0.999, np.float32(0.5), np.float64(0.5)])
def test_good_rate(rate):
    check_rate(rate)


@pytest.mark.parametrize(
    'rate', [-0.1, 1, 1.0, 1.5, float('nan'), float('inf'), 'abc', True, False, None]
)
def test_bad_rate(rate):
    with pytest.raises(
        ValueError, match=r'noise rate .* is not in \[0, 1\)\. Fix: give'
    ) as error:
        check_rate(rate)
    assert f'noise rate {rate!r} is not' in str(error.value)


@pytest.mark.parametrize('seed', [-1, 1.0, 'abc', True, None])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match=r'Fix: give an integer, 0 or more') as error:
        draw_labels(np.array([0]), np.eye(2), seed)
    assert f'noise seed {seed!r} is not' in str(error.value)


def test_good_seed():
    check_seed(0)
    check_seed(np.int64(7))
    check_seed(2**40)


# transitions


def test_symmetric_matrix():
    np.testing.assert_allclose(
        transition_matrix('symmetric', 0.3, ABC),
        [[0.7, 0.15, 0.15], [0.15, 0.7, 0.15], [0.15, 0.15, 0.7]],
        rtol=1e-12,
    )


@pytest.mark.parametrize('kind', ['symmetric', 'uniform'])
def test_matrix_of_no_noise(kind):
    np.testing.assert_array_equal(transition_matrix(kind, 0, ABC), np.eye(3))


def test_uniform_matrix():
    # 0.7 + 0.3 / 3 stay
    np.testing.assert_allclose(
        transition_matrix('uniform', 0.3, ABC),
        [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
        rtol=1e-12,
    )


def test_uniform_noise_of_20_percent_on_ten_classes_changes_18():
    clean = balanced(5000, 10)
    matrix = transition_matrix('uniform', 0.2, [str(i) for i in range(10)])
    wrong = (draw_labels(clean, matrix, 0) != clean).sum()
    # five standard deviations of Binomial(50000, 0.18)
    assert abs(wrong - 9000) < 5 * np.sqrt(50_000 * 0.18 * 0.82)


def test_asymmetric_matrix_of_pairs():
    matrix = transition_matrix('asymmetric', 0.25, ABC, {'a': 'c', 'c': 'b'})
    np.testing.assert_array_equal(matrix, [[0.75, 0, 0.25], [0, 1, 0], [0, 0.25, 0.75]])


@pytest.mark.parametrize('convert', [list, np.array, tuple])
def test_asymmetric_matrix_as_it_is(convert):
    rows = [[0.5, 0.5, 0], [0, 1, 0], [0.2, 0.3, 0.5]]
    matrix = transition_matrix('asymmetric', 0, ABC, convert(rows))
    np.testing.assert_array_equal(matrix, rows)


@pytest.mark.parametrize(
    ('kind', 'rate', 'transition', 'message'),
    [
        (
            'gaussian',
            0.3,
            None,
            r"noise kind 'gaussian' is .*Fix: choose .*'symmetric', 'uniform', 'asymm",
        ),
        ('symmetric', 1.0, None, r'noise rate 1.0'),
        ('symmetric', 0.3, {'a': 'b'}, r'takes no transition. Fix: kind="asymmetric"'),
        ('uniform', 0.3, {'a': 'b'}, r'uniform noise takes no transition. Fix: kind='),
        ('asymmetric', 0.3, None, r'needs a transition, got None. .* matrix of 3 x 3'),
        ('asymmetric', 0.3, {}, r'needs a transition, got \{\}. Fix'),
        ('asymmetric', 0.3, {'a': 'd'}, r"names the class 'd'; .*\('a', 'b', 'c'\)"),
        ('asymmetric', 0.3, {'A': 'b'}, r"names the class 'A'"),
        ('asymmetric', 0.3, {'a': 'a'}, r"sends 'a' to itself"),
        ('asymmetric', 0, 'fear', r"'fear' is no .*give \{from: to\} .* 3 lists of 3"),
        ('asymmetric', 0, [[1, 0], [1]], r'give \{from: to\} .* 3 lists of 3'),
        ('asymmetric', 0, np.eye(2), r'shape \(2, 2\); 3 classes need 3 x 3'),
        ('asymmetric', 0, [1, 0, 0], r'shape \(3,\); 3 classes need 3 x 3'),
        (
            'asymmetric',
            0,
            [[1, 0, 0], [0, 0.5, 0.4], [0, 0, 1]],
            r'sum to 1; the rows sum to \[1.0, 0.9, 1.0\]',
        ),
        ('asymmetric', 0, [[1, 0, 0], [0, 1, 0], [0, 2, -1]], r'hold probabilities'),
        ('asymmetric', 0, np.full((3, 3), np.nan), r'hold probabilities'),
        (
            'asymmetric',
            0.3,
            np.eye(3),
            r'holds the rates itself. Fix: leave out rate=0.3',
        ),
    ],
)
def test_bad_transition(kind, rate, transition, message):
    with pytest.raises(ValueError, match=message):
        transition_matrix(kind, rate, ABC, transition)


def test_symmetric_noise_of_one_class():
    with pytest.raises(ValueError, match=r'two classes or more, got 1'):
        transition_matrix('symmetric', 0.3, ['face'])


def test_transition_of_classes_with_one_name():
    with pytest.raises(ValueError, match=r"class 0 is called 'crane'.*name of its own"):
        transition_matrix('asymmetric', 0.3, ['crane', 'b', 'crane'], {'crane': 'b'})


# draws


def test_symmetric_draw_is_bernoulli_and_uniform():
    clean = balanced(10_000)
    given = draw_labels(clean, transition_matrix('symmetric', 0.3, CLASSES), 0)
    assert given.dtype == np.int64
    counts = np.zeros((7, 7))
    np.add.at(counts, (clean, given), 1)
    # five standard deviations of Binomial(70000, 0.3) and Binomial(10000, 0.05)
    assert abs((given != clean).sum() - 21_000) < 5 * 121.3
    others = counts[~np.eye(7, dtype=bool)]
    assert np.abs(others - 500).max() < 5 * 21.8
    # The 0.1 % and 99.9 % quantiles of chi-square with 42 degrees of freedom:
    # neither biased nor dealt out evenly.
    expected = np.where(np.eye(7), 7000, 500)
    assert 19.24 < ((counts - expected) ** 2 / expected).sum() < 76.08


def test_number_of_changes_varies_as_a_binomial_does():
    clean = balanced(100)
    matrix = transition_matrix('symmetric', 0.2, CLASSES)
    changes = [(draw_labels(clean, matrix, seed) != clean).sum() for seed in range(400)]
    # Binomial(700, 0.2): mean 140, variance 112; five standard errors of each
    assert abs(np.mean(changes) - 140) < 5 * np.sqrt(112 / 400)
    assert abs(np.var(changes) - 112) < 5 * 112 * np.sqrt(2 / 400)


def test_neighbours_are_drawn_on_their_own():
    clean = np.zeros(40_000, dtype=int)
    given = draw_labels(clean, transition_matrix('symmetric', 0.5, ABC), 3)
    changed = given != 0
    both = (changed[1:] & changed[:-1]).mean()
    assert abs(both - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 40_000)


def test_asymmetric_draw():
    clean = balanced(10_000, 3)
    matrix = transition_matrix('asymmetric', 0.4, ABC, {'a': 'c', 'c': 'b'})
    counts = Counter(
        zip(clean.tolist(), draw_labels(clean, matrix, 1).tolist(), strict=True)
    )
    assert set(counts) == {(0, 0), (0, 2), (1, 1), (2, 2), (2, 1)}
    assert counts[1, 1] == 10_000
    for pair in ((0, 2), (2, 1)):
        assert abs(counts[pair] - 4000) < 5 * np.sqrt(10_000 * 0.24)


def test_matrix_draw():
    rows = np.array([[0.2, 0.3, 0.5], [0, 0.9, 0.1], [0, 0, 1]])
    clean = balanced(20_000, 3)
    given = draw_labels(clean, rows, 5)
    measured = np.array(
        [[(given[clean == r] == c).mean() for c in range(3)] for r in range(3)]
    )
    np.testing.assert_array_equal(measured[rows == 0], 0)
    assert np.abs(measured - rows).max() < 5 * np.sqrt(0.25 / 20_000)


def test_certain_moves():
    matrix = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float)
    given = draw_labels(np.array([0, 1, 2, 2, 0]), matrix, 9)
    assert given.tolist() == [1, 2, 0, 0, 1]


def test_rate_zero_changes_nothing():
    clean = balanced(50)
    given = draw_labels(clean, transition_matrix('symmetric', 0, CLASSES), 0)
    np.testing.assert_array_equal(given, clean)


def test_rows_that_sum_to_a_bit_less_than_one(monkeypatch):
    class Highest:
        def random(self, size):
            return np.full(size, np.nextafter(1, 0))

    monkeypatch.setattr(np.random, 'default_rng', lambda seed: Highest())
    # Within the tolerance of transition_matrix; c has no chance at all.
    matrix = np.array([[0.5, 0.4999995, 0], [0, 1, 0], [0, 0, 1]])
    assert draw_labels(np.array([0]), matrix, 0).tolist() == [1]


def test_draw_against_a_plain_loop():
    clean = np.random.default_rng(1).integers(0, 7, 500)
    matrix = transition_matrix('symmetric', 0.3, CLASSES)
    expected = []
    uniform = np.random.default_rng(42).random(500)
    for label, left in zip(clean, uniform, strict=True):
        for column in range(7):
            left -= matrix[label, column]
            if left < 0:
                break
        expected.append(column)
    assert draw_labels(clean, matrix, 42).tolist() == expected


def test_seeds_differ_and_repeat():
    clean = balanced(100)
    matrix = transition_matrix('symmetric', 0.3, CLASSES)
    first, second, again = (draw_labels(clean, matrix, seed) for seed in (0, 1, 0))
    np.testing.assert_array_equal(first, again)
    # equal with probability 0.7 ** 2 + 6 * 0.05 ** 2 = 0.505
    assert 0.4 < (first == second).mean() < 0.6


def test_global_generators_play_no_part():
    clean = balanced(100)
    matrix = transition_matrix('symmetric', 0.3, CLASSES)
    np.random.seed(1)
    first = draw_labels(clean, matrix, 0)
    after = np.random.random()
    np.random.seed(1)
    assert np.random.random() == after
    np.testing.assert_array_equal(draw_labels(clean, matrix, 0), first)


@pytest.mark.parametrize('hash_seed', ['0', '123'])
def test_same_in_another_process(hash_seed):
    # The module alone: importing the package takes seconds.
    code = f"""
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location('noise', {model.__file__!r})
noise = sys.modules['noise'] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(noise)
matrix = noise.transition_matrix('symmetric', 0.3, {CLASSES!r})
print(noise.draw_labels(np.repeat(np.arange(7), 40), matrix, 7).tolist())
"""
    out = subprocess.run(
        [sys.executable, '-c', code],
        env=dict(os.environ, PYTHONHASHSEED=hash_seed),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    here = draw_labels(balanced(40), transition_matrix('symmetric', 0.3, CLASSES), 7)
    assert json.loads(out) == here.tolist()


# samples with probabilities of their own


def test_rows_are_drawn_as_one_matrix_would_be():
    matrix = transition_matrix('symmetric', 0.4, CLASSES)
    labels = balanced(500)
    drawn = draw_rows(matrix[labels], 3)
    np.testing.assert_array_equal(drawn, draw_labels(labels, matrix, 3))


def test_rows_of_certainty():
    shares = np.eye(3)[[2, 0, 1, 1]]
    assert draw_rows(shares, 0).tolist() == [2, 0, 1, 1]
    with pytest.raises(ValueError, match='noise seed -1 is not allowed'):
        draw_rows(shares, -1)


@pytest.mark.parametrize(
    'kind, rate, transition, message',
    [
        ('annotator', 0.3, None, 'has the rate of the votes. Fix: leave out rate=0.3'),
        ('annotator', 0, {'a': 'b'}, 'annotator noise takes no transition'),
        ('instance', 0.3, {'a': 'b'}, 'instance noise takes no transition'),
    ],
)
def test_options_that_a_kind_does_not_take(kind, rate, transition, message):
    with pytest.raises(ValueError, match=message):
        check_options(kind, rate, transition)
