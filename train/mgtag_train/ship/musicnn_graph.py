"""musicnn's ONNX graph without weights, for `mgtag.install` to fill.

It is traced from `mgtag.models.musicnn`, the only description of the network; when that changes, run
``python -m mgtag_train.ship.musicnn_graph`` again.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from mgtag.install.musicnn import SKELETON
from mgtag.models.musicnn import MUSICNN, Musicnn
from mgtag_train.ship.export import to_onnx

FEW = (2, 3, 4, 5, 6)  # filters; the graph is the same for any number


def skeleton() -> bytes:
    """Trace the network and leave out what the weights will bring."""
    network = Musicnn(replace(MUSICNN, filters=FEW, moods=4))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()  # all different, so that the exporter makes no two of them one
    proto = to_onnx(network)
    graph, names = proto.graph, {f"model.{name}" for name in network.state_dict()}
    kept = [tensor for tensor in graph.initializer if tensor.name not in names]
    if len(graph.initializer) - len(kept) != len(names):
        raise RuntimeError("the exporter changed some of the weights")
    del graph.initializer[:], graph.value_info[:], proto.metadata_props[:]
    graph.initializer.extend(kept)
    for item in (*graph.node, *graph.input, *graph.output):
        item.doc_string = ""
        del item.metadata_props[:]
    for answer in graph.output:
        del answer.type.tensor_type.shape.dim[1:]
        answer.type.tensor_type.shape.dim.add()  # as wide as the weights make it
    raw: bytes = proto.SerializeToString(deterministic=True)
    return raw


if __name__ == "__main__":
    SKELETON.write_bytes(skeleton())
