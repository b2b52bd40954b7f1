#!/usr/bin/env bash
# Build sdist and wheel, install the wheel alone in an empty environment, and use it in
# an empty folder. Of the calling environment the dependencies are borrowed (by a .pth
# file, which makes visible what is installed there, but not a clone installed with -e).
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH  # what it names would count as installed
python="${PYTHON:-python}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$python" -m build --outdir "$work/dist" . > "$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
dependencies="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
"$python" -m venv "$work/venv"
bin="$work/venv/bin"
site="$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
"$bin/pip" install --quiet --disable-pip-version-check --no-deps "$work"/dist/eac_mm-*.whl
echo "$dependencies" > "$site/dependencies.pth"

mkdir "$work/empty"
cd "$work/empty"
"$bin/python" -c "
import eac_mm, pathlib
assert pathlib.Path(eac_mm.__file__).is_relative_to('$site'), eac_mm.__file__
"
"$bin/eac-mm" ls eac syntheticfer
"$bin/eac-mm" train eac/resnet18_syntheticfer_noise30 --cfg-options train_cfg.max_epochs=1 \
  train_dataloader.dataset.dataset.size=96 val_dataloader.dataset.size=32 > train.log 2>&1 ||
  { tail -50 train.log; exit 1; }
"$python" -c "
import json
result = json.load(open('work_dirs/eac/resnet18_syntheticfer_noise30/result.json'))
assert result['finished'] and len(result['epochs']) == 1, result
print('the wheel alone trains an epoch:', result['epochs'][0]['accuracy/top1'], '%')
"

# The network that the wheel brings, on a photograph that matplotlib brings.
photo="$("$python" -c "import matplotlib; print(matplotlib.get_data_path())")/sample_data/grace_hopper.jpg"
"$bin/eac-mm" predict eac-ferplus-48 "$photo" --out predictions
"$python" -c "
import csv
[face] = csv.DictReader(open('predictions/predictions.csv'))
assert face['status'] == 'ok' and face['expression'], face
"
