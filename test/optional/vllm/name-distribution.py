"""
vLLM asks for its own version by the distribution's name `vllm` and takes the CPU's way where that ends in +cpu; the
wheel's distribution has another name. A second one, of a name and a version only, answers.
"""

import pathlib
import sys
import sysconfig

version = f"{sys.argv[1]}+cpu"
folder = pathlib.Path(sysconfig.get_paths()["purelib"]) / f"vllm-{version}.dist-info"
folder.mkdir(exist_ok=True)
(folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
