"""What genre is a song, and how sure is mgtag? ``python examples/one_song.py SONG``."""

import sys

import mgtag

tagger = mgtag.load_model()
answer = tagger.genre(sys.argv[1])
print(
    ", ".join(answer.genres) or "no genre", f"{answer.confidence:.0%}", "written" if answer.sure else "unsure"
)
for genre, share in sorted(answer.probabilities.items(), key=lambda item: -item[1])[:3]:
    print(f"  {genre:<12} {share:.0%}")
