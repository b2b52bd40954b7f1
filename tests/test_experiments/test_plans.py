import shutil

import pytest

from eac_mm.experiments import Plan, refuse_mixed_settings, shard_of


def test_runs_of_an_entry(book, configs, tmp_path):
    entries = book.tables['sweep'].entries['full']
    plan = Plan(configs, tmp_path / 'w', tmp_path / 'r', ('a=1',), amp=True)
    swept, itself = plan.wanted(entries, 2)
    assert [run.seed for run in swept.runs] == [0, 1]
    assert swept.runs[0].work_dir == tmp_path / 'w/eac/a_rafdb_x/weight-0.1/seed0'
    assert swept.runs[0].record == tmp_path / 'r/eac/a_rafdb_x/weight-0.1/seed0.json'
    assert swept.runs[0].options == ('a=1', 'model.weight=0.1')
    assert itself.runs[1].work_dir == tmp_path / 'w/eac/a_rafdb_x/seed1'
    assert itself.runs[1].config == str(configs / 'eac/a_rafdb_x.py')
    assert itself.runs[1].amp
    other = plan.wanted(book.tables['one'].entries['full'], 2)
    assert other[1].runs == itself.runs  # a run that two tables show is one run
    with pytest.raises(ValueError, match='--seeds 0'):
        plan.wanted(entries, 0)


def test_finished_runs_are_found_by_record_or_folder(book, plan_of, finish):
    entries = book.tables['one'].entries['full']
    base, eac = plan_of().wanted(entries, 12)
    finish(base.runs[11], 80.0)
    finish(base.runs[2], 80.0, finished=False)
    finish(eac.runs[0], 80.0)
    eac.runs[0].collect()
    shutil.rmtree(eac.runs[0].work_dir)
    base.runs[0].record.parent.mkdir(parents=True)
    (base.runs[0].record.parent / 'seedling.json').write_text('no record')
    found = plan_of().finished(entries)
    assert [cell.runs for cell in found] == [[base.runs[11]], [eac.runs[0]]]


def test_a_record_keeps_its_options(book, plan_of, finish):
    entries = book.tables['sweep'].entries['full']
    plan = plan_of(options=('train_cfg.max_epochs=3',), amp=False)
    for cell in plan.wanted(entries, 1):
        finish(cell.runs[0], 80.0)
        cell.runs[0].collect()
    swept, _ = plan_of().finished(entries)
    assert swept.runs[0].options == ('train_cfg.max_epochs=3', 'model.weight=0.1')
    assert swept.runs[0].outdated() is None
    assert swept.changes(swept.runs[0]) == ['length: 7 -> 3']


class TestMixedSettings:
    """Runs of one table whose command lines were not the same."""

    @pytest.fixture(autouse=True)
    def entries(self, book, plan_of):
        self.entries = book.tables['one'].entries['full']
        self.plan_of = plan_of

    def cells(self, *options):
        return self.plan_of(options=options).wanted(self.entries, 1)

    def test_what_matters_is_refused(self):
        (base, _), (_, eac) = self.cells(), self.cells('train_cfg.max_epochs=3')
        with pytest.raises(ValueError, match='cannot stand in one table') as error:
            refuse_mixed_settings([base, eac])
        lines = str(error.value).splitlines()
        assert lines[1] == '  nothing'
        assert lines[3] == '  length: 7 -> 3'
        refuse_mixed_settings(self.cells('train_cfg.max_epochs=3'))

    def test_what_does_not_matter_passes(self):
        (base, _), (_, eac) = self.cells(), self.cells('train_dataloader.num_workers=3')
        refuse_mixed_settings([base, eac])

    def test_rows_may_start_from_weights_of_their_own(self):
        (base, one), (_, eac) = self.cells('load_from=a.pth'), self.cells()
        refuse_mixed_settings([base, eac])
        with pytest.raises(ValueError, match=r"start: \[\] -> \['a.pth'\]"):
            refuse_mixed_settings([base, one, eac])  # but not the seeds of a row


def test_shards_are_disjoint_and_complete():
    runs = list(range(11))
    shards = [
        runs[i - 1 :: n] for i, n in (shard_of(f'{i}/4', {}) for i in (1, 2, 3, 4))
    ]
    assert sorted(run for shard in shards for run in shard) == runs


def test_a_slurm_array_is_used_where_no_shard_is_given():
    slurm = dict(
        SLURM_ARRAY_TASK_ID='3',
        SLURM_ARRAY_TASK_COUNT='4',
        SLURM_ARRAY_TASK_MIN='1',
        SLURM_ARRAY_TASK_MAX='4',
    )
    assert shard_of(None, slurm) == (3, 4)
    assert shard_of('1/2', slurm) == (1, 2)
    assert shard_of(None, {}) == (1, 1)


@pytest.mark.parametrize(
    ('first', 'last', 'count'), [(3, 3, 1), (1, 1, 1), (0, 3, 4), (1, 7, 4)]
)
def test_a_part_of_a_slurm_array_does_not_pass_for_the_whole(first, last, count):
    slurm = dict(
        SLURM_ARRAY_TASK_ID=str(last),
        SLURM_ARRAY_TASK_COUNT=str(count),
        SLURM_ARRAY_TASK_MIN=str(first),
        SLURM_ARRAY_TASK_MAX=str(last),
    )
    with pytest.raises(ValueError, match=r'--shard \$SLURM_ARRAY_TASK_ID/N'):
        shard_of(None, slurm)
    assert shard_of('3/4', slurm) == (3, 4)


@pytest.mark.parametrize('given', ['0/2', '3/2', '2', 'a/b', '-1/2', '1/'])
def test_no_share(given):
    with pytest.raises(ValueError, match=f'--shard {given}: not a share. Fix:'):
        shard_of(given, {})
