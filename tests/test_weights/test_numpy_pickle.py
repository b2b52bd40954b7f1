import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from eac_mm.weights.numpy_pickle import ALLOWED, read_numpy_pickle

CORE = np.array(0).__reduce__()[0].__module__


class Hostile:
    """Makes a folder when a pickle of it is loaded as usual."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def text(value, encode=str.encode):
    """A Python 2 ``str``: BINSTRING, whatever bytes are in it."""
    data = value if isinstance(value, bytes) else encode(value)
    return b'T' + struct.pack('<i', len(data)) + data


def number(value):
    return b'J' + struct.pack('<i', value)


def python2_array(array):
    """What Python 2 and NumPy 1 write of an array in protocol 2."""
    kind = array.dtype.str
    return b''.join(
        (
            b'cnumpy.core.multiarray\n_reconstruct\n',
            b'cnumpy\nndarray\n' + number(0) + b'\x85' + text('b') + b'\x87R',
            b'(' + number(1),
            b'(' + b''.join(map(number, array.shape)) + b't',
            b'cnumpy\ndtype\n' + text(kind[1:]) + number(0) + number(1) + b'\x87R',
            b'(' + number(3) + text(kind[0]) + b'NNN' + number(-1) * 2 + number(0),
            b'tb\x89' + text(array.tobytes()) + b'tb',
        )
    )


def python2_pickle(arrays):
    items = b''.join(text(key) + python2_array(array) for key, array in arrays.items())
    return b'\x80\x02}(' + items + b'u.'


def example():
    rng = np.random.default_rng(0)
    return {
        'conv1.weight': rng.normal(size=(4, 3, 2, 2)).astype('f4'),
        'bn1.weight': rng.normal(size=5),
        'bn1.num_batches_tracked': np.array(7),
    }


def assert_same(found, expected):
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == array.dtype.newbyteorder('=')
        assert np.array_equal(found[key], array), key


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4])
def test_python3(protocol):
    assert_same(read_numpy_pickle(pickle.dumps(example(), protocol)), example())


def test_python2():
    content = python2_pickle(example())
    assert_same(pickle.loads(content, encoding='latin1'), example())  # it is one
    assert_same(read_numpy_pickle(content), example())


def test_names_of_numpy_1_and_2():
    content = pickle.dumps(example(), 2)
    one = content.replace(CORE.encode(), b'numpy.core.multiarray')
    two = content.replace(CORE.encode(), b'numpy._core.multiarray')
    assert_same(read_numpy_pickle(one), example())
    assert_same(read_numpy_pickle(two), example())


def test_byte_orders_and_column_major():
    arrays = {
        'a': np.arange(6, dtype='>f4').reshape(2, 3),
        'b': np.asfortranarray(np.arange(6, dtype='i8').reshape(2, 3)),
        'c': np.ones((1, 3), 'f2'),
    }
    big_endian = {'a': arrays['a']}
    assert_same(read_numpy_pickle(python2_pickle(big_endian)), big_endian)
    for protocol in (2, 4):
        found = read_numpy_pickle(pickle.dumps(arrays, protocol))
        assert_same(found, arrays)
        assert found['b'].flags.c_contiguous
        assert found['b'].flags.writeable


def test_wrapped_and_ordered():
    state = dict(epoch=3, state_dict=OrderedDict(example()))
    found = read_numpy_pickle(pickle.dumps(state, 2))
    assert found['epoch'] == 3
    assert_same(found['state_dict'], example())


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_a_hostile_pickle_does_not_run(tmp_path, protocol):
    victim = tmp_path / 'victim'
    content = pickle.dumps({'a': np.zeros(2), 'b': Hostile(victim)}, protocol)
    with pytest.raises(ValueError, match=rf'asks for {os.name}\.mkdir; a dict'):
        read_numpy_pickle(content)
    assert not victim.exists()
    pickle.loads(content)
    assert victim.exists()  # it was hostile


def test_an_array_of_objects_that_hides_one(tmp_path):
    victim = tmp_path / 'victim'
    hidden = np.array([Hostile(victim)], dtype=object)
    with pytest.raises(ValueError, match=r"elements of type 'O8'"):
        read_numpy_pickle(pickle.dumps({'a': hidden}, 2))
    assert not victim.exists()
    with pytest.raises(ValueError, match=r"elements of type 'O8'"):
        read_numpy_pickle(pickle.dumps({'a': np.array([None])}, 2))


@pytest.mark.parametrize(
    'array',
    [np.array(['a']), np.zeros(1, 'f4,i4'), np.zeros(1, 'c8'), np.zeros(1, 'M8[s]')],
    ids=['text', 'fields', 'complex', 'time'],
)
def test_arrays_of_anything_but_numbers_are_refused(array):
    with pytest.raises(ValueError, match='elements of type'):
        read_numpy_pickle(pickle.dumps({'a': array}, 2))


def broken(**changes):
    """A pickle of one array, some of whose bytes are others."""
    content = python2_pickle({'a': np.zeros(2, 'f4')})
    for old, new in changes.values():
        assert old in content
        content = content.replace(old, new)
    return content


END = number(-1) * 2 + number(0) + b'tb'
MALFORMED = {
    'fields in the type': (
        broken(a=(b'NNN' + END, b'N' + text('x') + b'}' + END)),
        'composite type',
    ),
    'order': (broken(a=(text('<'), text('|'))), 'composite type'),
    'short': (broken(a=(text(bytes(8)), text(bytes(7)))), r'not hold 8 bytes'),
    'huge': (
        broken(a=(b'(' + number(2) + b't', b'(' + number(2**31 - 1) * 4 + b't')),
        'does not hold',
    ),
    'list for content': (broken(a=(text(bytes(8)), b']')), 'does not hold'),
    'no type': (
        broken(a=(b'NNN' + END, b'NNN' + END + b'0N')),
        'elements of type None',
    ),
    'no content': (
        b'\x80\x02}' + text('a') + b'cnumpy\nndarray\n' + b')Rs.',
        'no content',
    ),
    'a function is changed': (
        b'\x80\x02cnumpy\ndtype\n}' + text('_make') + b'NsN\x86b.',
        'changes a function',
    ),
    'codec': (
        b'\x80\x02c_codecs\nencode\n' + text('a') + text('zlib') + b'\x86R.',
        "encodes a text as 'zlib'",
    ),
    'persistent id': (b'\x80\x02Na' + b'Q.', 'not a pickle of NumPy arrays'),
    'cut': (pickle.dumps(example(), 2)[:-9], 'not a pickle of NumPy arrays'),
    'text': (b'# weights', 'not a pickle of NumPy arrays'),
    'empty': (b'', 'not a pickle of NumPy arrays'),
    'numpy scalar': (pickle.dumps({'a': np.float64(1)}, 2), r'multiarray\.scalar'),
    'getattr': (b'\x80\x02cbuiltins\ngetattr\n.', r'asks for builtins\.getattr'),
    'dotted': (b'\x80\x04\x8c\x05numpy\x8c\x07f2py.os\x93.', r'asks for numpy\.f2py'),
    'submodule': (b'\x80\x02cnumpy\nload\n.', r'asks for numpy\.load'),
}


@pytest.mark.parametrize(('content', 'message'), MALFORMED.values(), ids=MALFORMED)
def test_malformed(content, message):
    with pytest.raises(ValueError, match=message):
        read_numpy_pickle(content)


def test_every_allowed_name_is_a_stand_in_of_ours():
    for stand_in in ALLOWED.values():
        assert type(stand_in).__module__ == 'eac_mm.weights.numpy_pickle'
