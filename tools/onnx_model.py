"""Writes ONNX files node by node, and runs them in the ONNX Runtime that inferd uses.

The graphs need operators that are newer than the onnx package of a stable Linux distribution (opset 20, and contrib
operators of ONNX Runtime). Such a package can still write them; only its checker does not know them. So nothing is
checked here: ONNX Runtime does that when run() loads the file.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
# The first file format version that may say opset 20.
IR_VERSION = 9
CONTRIB = "com.microsoft"
ML = "ai.onnx.ml"

RUNNER = Path(__file__).with_name("run-model.mjs")


class Graph:
    """Collects nodes and constants; every method returns the name of the tensor that it adds."""

    def __init__(self, name):
        self.name = name
        self._nodes = []
        self._constants = {}

    def constant(self, name, values):
        """values: a numpy array; its element type is the tensor's (object stands for strings). Asked for again by its
        name, a constant is there only once."""
        self._constants[name] = numpy_helper.from_array(np.asarray(values), name)
        return name

    def node(self, operator, inputs, output, **attributes):
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def contrib(self, operator, inputs, output, **attributes):
        """An operator that ONNX Runtime has and the ONNX standard has not."""
        return self.node(operator, inputs, output, domain=CONTRIB, **attributes)

    def save(self, path, inputs, outputs, description):
        """inputs and outputs: {name: (TensorProto type, shape)}; a size that is text stays open."""
        constants = list(self._constants.values())
        graph = helper.make_graph(
            self._nodes, self.name, _declared(inputs), _declared(outputs), constants
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        if any(node.domain == ML for node in self._nodes):
            opsets.append(helper.make_opsetid(ML, 4))
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="inferd tools", doc_string=description
        )
        model.ir_version = IR_VERSION
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())
        print(f"wrote {path} ({path.stat().st_size:,} bytes)")


def run(path, feeds):
    """One run per feed ({input name: numpy array}); returns a list of {output name: numpy array}.

    Goes through onnxruntime-node, the very library the server runs the model in.
    """
    return [
        {name: _from_json(tensor) for name, tensor in result.items()}
        for result in _run_model(path, feeds)
    ]


def milliseconds(path, feeds):
    """How long each of these runs takes on one thread, when all have run once before."""
    return _run_model(path, feeds, "--milliseconds")


def _run_model(path, feeds, *flags):
    request = [{name: _to_json(values) for name, values in feed.items()} for feed in feeds]
    finished = subprocess.run(
        ["node", str(RUNNER), str(path), *flags],
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def _declared(tensors):
    return [
        helper.make_tensor_value_info(name, element_type, shape)
        for name, (element_type, shape) in tensors.items()
    ]


def _to_json(values):
    kind = "string" if values.dtype == object else str(values.dtype)
    return {"type": kind, "dims": values.shape, "data": values.ravel().tolist()}


def _from_json(tensor):
    return np.array(tensor["data"], tensor["type"]).reshape(tensor["dims"])
