"""Reads every artifact of a study with pyarrow and DuckDB, and recomputes the weight variances with NumPy.

Usage: recompute.py ARTIFACTS.json, the output of `epochal artifacts STUDY --json`. Prints one JSON object.
"""

import hashlib
import json
import sys

import duckdb
import numpy as np
import pyarrow as pa


def open_table(path):
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()


def vectors(table, column):
    chunks = [chunk.flatten().to_numpy().reshape(len(chunk), -1) for chunk in table[column].chunks]
    return np.concatenate(chunks).astype(np.float64)


artifacts = json.load(open(sys.argv[1]))["artifacts"]
tables, rows_by_duckdb, kinds_match, digests_match = {}, True, True, True
for artifact in artifacts:
    opened = open_table(artifact["path"])
    tables[(artifact["stage"], artifact["output"])] = opened
    kinds_match &= opened.schema.metadata[b"epochal.kind"].decode() == artifact["kind"]
    digests_match &= hashlib.sha256(open(artifact["path"], "rb").read()).hexdigest() == artifact["sha256"]
    rows_by_duckdb &= duckdb.sql("select count(*) from opened").fetchone()[0] == opened.num_rows

# The parts lie beside their manifest under their own digests.
manifest = tables[("record", "trajectory")]
anchor = next(a for a in artifacts if (a["stage"], a["output"]) == ("record", "trajectory"))
parts = []
for sha256 in manifest["sha256"].to_pylist():
    path = anchor["path"].replace(f"/{anchor['sha256'][:2]}/{anchor['sha256']}", f"/{sha256[:2]}/{sha256}")
    parts.append(open_table(path))
weights = np.concatenate([vectors(part, "weights") for part in parts])
steps = np.concatenate([part["step"].to_numpy() for part in parts])

basis = vectors(tables[("hessian", "eigenpairs")], "vector")
theta = (weights - weights[0]) @ basis.T
time = np.arange(len(theta)) - (len(theta) - 1) / 2
line = np.stack([np.ones_like(time), time], axis=1)
theta -= line @ np.linalg.lstsq(line, theta, rcond=None)[0]
measured = (theta**2).mean(axis=0)
spectrum = tables[("analyze", "spectrum")]
stored = spectrum["weight_variance"].to_numpy()
largest_in_duckdb = duckdb.sql("select max(eigenvalue) from spectrum").fetchone()[0]

print(
    json.dumps(
        {
            "artifacts": len(artifacts),
            "kindsMatch": bool(kinds_match),
            "digestsMatch": bool(digests_match),
            "duckdbCountsMatch": bool(rows_by_duckdb),
            "duckdbLargestEigenvalue": largest_in_duckdb,
            "largestEigenvalue": float(spectrum["eigenvalue"].to_numpy().max()),
            "recordedSteps": len(steps),
            "stepsAreConsecutive": bool((np.diff(steps) == 1).all()),
            "relativeDifference": float(np.max(np.abs(measured / stored - 1))),
        }
    )
)
