#!/usr/bin/python3
"""Trains the sample model spam_heavy: is a text message spam, looked at more closely than spam_light does?

Three small convolutional networks read the characters; their opinion and that of spam_light's version 2, which goes into
the same graph, count half each. Same data, same held-out messages, same input and output as spam_light, so the two can
stand in for each other, or the light one in front of the heavy one. Takes some minutes on one core, and needs PyTorch.
"""

import random
import re

import numpy as np
import torch
from onnx import TensorProto
from torch import nn
from torch.nn import functional

import onnx_model
import train_spam_light as light

# Every other character is one and the same; 0 is the padding behind a text.
CHARACTERS = "\n" + "".join(map(chr, range(32, 127))) + "£üÜé"
IDS = {character: i for i, character in enumerate(CHARACTERS, start=1)}
OTHER = len(CHARACTERS) + 1

EMBEDDING = 32
CHANNELS = 64
KERNEL = 5
# With these a unit of the last layer sees 29 characters: some five words.
DILATIONS = [1, 2, 4]
HIDDEN = 64

# What passes from layer to layer is whole multiples of 1/STEPS, from 0 to MOST_STEPS of them, and weights are whole
# multiples of 1/UNIT. Sums of their products are exact in FP32 as long as they need no more than 24 bits (export() makes
# sure), and thus the same in any order of addition: alone, in a batch, padded, on any processor, with any threads.
STEPS = 16
MOST_STEPS = 255
UNIT = 1024
EXACT_IN_FP32 = 2**24
# Vectors of characters are finer: nothing has been added up yet.
EMBEDDING_STEPS = 64

SEEDS = [1, 2, 3]
EPOCHS = 12
BATCH_SIZE = 32
LEARNING_RATE = 2e-3


# Of the two opinions, as logits. Halves were about the best for the validation messages.
LIGHT_SHARE = 0.5


def main():
    arguments = light.parse_arguments(__doc__, "model_repository/spam_heavy; 1")
    path = arguments.output_dir / "1" / "model.onnx"
    texts, labels = light.read_messages(arguments.data)
    sides = np.array([light.side_of(text) for text in texts])
    held_out = sides == "held out"
    kept_texts = [text for text, out in zip(texts, held_out) if not out]
    held_out_texts = [text for text, out in zip(texts, held_out) if out]

    classifier, light_before = linear_opinion(texts, labels, sides)
    torch.set_num_threads(1)
    networks = []
    for seed in SEEDS:
        networks.append(train(kept_texts, labels[~held_out], seed))
        print(f"trained: network {len(networks)} of {len(SEEDS)}", flush=True)
    for network in networks:
        round_weights(network)

    def probabilities_of(texts):
        return mixed(linear_logits(classifier, texts), logits_of(networks, texts))

    export(path, classifier, networks)
    exported = light.run_in_batches(path, held_out_texts)
    light.print_scores("spam_light, version 2", labels[held_out], light_before)
    alone = mixed(0, logits_of(networks, held_out_texts) / (1 - LIGHT_SHARE))
    light.print_scores("the networks alone", labels[held_out], alone)
    light.print_scores("both, as exported, in ONNX Runtime", labels[held_out], exported)
    print(f"decisions unlike spam_light's: {sum((light_before > 0.5) != (exported > 0.5))}")
    light.check_graph(path, [*held_out_texts, *light.ODD_TEXTS], probabilities_of)
    light.print_time(path, held_out_texts)


def linear_opinion(texts, labels, sides):
    """spam_light's version 2, and what it says of the held-out messages."""
    held_out = sides == "held out"
    counts = light.count_terms(texts, version=2)
    regularisation = light.choose_regularisation(counts, labels, sides, light.REGULARISATIONS[2])
    classifier = light.fit(counts[~held_out], labels[~held_out], regularisation)
    light.round_weights(classifier)
    return classifier, light.spam_probabilities(classifier, counts[held_out])


def linear_logits(classifier, texts):
    return classifier.decision_function(light.count_terms(texts, version=2))


def mixed(light_logits, network_logits):
    """Logits -> probabilities."""
    logits = LIGHT_SHARE * light_logits + (1 - LIGHT_SHARE) * network_logits
    return 1 / (1 + np.exp(-logits))


# ---- the network


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(OTHER + 1, EMBEDDING, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=0.5)
        self.embedding.weight.data[0] = 0
        sizes = [EMBEDDING] + [CHANNELS] * len(DILATIONS)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, KERNEL, padding=padding_of(dilation), dilation=dilation)
            for n_in, n_out, dilation in zip(sizes, sizes[1:], DILATIONS)
        )
        self.hidden = nn.Linear(2 * CHANNELS * len(DILATIONS), HIDDEN)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, ids):
        """[batch, characters] -> [batch] logits."""
        is_character = (ids > 0).float()[:, None]
        scale = 1 / is_character.sum(2).sqrt()
        layer = self._without_some_characters(self.embedding(ids)).transpose(1, 2)
        pooled = []
        for convolution in self.convolutions:
            layer = in_steps(convolution(layer).clamp(0, MOST_STEPS / STEPS)) * is_character
            # The maximum says that something is there, the sum how often.
            pooled += [layer.amax(2), in_steps(layer.sum(2) * scale)]
            layer = functional.dropout(layer, 0.1, self.training)
        features = functional.dropout(torch.cat(pooled, 1), 0.3, self.training)
        hidden = functional.dropout(self.hidden(features).relu(), 0.3, self.training)
        return self.output(hidden)[:, 0]

    def _without_some_characters(self, vectors):
        kept = functional.dropout(torch.ones(vectors.shape[:2]), 0.05, self.training)
        return vectors * kept[:, :, None]


def padding_of(dilation):
    return dilation * (KERNEL // 2)


def in_steps(values):
    """Rounded; the gradient is that of the unrounded value."""
    return values + (torch.round(values * STEPS) / STEPS - values).detach()


# ---- training


def train(texts, labels, seed):
    torch.manual_seed(seed)
    chance = random.Random(seed)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        LEARNING_RATE,
        total_steps=EPOCHS * -(-len(texts) // BATCH_SIZE),
        pct_start=0.15,
    )
    for _ in range(EPOCHS):
        varied = [varied_text(text, chance) for text in texts]
        for batch in batches_of_like_length(varied, chance):
            logits = network(ids_of([varied[i] for i in batch]))
            # Never quite sure: some labels are wrong.
            targets = torch.tensor(labels[batch] * 0.98 + 0.01, dtype=torch.float32)
            loss = functional.binary_cross_entropy_with_logits(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def varied_text(text, chance):
    """What does not make a message spam: its case, which digits, and every single word."""
    case = chance.random()
    if case < 0.15:
        text = text.lower()
    elif case < 0.25:
        text = text.upper()
    if chance.random() < 0.5:
        text = re.sub("[0-9]", lambda _: str(chance.randrange(10)), text)
    if chance.random() < 0.3:
        text = " ".join(word for word in text.split(" ") if chance.random() > 0.1) or text
    return text


def batches_of_like_length(texts, chance):
    """Lists of positions, in random order."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]) * (1 + 0.2 * chance.random()))
    batches = [order[at : at + BATCH_SIZE] for at in range(0, len(order), BATCH_SIZE)]
    chance.shuffle(batches)
    return batches


def ids_of(texts):
    rows = [[IDS.get(character, OTHER) for character in light.cut(text)] for text in texts]
    width = max(map(len, rows))
    return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def round_weights(network):
    with torch.no_grad():
        for name, weights in network.named_parameters():
            unit = EMBEDDING_STEPS if name.startswith("embedding") else UNIT
            weights.copy_(torch.round(weights * unit) / unit)


def logits_of(networks, texts):
    """Their mean, in double precision."""
    with torch.no_grad():
        logits = [
            torch.cat([network(ids_of(texts[at : at + 64])) for at in range(0, len(texts), 64)])
            for network in networks
        ]
    return torch.stack(logits).double().mean(0).numpy()


# ---- export


def export(path, classifier, networks):
    graph = onnx_model.Graph("spam_heavy")
    messages = light.beginnings(graph, "text")
    weights = light.whole(classifier.coef_[0], np.int16)
    bias = light.whole(classifier.intercept_, np.int32)
    light_logit = light.logit_of_runs(graph, messages, weights, bias)
    ids, is_character, scale = characters_as_ids(graph, messages)
    logits = [
        network_logit(graph, f"network_{i}", network, ids, is_character, scale)
        for i, network in enumerate(networks, start=1)
    ]
    logit = mixed_logit(graph, light_logit, logits)
    light.probability(graph, logit, "spam_probability")
    light.save(graph, path, "three convolutional networks over characters, and spam_light's version 2")


def characters_as_ids(graph, messages):
    """[batch] -> ids [batch, characters], 0 where a row is padded; whether it is not, as FP32 [batch, 1, characters]; and
    1 / sqrt(characters) [batch, 1]."""
    characters = light.split_into_characters(graph, messages, "cased_characters")
    ids = graph.node(
        "LabelEncoder",
        [characters],
        "ids",
        domain=onnx_model.ML,
        keys_strings=["", *IDS],
        values_int64s=[0, *IDS.values()],
        default_int64=OTHER,
    )
    is_id = graph.node("Greater", [ids, graph.constant("padding_id", np.int64([0]))], "is_id")
    as_float = graph.node("Cast", [is_id], "is_id_float", to=TensorProto.FLOAT)
    is_character = graph.node("Unsqueeze", [as_float, light.axis_1(graph)], "id_mask")
    count = graph.node("ReduceSum", [as_float, light.axis_1(graph)], "id_count", keepdims=1)
    # Looked up: a processor's square root of FP32 may be an approximation, which is not the same in every place.
    counts = np.arange(light.LONGEST_TEXT + 1, dtype=np.float32)
    with np.errstate(divide="ignore"):
        table = graph.constant("scales", np.where(counts > 0, 1 / np.sqrt(counts), 0))
    place = graph.node("Cast", [count], "id_count_int64", to=TensorProto.INT64)
    return ids, is_character, graph.node("Gather", [table, place], "scale")


def network_logit(graph, name, network, ids, is_character, scale):
    """[batch, 1] in double precision. Within, values are in units of 1/STEPS, and thus whole numbers."""
    vectors = network.embedding.weight.detach().numpy() * STEPS
    table = stored(graph, f"{name}_embedding", vectors)
    looked_up = graph.node("Gather", [table, ids], f"{name}_vectors")
    layer = graph.node("Transpose", [looked_up], f"{name}_layer_0", perm=[0, 2, 1])
    most, fractions = np.abs(vectors).max(), EMBEDDING_STEPS // STEPS
    pooled = []
    for i, convolution in enumerate(network.convolutions, start=1):
        check_exact(convolution, most, fractions)
        layer = convolved(graph, f"{name}_layer_{i}", convolution, layer, is_character)
        pooled += pool(graph, f"{name}_pool_{i}", layer, scale)
        most, fractions = MOST_STEPS, 1
    features = graph.node("Concat", pooled, f"{name}_features", axis=1)
    # In double precision there are 53 bits: nothing here comes near that.
    exact = graph.node("Cast", [features], f"{name}_features_double", to=TensorProto.DOUBLE)
    hidden = dense(graph, f"{name}_hidden", network.hidden, exact)
    output = dense(
        graph, f"{name}_output", network.output, graph.node("Relu", [hidden], f"{name}_relu")
    )
    step = graph.constant("step", np.float64([1 / STEPS]))
    return graph.node("Mul", [output, step], f"{name}_logit")


def stored(graph, name, values, element_type=TensorProto.FLOAT):
    """A constant, in the file as FP16, which holds the rounded weights exactly. @raises OverflowError if it does not"""
    halves = values.astype(np.float16)
    if not np.array_equal(halves, values):
        raise OverflowError(f"a weight of {name} is too large for its steps in FP16")
    return graph.node("Cast", [graph.constant(f"{name}_fp16", halves)], name, to=element_type)


def check_exact(convolution, most, fractions):
    """@raises OverflowError if a sum of inputs up to `most`, in so many fractions, may need more bits than FP32 has"""
    weights, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
    largest = np.abs(weights).sum((1, 2)) * most + np.abs(bias) * STEPS
    if largest.max() * UNIT * fractions >= EXACT_IN_FP32:
        raise OverflowError(f"a sum may need {largest.max() * UNIT * fractions:.0f} steps")


def convolved(graph, name, convolution, layer, is_character):
    weights = stored(graph, f"{name}_weights", convolution.weight.detach().numpy())
    bias = graph.constant(f"{name}_bias", convolution.bias.detach().numpy() * STEPS)
    padding, dilation = convolution.padding[0], convolution.dilation[0]
    sums = graph.node(
        "Conv", [layer, weights, bias], f"{name}_sums", dilations=[dilation], pads=[padding] * 2
    )
    rounded = graph.node("Round", [sums], f"{name}_rounded")
    limits = [graph.constant("none", np.float32(0)), graph.constant("most", np.float32(MOST_STEPS))]
    clipped = graph.node("Clip", [rounded, *limits], f"{name}_clipped")
    # Padding stays 0, which is also what a convolution finds behind the end of a tensor.
    return graph.node("Mul", [clipped, is_character], name)


def pool(graph, name, layer, scale):
    axis = graph.constant("axis_2", np.int64([2]))
    largest = graph.node("ReduceMax", [layer, axis], f"{name}_max", keepdims=0)
    total = graph.node("ReduceSum", [layer, axis], f"{name}_sum", keepdims=0)
    scaled = graph.node("Mul", [total, scale], f"{name}_scaled")
    return [largest, graph.node("Round", [scaled], f"{name}_rounded")]


def dense(graph, name, linear, values):
    weights = stored(
        graph, f"{name}_weights", linear.weight.detach().numpy().T, TensorProto.DOUBLE
    )
    products = graph.node("MatMul", [values, weights], f"{name}_products")
    bias = linear.bias.detach().numpy().astype(np.float64) * STEPS
    return graph.node("Add", [products, graph.constant(f"{name}_bias", bias)], f"{name}_sums")


def mixed_logit(graph, light_logit, network_logits):
    total = graph.node("Sum", network_logits, "network_logit_sum")
    network_share = graph.constant(
        "network_share", np.float64([(1 - LIGHT_SHARE) / len(network_logits)])
    )
    light_share = graph.constant("light_share", np.float64([LIGHT_SHARE]))
    parts = [
        graph.node("Mul", [total, network_share], "network_part"),
        graph.node("Mul", [light_logit, light_share], "light_part"),
    ]
    return graph.node("Add", parts, "mixed_logit")


if __name__ == "__main__":
    main()
