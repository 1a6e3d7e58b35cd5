"""llama.cpp's own server from the xllamacpp wheel: a real second engine for the upstream adapter's tests."""

import signal
import sys

import xllamacpp

model, alias, embeddings = sys.argv[1], sys.argv[2], sys.argv[3] == "embeddings"
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {alias}
params.port = 0
params.hostnames = ["127.0.0.1"]
params.n_parallel = 3
params.n_ctx = 3072
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.use_jinja = True
params.embedding = embeddings
params.verbosity = 0
server = xllamacpp.Server(params)
print(f"READY {server.listening_address}", flush=True)
# The parent holds our standard input open for as long as it wants us.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
sys.stdin.read()
