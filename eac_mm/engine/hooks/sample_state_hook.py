"""Size the state of the samples, and keep it to its data set."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from eac_mm.datasets.sample_table import numbering_data_set
from eac_mm.models import SampleState

from ..stage import is_starting, is_training
from .exact_resume_hook import inner_model


@HOOKS.register_module()
class SampleStateHook(Hook):
    """Set the size of each :class:`~eac_mm.models.SampleState` of a model.

    It is the number of training samples, so that no recipe needs to name it. It is set
    before a checkpoint is loaded and before MMEngine's ``EMAHook`` copies the model.
    In training, each of them learns how many epochs are done. A model without such
    state is left as it is.

    Raises:
        ValueError: If several data sets number their samples from 0, or a run is
            resumed whose state is missing or of another number of samples.
        TypeError: If an unknown wrapper hides which sample comes from where.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Set the sizes, if the run is a training."""
        states = states_of(runner)
        if not states or not is_training(runner):
            return
        size = len(numbering_data_set(runner.train_dataloader.dataset))
        for state in states.values():
            if len(state) != size:  # a runner that goes on keeps what it has
                state.resize(size)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the number of samples, if the run is resumed."""
        if not (runner._resume and is_starting(runner)):
            return
        weights = checkpoint.get('state_dict', checkpoint)
        for name, state in states_of(runner).items():
            saved = weights.get(f'{name}.values')
            if saved is None:
                raise ValueError(
                    f'the checkpoint lacks the state {name} of the training samples, '
                    'which an older version did not keep. Fix: go on with the '
                    'version that began the run, or start a new run with load_from.'
                )
            if len(saved) != len(state):
                raise ValueError(
                    f'the checkpoint has the state {name} of {len(saved)} training '
                    f'samples, and the training data has {len(state)}. Fix: resume '
                    'with the data set that the run began with, or start a new run '
                    'with load_from.'
                )

    def before_train(self, runner: Runner) -> None:
        """Find what learns the epoch."""
        self._states = list(states_of(runner).values())

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Tell the epoch, which follows from the iteration in any loop."""
        for state in self._states:
            state.epoch = runner.iter // len(runner.train_dataloader)


def states_of(runner: Runner) -> dict[str, SampleState]:
    """Return the state of a runner's model by its name there."""
    modules = inner_model(runner).named_modules()
    return {name: m for name, m in modules if isinstance(m, SampleState)}
