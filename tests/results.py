"""Results of runs that nobody trained, for tests of what reads them."""

import json

from eac_mm.experiments.records import settings_of
from eac_mm.version import MEASURES


def result_of(run, last, best=99.0, seconds=120.0, **more):
    """What ResultHook would have written for a finished run."""
    settings = settings_of(run.settings())
    mean = {'accuracy/top1': last, **more}
    identity = dict(settings['identity'], data=dict(train=dict(names='a'), val={}))
    session = dict(code='0.1.0, commit 123', machine='a box', precision='float32')
    return json.loads(
        json.dumps(
            dict(
                seed=run.seed,
                finished=True,
                last=5,
                last_mean=mean,
                best_epoch={**mean, 'accuracy/top1': best},
                seconds=seconds,
                epochs=[dict(epoch=settings['length'] or 1, **mean)],
                measures=MEASURES,
                start=settings['start'],
                sessions=[session],
                identity=identity,
            )
        )
    )


def write_result(run, result):
    """Leave a result in the folder of a run."""
    run.work_dir.mkdir(parents=True, exist_ok=True)
    (run.work_dir / 'result.json').write_text(json.dumps(result))
