"""The paper's tables as data, and what can be chosen of them."""

from collections import defaultdict
from pathlib import Path

import pytest
from mmpretrain.registry import MODELS

from eac_mm.apis import load_config
from eac_mm.experiments import load_tables
from eac_mm.experiments.tables import Entry

CONFIGS = Path(__file__).parents[2] / 'configs'
PAPER = load_tables(CONFIGS / 'paper_tables.yml')
ENTRIES = [
    (table, protocol, entry)
    for table in PAPER.tables.values()
    for protocol, entries in table.entries.items()
    for entry in entries
]
RECIPES = sorted({entry.recipe for _, _, entry in ENTRIES})


@pytest.mark.parametrize('recipe', RECIPES)
def test_the_recipe_is_there(recipe):
    assert (CONFIGS / f'{recipe}.py').is_file()


def test_recipes_are_named_as_their_entries_say():
    noise = {0: 'clean', 10: 'noise10', 20: 'noise20', 30: 'noise30', 23: 'annotator'}
    noise[40] = 'noise40'
    noise[4] = 'noise30'  # asymmetric noise: the share of all labels
    for _, protocol, entry in ENTRIES:
        data, rest = entry.recipe.rsplit('_', 2)[1:]
        parts = rest.split('-')
        assert data == entry.data
        options = dict(option.split('=') for option in entry.options)
        rate = options.get('train_dataloader.dataset.rate')
        assert parts[0] == noise[entry.noise if rate is None else 30]
        assert rate is None or float(rate) == entry.noise / 100
        named = parts[-1] if parts[-1] in ('small', 'pretrained') else 'full'
        assert named == OURS.get(protocol, protocol)
        assert PAPER.data[data]['name'] in entry.column


# Protocols without a counterpart in the paper, and how their recipes are named.
OURS = dict(synthetic='full', cifar10='full', screen='small')
OWN_NOISE = ('annotators', 'asymmetric 30 %')  # ends of columns
# Methods with figures in the paper's tables that compare methods.
PRINTED = {
    'table1': ('baseline', 'scn', 'rul', 'eac'),
    'table6': ('ran', 'scn', 'dacl', 'dmue', 'rul', 'eac'),
}


def lacks_a_figure(table, protocol, entry):
    if table.log_axis or protocol in OURS or entry.column.endswith(OWN_NOISE):
        return True
    if table.name == 'table6' and (entry.method, entry.data) == ('dacl', 'ferplus'):
        return True  # a dash
    if 'without' in entry.row or 'each batch' in entry.row:
        return True  # of ours
    return entry.method not in PRINTED.get(table.name, (entry.method,))


def test_tables_have_the_cells_of_the_paper():
    sizes = {
        name: {protocol: len(entries) for protocol, entries in table.entries.items()}
        for name, table in PAPER.tables.items()
    }
    assert sizes == dict(
        # Baseline and EAC on three data sets, SCN and RUL on two, at three rates; then
        # seven rivals at 20 %; those, SCN without its relabelling, EAC on a part of
        # each batch and ten remedies at 30 %; asymmetric and annotators; EAC-plus at 20
        # and 30 % and with these two, and from face weights.
        table1=dict(full=18 + 12, small=6 + 7 + 19 + 2 + 2 + 4, pretrained=6 + 1),
        table2=dict(full=16),
        table3=dict(full=5, small=5),
        table4=dict(full=15),
        table5=dict(full=12 + 3),
        # KTN-style on RAF-DB and FERPlus, LTNet with FERPlus's votes, baselines
        table6=dict(full=3 + 10 + 3 + 3, small=8 + 2),
        pairs=dict(synthetic=5),
        cifar10=dict(cifar10=13),
        eac_plus=dict(screen=16),
        **{'lambda': dict(full=18, small=5)},
    )
    for table, protocol, entry in ENTRIES:
        figures = 0 if lacks_a_figure(table, protocol, entry) else len(table.metrics)
        assert len(entry.paper) == figures, (table.name, protocol, entry)
        assert all(30 < figure < 100 for figure in entry.paper)
    for table in PAPER.tables.values():
        for entries in table.entries.values():
            places = [(entry.row, entry.column) for entry in entries]
            assert len(set(places)) == len(places)


def test_the_screen_measures_on_faces_that_it_does_not_train_on():
    for entry in PAPER.tables['eac_plus'].entries['screen']:
        cfg = load_config(entry.recipe, list(entry.options))
        data = cfg.val_dataloader.dataset
        assert (data.split, data.indices) == ('train', -5000)
        # of 28,224 images these are the last, and the first are trained on
        trained = cfg.train_dataloader.dataset.dataset
        assert (trained.split, trained.indices) == ('train', 10_000)


def test_one_run_has_one_figure():
    figures = defaultdict(set)
    for table, protocol, entry in ENTRIES:
        if protocol == 'full' and not table.log_axis:
            figures[entry.folder].add(entry.paper)
    assert all(len(values) == 1 for values in figures.values())


def test_tables_share_runs():
    def folders(name):
        return {entry.folder for entry in PAPER.tables[name].entries['full']}

    eac = 'eac/resnet18_rafdb_noise30'
    for name in ('table1', 'table3', 'table4', 'lambda'):
        assert eac in folders(name)
    assert f'{eac}/consistency_weight-0.1' in folders('lambda')


def test_the_folder_of_an_option_that_follows_the_seed():
    entry = PAPER.tables['pairs'].entries['synthetic'][1]
    recipe = 'eac/resnet18_syntheticfer_noise30'
    assert entry.folder == f'{recipe}/seed-each,type-OptimWrapper'


def test_the_folder_of_an_option_that_is_a_path():
    entry = Entry(
        row='LTNet',
        column='RAF-DB, clean',
        data='rafdb',
        noise=0,
        recipe='ltnet/resnet18_rafdb_noise30',
        options=('dataset.rate=0', "dataset.annotators=['a b/c.txt', '../d.txt']"),
    )
    name = 'rate-0,annotators-a_b_c.txt_.._d.txt'
    assert entry.folder == f'ltnet/resnet18_rafdb_noise30/{name}'


def test_a_student_learns_from_a_teacher_of_its_own_labels():
    labels = {}
    for _, protocol, entry in ENTRIES:
        if entry.method != 'ktn':
            continue
        cfg = load_config(entry.recipe, list(entry.options))
        of = entry.data, protocol, cfg.train_dataloader.dataset.rate
        labels.setdefault(cfg.model.teacher_weights, set()).add(of)
    assert len(labels) == 5
    assert all(len(of) == 1 for of in labels.values())


def test_the_row_of_five_is_the_recipe_itself():
    for entries in PAPER.tables['lambda'].entries.values():
        for entry in entries:
            head = load_config(CONFIGS / f'{entry.recipe}.py').model.head
            assert MODELS.build(head).consistency_weight == 5
            option = f'model.head.consistency_weight={entry.row}'
            assert entry.options == (() if entry.row == '5' else (option,))


def test_filters(book):
    names = book.select(['all'], 'full')
    assert list(names) == ['one', 'two', 'sweep']
    assert list(book.select(['all'], 'small')) == ['one']
    kept = book.select(['one'], 'full', ['rafdb'], [30], ['eac'])
    assert [entry.recipe for entry in kept['one']] == ['eac/a_rafdb_x']
    assert book.select(['one'], 'full', methods=['all']) == book.select(['one'], 'full')


def test_rows_are_chosen_by_how_they_begin():
    kept = PAPER.select(['table2'], 'full', rows=['MobileNet'])['table2']
    assert {entry.row for entry in kept} == {'MobileNet', 'MobileNet + EAC'}
    assert len(kept) == 8
    with pytest.raises(ValueError, match='--rows VGG chooses no run of table2'):
        PAPER.select(['table2'], 'full', rows=['VGG'])


@pytest.mark.parametrize(
    'arguments, message',
    [
        ((['three'], 'full'), 'table three is unknown.*one two sweep all'),
        ((['one'], 'tiny'), 'protocol tiny is unknown.*full small'),
        ((['one'], 'full', ['fer']), '--data fer is unknown.*rafdb ferplus'),
        ((['one'], 'full', [], [40]), '--noise 40 is unknown.*10 30'),
        ((['one'], 'full', [], [], ['scn']), '--methods scn is unknown.*baseline eac'),
        ((['two'], 'small'), 'two: nothing to run.*protocol small: one'),
        (([], 'full'), 'no table named: nothing to run'),
        (
            (['one', 'two'], 'full', [], [30]),
            '--noise 30 chooses no run of two in the protocol full. Fix: --noise 10.',
        ),
        (
            (['one'], 'full', ['rafdb', 'ferplus'], [30]),
            '--data ferplus chooses no run .* Fix: --data rafdb beside --noise 30',
        ),
        (
            (['two'], 'full', [], [10], ['baseline']),
            'Fix: --methods eac beside --noise 10.',
        ),
        (
            (['one'], 'full', [], [10], ['eac', 'baseline'], ['EAC']),
            'Fix: leave some of them out',
        ),
        (
            (['all'], 'small', [], [], ['eac', 'baseline']),
            '--methods baseline chooses no run of one in .* Fix: --methods eac.',
        ),
        ((['one'], 'full', [], [], [], ['EAC', 'VGG']), '--rows VGG chooses no run'),
        (
            (['one'], 'full', ['ferplus'], [10]),
            'Fix: leave some of them out',
        ),
    ],
)
def test_what_is_not_there_is_named(book, arguments, message):
    with pytest.raises(ValueError, match=message):
        book.select(*arguments)


def test_pages(book):
    def named(*arguments):
        return [(table.name, of) for table, of in book.pages(*arguments)]

    everything = [('one', 'full'), ('one', 'small'), ('two', 'full'), ('sweep', 'full')]
    assert named(['all'], None) == everything
    assert named(['one'], 'small') == [('one', 'small')]
    assert named(['two'], 'small') == []
    for arguments in ((['three'], None), (['one'], 'tiny')):
        with pytest.raises(ValueError, match='is unknown. Fix: choose from'):
            book.pages(*arguments)


def test_baselines_of_the_paper():
    found = {
        name: {
            entry.row
            for entries in table.entries.values()
            for entry in entries
            if table.is_baseline(entry)
        }
        for name, table in PAPER.tables.items()
    }
    plain = '✗ flip consistency, ✗ imbalanced, ✗ erasing'
    assert found == dict(
        table1={'Baseline'},
        table2={'MobileNet', 'ResNet-50'},
        table3={plain},
        pairs={'Baseline'},
        cifar10={'Baseline'},
        eac_plus={'Baseline'},
        table4=set(),
        table5={'Baseline'},
        table6={'Baseline'},  # of the small protocol
        **{'lambda': set()},
    )
    # above what is compared with it
    for table, _, entry in ENTRIES:
        assert not table.baseline or table.baseline == plain
        if table.baseline and entry.column.startswith('RAF-DB'):
            assert table.entries['full'][0].row == plain
