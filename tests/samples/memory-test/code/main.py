"""Needs more memory than it is given: 96 MB, and it asks for 64."""

import os
import time

block = bytearray(int(os.environ.get("MEGABYTES", "96")) * 1024 * 1024)
for at in range(0, len(block), 4096):
    block[at] = 1
print(f"holding {len(block)} bytes", flush=True)
while True:
    time.sleep(60)
