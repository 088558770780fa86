"""Made-up 1080p clips for the benchmarks of sources, encoded once and kept in the temporary folder."""

import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = Path(__file__).parents[1] / ".venv-peers" / "bin" / "python"
FOLDER = Path(tempfile.gettempdir()) / "sightline-bench"
SCENE = """
    -f lavfi -i testsrc2=s=1920x1080:r=30:d=60
    -f lavfi -i mandelbrot=s=960x540:r=30:end_scale=0.002:end_pts=1800
    -filter_complex [0][1]overlay=480:270:shortest=1,noise=alls=6:allf=t,format=yuv420p
"""
CLIPS = {
    "bframes": "-c:v libx264 -preset medium -bf 2 -g 60 -b:v 6200k",
    "camera": "-c:v libx264 -preset veryfast -profile:v main -bf 0 -refs 1 -g 30 -sc_threshold 0 -b:v 4200k",
}
"""60 s at 30 per second: one with 2 B-frames and groups of at most 60; one as cameras make them, IPPP, groups of 30."""


def ffmpeg():
    """The newest ffmpeg that installs from packages."""
    asked = "import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())"
    return subprocess.run([PEERS, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()


def clip(name):
    """The clip of that name."""
    path = FOLDER / f"{name}.mp4"
    if not path.exists():
        print(f"encoding {path} ...", file=sys.stderr)
        FOLDER.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.mp4")
        command = [ffmpeg(), "-y", "-v", "error", *SCENE.split(), *CLIPS[name].split(), "-t", "60", str(partial)]
        subprocess.run(command, check=True)
        partial.rename(path)
    return path
