"""llama.cpp's own server from the xllamacpp wheel, as a program that an engine starts: all is said by its arguments."""

import os
import signal
import sys

import xllamacpp

model, alias, place = sys.argv[1:4]
sequences, context = map(int, sys.argv[4:6])
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {alias}
# A port, or a path that ends in .sock.
params.port = int(place) if place.isdigit() else 0
params.hostnames = ["127.0.0.1" if place.isdigit() else place]
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
