"""What the audit says of images: two copies of a face, with two labels."""

import cv2
import numpy as np
import pandas as pd
import pytest
from mmengine import Config

from eac_mm.apis.image_columns import summarise_duplicates, with_image_columns
from eac_mm.apis.reviewing import image_scores
from eac_mm.audit import LabelAudit
from eac_mm.datasets import SyntheticFER

LABELS = ['a', 'b', 'a', 'b', 'a']


@pytest.fixture
def cfg(tmp_path):
    """Image 3 is image 1 mirrored, image 4 is image 0 brighter."""
    faces = SyntheticFER(size=3, img_size=48, pipeline=[])
    images = [faces.get_data_info(i)['img'] for i in range(3)]
    images += [images[1][:, ::-1], (images[0] * 0.9).astype(np.uint8) + 20]
    rows = ['image,label']
    for number, (image, label) in enumerate(zip(images, LABELS, strict=True)):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.ascontiguousarray(image))
        rows.append(f'{number}.png,{label}')
    (tmp_path / 'list.csv').write_text('\n'.join(rows) + '\n')
    data = dict(
        type='CSVFaces',
        data_root=str(tmp_path),
        ann_file='list.csv',
        classes=('a', 'b'),
        pipeline=[dict(type='LoadFace'), dict(type='PackInputs')],
    )
    loader = dict(dataset=data)
    return Config(dict(train_dataloader=loader, val_dataloader=loader))


def audit_of(labels):
    table = pd.DataFrame(dict(index=range(5), label=labels, rank=[3, 1, 4, 2, 5]))
    return LabelAudit(table, ('a', 'b'), 'rank', 0, np.eye(2), {}, ('rank',))


def test_copies_are_grouped_and_counted(cfg, tmp_path):
    audit = with_image_columns(audit_of(LABELS), tmp_path, cfg)
    table = audit.table
    assert table.duplicates.tolist() == [1, 2, 0, 2, 1]
    assert not table.duplicates_disagree.any()
    assert 'outlier' not in table  # there is no checkpoint

    audit = with_image_columns(audit_of(['a', 'b', 'a', 'a', 'a']), tmp_path, cfg)
    assert audit.table.duplicates_disagree.tolist() == [False, True, False, True, False]
    rows = [dict(index=1, label='b', rank=1), dict(index=3, label='a', rank=2)]
    found = summarise_duplicates(audit)
    assert found == dict(threshold=0.01, images=4, groups=2, disagreeing=[rows])
    assert list(image_scores(audit.table)) == ['duplicates_disagree']
    sort = image_scores(audit.table)['duplicates_disagree']
    assert sort.tolist() == [0, 2, 0, 2, 0]
