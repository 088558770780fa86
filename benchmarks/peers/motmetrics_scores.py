"""IDF1, MOTA and id switches of rows (picture, number, x, y) in a .npz, by motmetrics: matches within 1 m."""

import json
import sys

import motmetrics
import numpy as np

rows = np.load(sys.argv[1])
truth, found = rows["truth"], rows["found"]
events = motmetrics.MOTAccumulator()
for k in np.unique(truth[:, 0]):
    a, b = truth[truth[:, 0] == k], found[found[:, 0] == k]
    off = np.linalg.norm(a[:, None, 2:] - b[:, 2:], axis=2)
    events.update(a[:, 1].astype(int), b[:, 1].astype(int), np.where(off <= 1, off, np.nan), frameid=int(k))
names = ["idf1", "mota", "num_switches"]
said = motmetrics.metrics.create().compute(events, metrics=names).iloc[0]
print(json.dumps({name: round(float(said[name]) * (1 if "num" in name else 100), 2) for name in names}))
