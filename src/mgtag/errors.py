"""What can go wrong with a listener's file or request, in sentences meant for a person.

Every message says what happened, to which file, and what to do next; the command line prints
it as it stands.
"""


class MgtagError(Exception):
    """A mistake that a user can cause or meet; `str()` of it is one clear sentence."""


class AudioError(MgtagError):
    """The file's sound cannot be read: no audio in it, empty, damaged, or too short."""


class TooShortError(AudioError):
    """The file is shorter than one slice: nothing is wrong with it, but there is nothing to hear."""


class TagError(MgtagError):
    """The file's tags cannot be read or written; the file is as it was."""


class BundleError(MgtagError):
    """A model bundle is missing, incomplete, or not what its card says."""


class StoreError(MgtagError):
    """The index cannot be opened, is of a newer version, or is in use."""


class DamagedIndexError(StoreError):
    """The index's file is damaged; a scan sets it aside and begins a new one."""


class InUseError(StoreError):
    """Another mgtag is at work on the index."""


class UsageError(MgtagError):
    """What was asked for makes no sense; the command line exits with 2."""
