import numpy as np
import pytest
import torch

from eac_mm.datasets.noise.lists import number_labels, read_column

CLASSES = ('happy', 'sad', 'angry')


def write(tmp_path, text, name='labels.txt'):
    path = tmp_path / name
    path.write_text(text, encoding='utf-8')
    return path


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('a.png happy\nb.png sad\n', ['a.png', 'b.png']),
        ('a 1.png happy\nb.png   sad\n\n', ['a 1.png', 'b.png']),
        ('a.png\thappy\nb.png\tsad', ['a.png', 'b.png']),
        ('a.png,happy\nb.png, sad', ['a.png', 'b.png']),
        ('\ufeffa.png;happy\r\nb.png;sad\r\n', ['a.png', 'b.png']),
        ('name,label\na.png,happy\nb.png,sad', ['a.png', 'b.png']),
        ('id,Image,x,Label\n1,a.png,?,happy\n2,b.png,?,sad', ['a.png', 'b.png']),
        ('happy\nsad', None),
        ('noisy_label\nhappy\nsad', None),
    ],
)
def test_text(tmp_path, text, names):
    found = read_column(write(tmp_path, text))
    assert list(found.labels) == ['happy', 'sad']
    assert found.names == names
    assert found.clean is None


def test_the_line_of_each_label_is_known(tmp_path):
    found = read_column(write(tmp_path, 'name,label\n\na,happy\nb,sad\n'))
    assert found.lines == [3, 4]
    assert read_column(write(tmp_path, '\na 0\n\nb 1')).lines == [2, 4]


def test_columns_of_a_csv_file(tmp_path):
    text = 'name,clean_label,label,worse\na.png,happy,sad,angry\n'
    path = write(tmp_path, text)
    for column, label in ((None, 'sad'), ('worse', 'angry'), ('Label', 'sad')):
        found = read_column(path, column)
        assert (found.labels, found.names, found.clean) == (
            [label],
            ['a.png'],
            ['happy'],
        )
    with pytest.raises(ValueError, match=r"noise_column='best' is none.*'worse' or"):
        read_column(path, 'best')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a.png happy\nb.png\n', ':2: 1 fields, not 2: no list of labels. Allowed'),
        ('a,happy,1\nb,sad,2\n', ':1: 3 columns, and no header.*name,label'),
        ('\n \n', 'labels.txt: no list of labels'),
    ],
)
def test_text_that_is_no_list(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_column(write(tmp_path, text))


@pytest.mark.parametrize('dtype', [np.int64, np.int32, np.uint8, np.float32])
def test_arrays(tmp_path, dtype):
    np.save(tmp_path / 'a.npy', np.array([2, 0, 1], dtype))
    assert read_column(tmp_path / 'a.npy').labels == [2, 0, 1]
    np.save(tmp_path / 'b.npy', np.array([[2], [0]], dtype))
    assert read_column(tmp_path / 'b.npy').labels == [2, 0]
    np.save(tmp_path / 'c.npy', np.array(['sad', 'happy']))
    assert read_column(tmp_path / 'c.npy').labels == ['sad', 'happy']


@pytest.mark.parametrize(
    ('array', 'message'),
    [
        (np.zeros((2, 3)), r'float64 of shape \(2, 3\)'),
        (np.array([0.5]), r'float64 of shape \(1,\)'),
        (np.array([dict(a=1)]), 'no plain array.*Fix: save one integer'),
    ],
)
def test_arrays_that_are_no_labels(tmp_path, array, message):
    np.save(tmp_path / 'a.npy', array)
    with pytest.raises(ValueError, match=message):
        read_column(tmp_path / 'a.npy')


def test_files_of_torch(tmp_path):
    path = tmp_path / 'a.pt'
    for content in (torch.tensor([1, 0]), [1, 0], dict(noisy=torch.tensor([1, 0]))):
        torch.save(content, path)
        assert read_column(path).labels == [1, 0]


def test_several_sets_of_labels_in_one_file(tmp_path):
    """As CIFAR-N's are: a dict of NumPy arrays."""
    path = tmp_path / 'human.pt'
    kinds = dict(aggre_label=[0, 1], worse_label=[2, 1], random_label1=[0, 0])
    arrays = {name: np.array(labels) for name, labels in kinds.items()}
    torch.save(dict(clean_label=np.array([0, 1]), **arrays), path)
    for name, labels in kinds.items():
        found = read_column(path, name)
        assert (list(found.labels), found.clean, found.names) == (labels, [0, 1], None)
    with pytest.raises(ValueError, match="aggre.*noise_column=None .*'aggre_label' or"):
        read_column(path)


class Hostile:
    def __reduce__(self):
        return print, ('run',)


def test_nothing_in_a_file_is_run(tmp_path, capsys):
    torch.save(dict(labels=Hostile()), tmp_path / 'a.pt')
    with pytest.raises(ValueError, match='labels alone.*Fix: save a tensor'):
        read_column(tmp_path / 'a.pt')
    (tmp_path / 'b.pt').write_text('a.png 0')
    with pytest.raises(ValueError, match='labels alone'):
        read_column(tmp_path / 'b.pt')
    assert capsys.readouterr().out == ''


def test_numbers_and_names(tmp_path):
    path = tmp_path / 'a'
    assert number_labels(path, ['sad', 'happy'], CLASSES, None).tolist() == [1, 0]
    assert number_labels(path, [2, 0], CLASSES, None).tolist() == [2, 0]
    # Names that are numbers, as folders may be called, count as names.
    assert number_labels(path, ['1', '2'], ('2', '1'), None).tolist() == [1, 0]


@pytest.mark.parametrize(
    ('labels', 'lines', 'message'),
    [
        ([0, 3, -1], None, "a, sample 1: the label '3' .*0 to 2; 2 of 3.*Fix: correct"),
        (['1', '3'], [4, 9], "a:9: the label '3' .*Fix: subtract 1"),
        (['sad', '1'], [1, 2], "a:1: the label 'sad' is neither"),
    ],
)
def test_labels_that_name_no_class(tmp_path, labels, lines, message):
    with pytest.raises(ValueError, match=message):
        number_labels(tmp_path / 'a', labels, CLASSES, lines)
