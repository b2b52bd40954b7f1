import pytest

from eac_mm.experiments import plan, shard_of


def test_runs_of_an_entry(book, configs, tmp_path):
    entries = book.tables['sweep'].entries['full']
    swept, itself = plan(entries, configs, tmp_path, 2, ['a=1'], amp=True)
    assert [run.seed for run in swept.runs] == [0, 1]
    assert swept.runs[0].work_dir == tmp_path / 'eac/a_rafdb_x/weight-0.1/seed0'
    assert swept.runs[0].options == ('a=1', 'model.weight=0.1')
    assert itself.runs[1].work_dir == tmp_path / 'eac/a_rafdb_x/seed1'
    assert itself.runs[1].config == str(configs / 'eac/a_rafdb_x.py')
    assert itself.runs[1].amp
    other = plan(
        book.tables['one'].entries['full'], configs, tmp_path, 2, ['a=1'], True
    )
    assert other[1].runs == itself.runs  # a run that two tables show is one run
    with pytest.raises(ValueError, match='--seeds 0'):
        plan(entries, configs, tmp_path, 0)


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
