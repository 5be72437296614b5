"""The genre of every slice of a song: ``python examples/over_time.py SONG``."""

import sys

import mgtag

prediction = mgtag.load_model().predict(sys.argv[1], "all")
genre = prediction.heads["genre"]
for start, shares in zip(prediction.starts_s, genre.probabilities, strict=True):
    best = shares.argmax()
    print(f"{start // 60:3.0f}:{start % 60:02.0f}  {genre.labels[best]:<12} {shares[best]:.0%}")
