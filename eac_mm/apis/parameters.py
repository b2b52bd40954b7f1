"""Say which settings each part of a config takes."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import MappingProxyType

from mmengine.hooks import CheckpointHook
from mmengine.registry import FUNCTIONS, Registry
from mmengine.runner import Runner
from mmpretrain import registry as mmpretrain_registries
from torch.utils.data import DataLoader

REGISTRIES = (
    *(x for x in vars(mmpretrain_registries).values() if isinstance(x, Registry)),
    FUNCTIONS,  # MMPretrain has none of its own
)
# Taken by what builds a component rather than by the component.
ALSO = MappingProxyType(
    {
        'hook': {'priority'},
        'parameter scheduler': {'convert_to_iter_based'},
        'weight initializer': {'override'},
    }
)
# Classes whose ``**kwargs`` reach a function that is not their base's ``__init__``.
REACHED = MappingProxyType({CheckpointHook: Runner.save_checkpoint})
# Read from the config by MMEngine's Runner, MMPretrain's tools or the config itself.
READ = {
    'activation_checkpointing',
    'compile',
    'custom_imports',
    'efficient_conv_bn_eval',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'sync_bn',
    'tta_model',
    'tta_pipeline',
}
# Hooks that MMEngine adds by these names, whether or not the config has them.
DEFAULT_HOOKS = {
    'runtime_info',
    'timer',
    'sampler_seed',
    'logger',
    'param_scheduler',
    'checkpoint',
}
# Dicts without a type, by their place in the config.
PLAIN = MappingProxyType(
    {
        'env_cfg': {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
        'env_cfg.mp_cfg': {'mp_start_method', 'opencv_num_threads'},
        'auto_scale_lr': {'base_batch_size', 'enable'},
        'randomness': {'seed', 'diff_rank_seed', 'deterministic'},
        'custom_imports': {'imports', 'allow_failed_imports'},
        'optim_wrapper.paramwise_cfg': {
            'custom_keys',
            'bias_lr_mult',
            'bias_decay_mult',
            'norm_decay_mult',
            'dwconv_decay_mult',
            'dcn_offset_lr_mult',
            'flat_decay_mult',
            'bypass_duplicate',
        },
    }
)
# The type that a dict has if it names none.
DEFAULT_TYPES = MappingProxyType(
    {
        'val_cfg': 'ValLoop',
        'test_cfg': 'TestLoop',
        'optim_wrapper': 'OptimWrapper',
        'log_processor': 'LogProcessor',
        'visualizer': 'Visualizer',
        'val_evaluator': 'Evaluator',
        'test_evaluator': 'Evaluator',
        'model.data_preprocessor': 'ClsDataPreprocessor',
    }
)
DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# Places where MMEngine needs a dict, which may have no type.
DICTS = {*PLAIN, *DEFAULT_TYPES, *DATALOADERS, 'train_cfg', 'default_hooks'}
# Taken by Runner.build_dataloader beside torch's own.
LOADER_ALSO = {'num_batch_per_epoch', 'disable_subprocess_warning'}


def top_level(runner_type: str | None = None) -> set[str] | None:
    """Names that a config's top level may have; None if that can't be known."""
    names = _own_parameters(Runner.__init__) | READ
    names.discard('cfg')
    if runner_type is None:
        return names
    taken = of_type(runner_type)
    return None if taken is None else names | taken


def of_type(name: str | type | Callable) -> set[str] | None:
    """Arguments of what is registered under a name, in whichever registry.

    Args:
        name: The ``type`` of a config's dict: a registered name, with or without
            its scope, a class or a function.

    Returns:
        Names of arguments, of all components of that name; None if they can't be
        known: none is registered, or one takes any argument and hands it to
        something other than its base class.
    """
    if not isinstance(name, str):
        return of_component(name)
    names: set[str] = set()
    found = False
    for registry in REGISTRIES:
        component = registry.get(name)
        if component is None:
            continue
        taken = of_component(component)
        if taken is None:
            return None
        names |= taken | ALSO.get(registry.name, set())
        found = True
    return names if found else None


def of_component(component: type | Callable) -> set[str] | None:
    """Arguments of a class, its bases' included if it passes on ``**kwargs``.

    Returns:
        Names of arguments; None if they can't be known.
    """
    if not inspect.isclass(component):
        return _own_parameters(component)
    names: set[str] = set()
    for base in component.__mro__[:-1]:  # without object
        init = base.__dict__.get('__init__')
        if init is None:
            continue
        try:
            parameters = inspect.signature(init).parameters.values()
        except (TypeError, ValueError):  # written in C
            return None
        names |= {p.name for p in parameters if p.kind not in _VARIADIC} - {'self'}
        rest = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD]
        if not rest:
            return names
        if base in REACHED:
            return names | (_own_parameters(REACHED[base]) or set())
        read = _read_before_base(init, rest[0])
        if read is None:
            return None
        names |= read
    return names


def of_dict(path: str, node: dict, cfg: Mapping) -> set[str] | None:
    """Settings that a dict of a config takes.

    Args:
        path: Its place, such as ``'model.head'``; ``''`` for the top level.
        node: The dict, as far as it is known.
        cfg: The whole config, with every override that is given.

    Returns:
        Names of settings; None if they can't be known.
    """
    if not path:
        return top_level(cfg.get('runner_type'))
    if path in PLAIN:
        wrapper = cfg.get('optim_wrapper') or {}
        other = path.endswith('paramwise_cfg') and 'constructor' in wrapper
        return None if other else PLAIN[path]
    if path in DATALOADERS:
        return _own_parameters(DataLoader.__init__) | LOADER_ALSO
    if path == 'default_hooks':
        return DEFAULT_HOOKS
    if path.startswith('optim_wrapper.paramwise_cfg.custom_keys.'):
        return _of_custom_key(cfg)
    if path == 'train_cfg' and 'type' not in node:
        loop = 'EpochBasedTrainLoop' if node.get('by_epoch') else 'IterBasedTrainLoop'
        return of_type(loop) | {'by_epoch'}
    kind = node.get('type', DEFAULT_TYPES.get(path))
    names = None if kind is None else of_type(kind)
    if path.endswith('norm_cfg') and names is not None:
        return names | {'requires_grad'}
    if path == 'optim_wrapper' and names is not None:
        # Another constructor may take several optimizers, each by its own name.
        if 'constructor' in node:
            return None
        return names | {'constructor', 'paramwise_cfg'}
    return names


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _of_custom_key(cfg: Mapping) -> set[str] | None:
    """Any setting of the optimizer can be given to a group of parameters."""
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    names = of_type(optimizer['type']) if 'type' in optimizer else None
    return None if names is None else names | {'lr_mult', 'decay_mult'}


def _own_parameters(function: Callable) -> set[str] | None:
    """Arguments of one function; None if it takes any, or can't be looked into."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    return {p.name for p in parameters if p.kind not in _VARIADIC} - {'self'}


def _read_before_base(init: Callable, name: str) -> set[str] | None:
    """Settings that an ``__init__`` takes out of ``**name`` before its base gets it.

    Returns:
        Their names; None if ``**name`` is used for anything but that and the call of
        a base's ``__init__``.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError, SyntaxError):
        return None
    understood, read = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            understood.append(node.value)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method, first = node.func.attr, node.args[0] if node.args else None
        named = isinstance(first, ast.Constant)
        if method == '__init__':
            understood += [x.value for x in node.keywords if x.arg is None]
        elif method == 'get' or (method in ('pop', 'setdefault') and named):
            understood.append(node.func.value)
            if named and isinstance(node.func.value, ast.Name):
                read |= {first.value} if node.func.value.id == name else set()
    uses = [x for x in ast.walk(tree) if isinstance(x, ast.Name) and x.id == name]
    return read if all(any(x is y for y in understood) for x in uses) else None
