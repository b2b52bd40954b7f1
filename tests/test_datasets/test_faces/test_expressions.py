from eac_mm.datasets import RAFDB, AffectNet, FERPlus, SyntheticFER
from eac_mm.datasets.faces.affectnet_files import IDS
from eac_mm.datasets.faces.expressions import CLASSES, EXPRESSIONS
from eac_mm.datasets.faces.ferplus import CANDIDATES
from eac_mm.datasets.synthetic.dataset import CLASS_SHARES
from eac_mm.datasets.synthetic.parameters import MEANS

# http://www.whdeng.cn/raf/model1.html: 1 surprise, ..., 7 neutral
SEVEN = ('surprise', 'fear', 'disgust', 'happy', 'sad', 'angry', 'neutral')


def test_names_and_order():
    assert EXPRESSIONS == SEVEN
    assert {7: SEVEN, 8: (*SEVEN, 'contempt')} == CLASSES


def test_every_data_set_has_them():
    for kind in (RAFDB, FERPlus, AffectNet, SyntheticFER):
        assert kind.METAINFO['classes'] == SEVEN


def test_every_mapping_is_onto_them():
    for mapping in (CANDIDATES, IDS):
        assert {name for name in mapping.values() if name} == set(CLASSES[8])
    assert set(CLASS_SHARES) == set(MEANS) == set(SEVEN)
