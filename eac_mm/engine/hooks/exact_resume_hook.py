"""Resume as if the run had never stopped."""

import copy
import pickle
from collections import deque
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, Hook, IterTimerHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS
from torch import nn

from ..stage import is_starting

SCALARS = (type(None), bool, int, float, str)


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Save and restore what MMEngine's checkpoints leave out.

    A checkpoint is written at the end of an epoch, before its validation. This hook

    - adds the gradients that ``accumulative_counts`` has not applied yet;
    - adds what other hooks have learned: each attribute made of numbers, strings,
      tensors, arrays, lists or dicts that changed since training began (such as the
      counters of MMEngine's ``EarlyStoppingHook``). A hook that overrides
      ``before_save_checkpoint`` looks after itself;
    - repeats the validation that was due at the checkpoint, before training goes
      on. Schedulers and hooks that learn from the metrics learn the same as in the
      uninterrupted run, at whatever moment that run was killed.

    Raises:
        ValueError: On resume, if the checkpoint has no optimiser state.
    """

    def __init__(self) -> None:
        self.initial: dict[str, dict] = {}
        self.loaded: dict | None = None
        self.pending: dict[str, list[torch.Tensor]] = {}

    def before_run(self, runner: Runner) -> None:
        """Move the checkpoint hook and this one behind all others.

        All that the other hooks do at the end of an epoch is then part of its
        checkpoint, and all of them have set themselves up when it is restored.
        """
        last = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
        last.append(self)
        runner._hooks = [hook for hook in runner.hooks if hook not in last] + last

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take what this hook saved, if the run is resumed."""
        if not (runner._resume and is_starting(runner)):
            return
        if 'optimizer' not in checkpoint:
            raise ValueError(
                'the checkpoint holds weights and no optimiser state, so training '
                'cannot go on from it as it would have. Fix: resume from '
                'epoch_N.pth or iter_N.pth (a best_*.pth is there to test), and '
                'leave save_optimizer=True.'
            )
        self.loaded = checkpoint.pop('exact_resume', {})

    def before_train(self, runner: Runner) -> None:
        """Restore the state of a resumed run and repeat its last validation."""
        self.initial = {key: state_of(hook) for key, hook in named_hooks(runner)}
        if self.loaded is None:
            return
        loaded, self.loaded = self.loaded, None
        for key, hook in named_hooks(runner):
            restore(hook, loaded.get('hooks', {}).get(key, {}))
        restore_gradients(runner, loaded.get('gradients', {}))
        if validation_is_due(runner):
            runner.logger.info('Repeating the validation that follows the checkpoint')
            runner.val_loop.run()

    def before_checkpoint(self, runner: Runner) -> None:
        """Collect the gradients of all processes; called on each of them."""
        self.pending = {}
        for name, parameter in inner_model(runner).named_parameters():
            if parameter.grad is not None:
                gathered = all_gather(parameter.grad.contiguous())
                self.pending[name] = [gradient.cpu() for gradient in gathered]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the gradients and what hooks have learned."""
        if get_world_size() == 1 and 'optimizer' in checkpoint:
            self.before_checkpoint(runner)  # MMEngine's CheckpointHook does not call it
        pending, self.pending = self.pending, {}
        changed = {}
        for key, hook in named_hooks(runner):
            before = self.initial.get(key, {})
            state = {
                name: value
                for name, value in state_of(hook).items()
                if name not in before or not same(value, before[name])
            }
            if state:
                changed[key] = state
        checkpoint['exact_resume'] = dict(gradients=pending, hooks=changed)


def validation_is_due(runner: Runner) -> bool:
    """Whether the training loop validates after the steps done so far."""
    loop = runner.train_loop
    if isinstance(loop, EpochBasedTrainLoop):
        done, end = loop.epoch, loop.max_epochs
    elif isinstance(loop, IterBasedTrainLoop):
        done, end = loop.iter, loop.max_iters
    else:
        return False
    if runner.val_loop is None:
        return False
    loop._decide_current_val_interval()
    return (
        done > 0
        and done >= loop.val_begin
        and (done % loop.val_interval == 0 or done == end)
    )


def restore_gradients(runner: Runner, saved: dict[str, list[torch.Tensor]]) -> None:
    """Put back the gradients of steps that the optimiser has not applied yet."""
    parameters = dict(inner_model(runner).named_parameters())
    for name, gradients in saved.items():
        # With another number of processes: their mean, which is what is applied.
        own = (
            gradients[get_rank()]
            if len(gradients) == get_world_size()
            else torch.stack(gradients).mean(0)
        )
        parameters[name].grad = own.to(parameters[name].device)
    if saved:
        runner.logger.info('The accumulated gradients were in the checkpoint; restored')


def inner_model(runner: Runner) -> nn.Module:
    """The runner's model without the wrapper of several processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def named_hooks(runner: Runner) -> list[tuple[str, Hook]]:
    """The hooks whose attributes are saved, each with a name of its own."""
    found: dict[str, Hook] = {}
    for hook in runner.hooks:
        # MMEngine restores the state of its checkpoint hook; a clock starts anew.
        if isinstance(hook, CheckpointHook | IterTimerHook):
            continue
        if type(hook).before_save_checkpoint is Hook.before_save_checkpoint:
            kind = type(hook).__name__
            number = sum(name.split('#')[0] == kind for name in found)
            found[f'{kind}#{number}'] = hook
    return list(found.items())


def state_of(hook: Hook) -> dict[str, Any]:
    """The attributes of a hook that ``weights_only`` can load, copied."""
    state = {}
    for name, value in vars(hook).items():
        try:
            state[name] = plain(value)
        except TypeError:
            continue
    return state


def plain(value: Any) -> Any:
    """Copy a value as scalars, tensors, lists, tuples and dicts.

    Raises:
        TypeError: If it is made of anything else.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in SCALARS:
        return value
    if type(value) is torch.Tensor:
        return value.detach().cpu().clone()
    if isinstance(value, np.ndarray) and value.dtype.kind in 'biuf':
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | deque):
        items = [plain(item) for item in value]
        return tuple(items) if type(value) is tuple else items
    raise TypeError(f'{type(value).__name__} is not saved')


def same(one: Any, other: Any) -> bool:
    """Whether two values from :func:`plain` are equal to the last bit."""
    return pickle.dumps(one) == pickle.dumps(other)


def restore(hook: Hook, state: dict[str, Any]) -> None:
    """Set attributes from :func:`state_of`, in the type that they have now."""
    for name, value in state.items():
        now = getattr(hook, name, None)
        if isinstance(now, np.ndarray):
            value = value.numpy()
        elif isinstance(now, torch.Tensor) and isinstance(value, torch.Tensor):
            value = value.to(now.device)
        elif isinstance(now, dict | set | deque):
            # A copy keeps a defaultdict's factory and a deque's length.
            filled = copy.copy(now)
            filled.clear()
            (filled.extend if isinstance(now, deque) else filled.update)(value)
            value = filled
        setattr(hook, name, value)
