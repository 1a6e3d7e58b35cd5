"""Prints a Parquet file's types and rows as JSON, decimals as texts: read by other code than what wrote it."""

import json
import sys

import pyarrow.parquet as parquet

table = parquet.read_table(sys.argv[1])
types = {field.name: str(field.type) for field in table.schema}
print(json.dumps({"types": types, "rows": table.to_pylist()}, default=str))
