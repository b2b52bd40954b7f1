"""Records of a training, as the recorder writes them."""

import numpy as np

from eac_mm.utils.training_records import epoch_path, samples_path, write_arrays


def record(folder, epochs, labels, classes, disagreement=None, **samples):
    """Write records.

    Args:
        folder: Of the run.
        epochs: For each the logits (views, samples, classes).
        labels: Noisy labels.
        classes: Class names.
        disagreement: For each epoch a value a sample, or None.
        **samples: ``clean_labels`` and ``paths``, if they are known.
    """
    for number, logits in enumerate(epochs, start=1):
        arrays = dict(logits=np.asarray(logits, np.float16))
        if disagreement is not None:
            values = np.asarray(disagreement[number - 1], np.float32)
            arrays['disagreement'] = values
        write_arrays(epoch_path(folder, number), arrays)
    arrays = {name: np.asarray(values) for name, values in samples.items()}
    labels = np.asarray(labels, np.int64)
    arrays.update(noisy_labels=labels, classes=np.array(classes))
    write_arrays(samples_path(folder), arrays)
