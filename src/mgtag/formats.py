"""Which files are audio, by their suffix; `scan` walks over these, and training reads them too."""

SUFFIXES = frozenset(".mp3 .m4a .m4b .flac .ogg .oga .opus .wma .wav .wave .aif .aiff .aifc .ape .wv".split())
