"""The laboratory: everything that makes a bundle. It needs torch, the extra ``mgtag[train]``."""
