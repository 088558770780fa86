"""What may be asked of a network; no torch, so that engines can say what they take without it."""

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16", "int8"]
"""``auto``: bfloat16 where the device has units for it, else float32."""
Kind = Literal["vggt", "da3"]
"""Which network."""
