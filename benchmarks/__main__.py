"""All benchmarks, one after the other; a table each."""

import subprocess
import sys

MODULES = ("loading", "bench_measures", "bench_analysis", "bench_classical", "bench_irt")

if __name__ == "__main__":
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], check=False).returncode
        for module in MODULES
    ]
    sys.exit(max(codes))
