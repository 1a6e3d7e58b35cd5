"""Prints what the vLLM wheel requires, but for torch and its siblings, which are installed before it or not needed."""

import email
import re
import sys
import zipfile

apart = re.compile(r"^(torch|torchaudio|torchvision|torchcodec|intel-openmp)\b")

with zipfile.ZipFile(sys.argv[1]) as wheel:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = email.message_from_bytes(wheel.read(name))
for requirement in metadata.get_all("Requires-Dist"):
    if "extra ==" not in requirement and not apart.match(requirement):
        print(requirement)
