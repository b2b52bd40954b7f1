default_scope = 'mmpretrain'
custom_imports = dict(imports=['eac_mm'], allow_failed_imports=False)

default_hooks = dict(
    runtime_info=dict(type='DeferredRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='SafeCheckpointHook', interval=1, max_keep_ckpts=2),
    checkpoint_format=dict(type='CheckpointFormatHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    sync_buffers=dict(type='SyncBuffersHook'),  # several processes, one figure
    finite_loss=dict(type='FiniteLossHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    epoch=dict(type='CurrentEpochHook'),  # for methods that change by it
    sample_state=dict(type='SampleStateHook'),  # for methods that have it
    preflight=dict(type='PreflightHook'),
    precision=dict(type='PrecisionHook'),  # validation and test: as in training
    memorisation=dict(type='MemorisationHook', interval=1),
    identity=dict(type='RunIdentityHook'),
    result=dict(type='ResultHook', last=5),
    exact_resume=dict(type='ExactResumeHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='UniversalVisualizer', vis_backends=vis_backends)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
