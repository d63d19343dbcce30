"""Write the figures anew, on purpose: ``python tests/frozen/freeze.py``; name what changed."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE / "figures.json"

if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "support"))
    from figures import figures

    lines = [f"{json.dumps(name)}: {json.dumps(table)}" for name, table in figures().items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
