#!/usr/bin/python3
"""Trains the sample model digits: which digit is on a handwritten 8x8 image?

A network with one hidden layer, on the images that come with scikit-learn (nothing is downloaded). One image in five is
held out and only used for the scores at the end. Also writes labels.txt, the names of the ten classes, which the server
attaches to answers of the classification extension. The same libraries on the same kind of processor write the same
file every time. Takes a few seconds.
"""

import argparse
from pathlib import Path

import numpy as np
from onnx import TensorProto
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import onnx_model

LABELS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
LARGEST_PIXEL = 16
# By cross-validation on the training images; 32 units do a little worse, 128 no better.
HIDDEN_UNITS = 64
ALPHA = 0.1
SEED = 0


def main():
    output_dir = parse_arguments().output_dir
    pixels, digits = load_digits(return_X_y=True)
    train_pixels, held_out_pixels, train_digits, held_out_digits = train_test_split(
        pixels, digits, test_size=0.2, random_state=SEED, stratify=digits
    )
    print(f"train: {len(train_digits)} images, held out: {len(held_out_digits)}")

    network = fit(train_pixels, train_digits)
    path = output_dir / "1" / "model.onnx"
    export(path, network)
    write_labels(output_dir / "labels.txt")

    expected = network.predict_proba(held_out_pixels / LARGEST_PIXEL)
    feed = {"pixels": held_out_pixels.astype(np.float32)}
    exported = onnx_model.run(path, [feed])[0]["probabilities"]
    print_accuracy("scikit-learn, on held-out images", expected, held_out_digits)
    print_accuracy("exported model in ONNX Runtime", exported, held_out_digits)
    check_agreement(expected, exported)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "output_dir",
        type=Path,
        metavar="OUTPUT_DIR",
        help="the model's directory, such as model_repository/digits; 1/model.onnx and labels.txt in it are written anew",
    )
    return parser.parse_args()


def fit(pixels, digits):
    network = MLPClassifier((HIDDEN_UNITS,), alpha=ALPHA, max_iter=500, random_state=SEED)
    # Several threads add up in another order, and training makes large differences of small ones.
    with threadpool_limits(1):
        return network.fit(pixels / LARGEST_PIXEL, digits)


def export(path, network):
    graph = onnx_model.Graph("digits")
    scale = graph.constant("scale", np.float32(1 / LARGEST_PIXEL))
    scaled = graph.node("Mul", ["pixels", scale], "scaled")
    hidden = graph.node("Relu", [dense(graph, network, 0, scaled)], "hidden")
    logits = dense(graph, network, 1, hidden)
    graph.node("Softmax", [logits], "probabilities", axis=1)
    graph.save(
        path,
        inputs={"pixels": (TensorProto.FLOAT, ["batch", 64])},
        outputs={"probabilities": (TensorProto.FLOAT, ["batch", len(LABELS)])},
        description="Handwritten digits: 8x8 pixels from 0 to 16, row by row, to ten probabilities.",
    )


def dense(graph, network, layer, values):
    weights = graph.constant(f"weights_{layer}", network.coefs_[layer].astype(np.float32))
    biases = graph.constant(f"biases_{layer}", network.intercepts_[layer].astype(np.float32))
    return graph.node("Gemm", [values, weights, biases], f"dense_{layer}")


def write_labels(path):
    path.write_text("\n".join(LABELS) + "\n", encoding="utf-8")
    print(f"wrote {path} ({len(LABELS)} lines)")


def print_accuracy(title, probabilities, digits):
    right = (probabilities.argmax(axis=1) == digits).sum()
    print(f"{title}: {right} of {len(digits)} right, accuracy {right / len(digits):.4f}")


def check_agreement(expected, exported):
    largest = np.abs(expected - exported).max()
    print(f"largest difference of probabilities {largest:.1e}")
    assert largest < 1e-4


if __name__ == "__main__":
    main()
