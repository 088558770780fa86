"""Follow what moves in a video, picture by picture, and write the tracks.

python examples/01_track_a_video.py VIDEO [OUTPUT.csv]
"""

import sys
from pathlib import Path

from sightline.pipeline.track import Gathered, track
from sightline.trackers.offline import refined
from sightline.wiring import build


def main(video: Path, output: Path) -> None:
    """Prints who is new in each picture, then links broken tracks, fills gaps and writes a CSV."""
    source = build("source", "video", {"path": video})
    detector = build("detector", "motion", {})
    tracker = build("tracker", "botsort", {"lost_s": 3})
    known: set[int] = set()
    all_tracks = Gathered(source.about().name)
    for sight in track(source, detector, tracker, build("stabilizer", "flow", {})):
        all_tracks.add(sight.tracks)
        new = set(sight.tracks.number.tolist()) - known
        known |= new
        for number in sorted(new):
            print(f"{sight.frame.moment.t_s:7.2f} s: track {number} begins")
    tracks = refined(all_tracks.all())
    build("format", "csv", {}).write(tracks, output)
    print(f"{len(known)} tracks as they came, {len(set(tracks.number.tolist()))} after the second look: {output}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "tracks.csv"))
