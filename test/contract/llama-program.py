"""llama.cpp's own server from the xllamacpp wheel, as a program that an engine starts: all is said by its arguments."""

import os
import signal
import sys

import xllamacpp

model, alias, port, sequences, context = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {alias}
params.port = port
params.hostnames = ["127.0.0.1"]
params.api_keys = [os.environ["LLAMA_API_KEY"]]
params.n_parallel = sequences
params.n_ctx = sequences * context
params.cpuparams.n_threads = 1
params.cpuparams_batch.n_threads = 1
params.use_jinja = True
params.verbosity = 0
server = xllamacpp.Server(params)
print(f"listens on {server.listening_address}", flush=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
sys.stdin.read()
