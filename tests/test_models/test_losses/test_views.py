import pytest
import torch

from eac_mm.models.losses.views import ViewRows

LOGITS = torch.arange(8.0).view(4, 2)
TARGET = torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1]])


def test_rows_of_two_views():
    views, target = ViewRows(2).split(LOGITS, TARGET)
    assert [view.tolist() for view in views] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    assert target.tolist() == [[1, 0], [0, 1]]


def test_one_view_is_all_rows():
    views, target = ViewRows(1).split(LOGITS, TARGET)
    assert len(views) == 1
    assert torch.equal(views[0], LOGITS) and torch.equal(target, TARGET)


def test_rows_that_are_no_views():
    with pytest.raises(ValueError, match=r'4 rows .* are not two .* imbalanced=False'):
        ViewRows(2).split(LOGITS, TARGET[[0, 1, 1, 0]])
    with pytest.raises(ValueError, match='3 rows'):
        ViewRows(2).split(LOGITS[:3], TARGET[:3])
    with pytest.raises(ValueError, match='views=3. Fix: choose 1 or 2'):
        ViewRows(3)
