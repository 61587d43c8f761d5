#!/usr/bin/python3
"""Trains the sample model spam_light: is a text message spam?

Counts words and pairs of neighbouring words in hashed buckets, gives every bucket a weight by logistic regression, and
exports all of it, from the raw text to the probability, as one ONNX graph. The text work lies in the graph and not in a
client's code, so that a client in any language sends nothing but the message, and none can do it slightly differently.

Reads the SMS Spam Collection (https://archive.ics.uci.edu/dataset/228): a line is 'ham' or 'spam', a tab, the message.
One message in five is held out by a hash of its words and never looked at before the last step; another fifth picks the
regularisation. The same input gives the same file. Takes a few seconds.
"""

import argparse
import hashlib
import re
from pathlib import Path

import numpy as np
from onnx import TensorProto
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
)
from sklearn.utils import murmurhash3_32

import onnx_model

# Longer messages are cut: rows of a batch are padded to the longest, and one book sent by one client must not cost memory
# and time for the 63 messages that happen to run with it. 1000 is also the most that a repetition in RE2 may count to.
LONGEST_TEXT = 1000

# A word (with its apostrophe), one digit, or one other character that is no space: "Call 08452, it's FREE!!!" becomes
# call 0 8 4 5 2 , it's free ! ! !  A digit is a word of its own because the numbers of spammers are all different, but
# long, and counting digits shows that. Means the same to Python's engine and to RE2, which ONNX Runtime uses.
WORD = r"[a-z]+(?:'[a-z]+)?|[0-9]|[^a-z0-9\x00-\x20]"

# A power of two, so that a bit mask turns a hash into a bucket. More buckets gained nothing on the validation messages.
BUCKETS = 2**15

# Weights are whole multiples of 1/1024, stored and summed as integers: an integer sum is exact in any order, so a
# message gets the same answer to the last bit whether it is alone or in a batch, where rows are padded.
UNIT = 1024

REGULARISATIONS = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
MAX_BATCH_SIZE = 64

# No word at all, only spaces, other scripts, and advertisements that begin within the limit and behind it.
ODD_TEXTS = ["", " \t\n", "😀😀", "Привет, ñandú №5", "FREE entry " * 1000, "hello " * 200 + "FREE entry " * 1000]


def main():
    arguments = parse_arguments()
    path = arguments.output_dir / "1" / "model.onnx"
    texts, labels = read_messages(arguments.data)
    counts = count_terms(texts)
    sides = np.array([side_of(text) for text in texts])
    for side in ("train", "validation", "held out"):
        print(f"{side}: {sum(sides == side)} messages, {labels[sides == side].sum()} of them spam")

    regularisation = choose_regularisation(counts, labels, sides)
    held_out = sides == "held out"
    classifier = fit(counts[~held_out], labels[~held_out], regularisation)
    trained = spam_probabilities(classifier, counts[held_out])
    round_weights(classifier)
    export(path, classifier)

    held_out_texts = [text for text, out in zip(texts, held_out) if out]
    exported = run_in_batches(path, held_out_texts)
    print_scores("as trained, on held-out messages", labels[held_out], trained)
    print_scores("as exported, in ONNX Runtime", labels[held_out], exported)
    print(f"decisions that differ: {sum((trained > 0.5) != (exported > 0.5))}")
    check_graph(path, classifier, [*held_out_texts, *ODD_TEXTS])


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA_TSV", help="the SMS Spam Collection")
    parser.add_argument(
        "output_dir",
        type=Path,
        metavar="OUTPUT_DIR",
        help="the model's directory, such as model_repository/spam_light; 1/model.onnx in it is written anew",
    )
    arguments = parser.parse_args()
    if not arguments.data.is_file():
        parser.error(f"there is no file {arguments.data}; README.md here says where the data is")
    return arguments


# ---- data


def read_messages(path):
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    labels, texts = zip(*(line.split("\t", 1) for line in lines))
    return texts, np.array([label == "spam" for label in labels])


def side_of(text):
    """Depends on the words alone, with any number for any other: copies of a message, and the same advertisement with
    another phone number, fall on one side, so that the held-out messages are not ones the model has learned by heart."""
    words = " ".join(re.findall("[a-z]+|0", re.sub("[0-9]+", "0", text.lower())))
    digest = hashlib.sha256(words.encode()).digest()
    fifth = int.from_bytes(digest[:8], "big") % 5
    return {0: "held out", 1: "validation"}.get(fifth, "train")


# ---- what the graph does to a text, in Python


def terms_of(text):
    # ASCII letters only, like StringNormalizer in the locale C.
    lowered = re.sub("[A-Z]+", lambda match: match[0].lower(), text[:LONGEST_TEXT])
    words = re.findall(WORD, lowered)
    return words + [f"{first} {second}" for first, second in zip(words, words[1:])]


def bucket_of(term):
    return murmurhash3_32(term, seed=0) & (BUCKETS - 1)


def count_terms(texts):
    """A row per text, a column per bucket."""
    cells = [(row, bucket_of(term)) for row, text in enumerate(texts) for term in terms_of(text)]
    rows, columns = zip(*cells)
    return csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(texts), BUCKETS))


# ---- training


def choose_regularisation(counts, labels, sides):
    """By log loss, not by errors: the probability itself is what the model is for, and errors are too few to count."""
    train, validation = sides == "train", sides == "validation"
    losses = {}
    for regularisation in REGULARISATIONS:
        classifier = fit(counts[train], labels[train], regularisation)
        probabilities = spam_probabilities(classifier, counts[validation])
        losses[regularisation] = log_loss(labels[validation], probabilities)
        f1 = f1_score(labels[validation], probabilities > 0.5)
        print(f"C={regularisation}: validation log loss {losses[regularisation]:.4f}, F1 {f1:.4f}")
    best = min(losses, key=losses.get)
    print(f"chosen: C={best}")
    return best


def fit(counts, labels, regularisation):
    # Solved far beyond need, so that the way there (processor, library version) does not show in the rounded weights.
    return LogisticRegression(C=regularisation, tol=1e-9, max_iter=10_000).fit(counts, labels)


def round_weights(classifier):
    for weights in (classifier.coef_, classifier.intercept_):
        weights[:] = np.round(weights * UNIT) / UNIT


def spam_probabilities(classifier, counts):
    return classifier.predict_proba(counts)[:, 1]


# ---- export


def export(path, classifier):
    graph = onnx_model.Graph("spam_light")
    words = split_into_words(graph, "text")
    terms, present = words_and_pairs(graph, words)
    score = sum_of_weights(graph, terms, present, whole(classifier.coef_[0], np.int16))
    probability(graph, score, whole(classifier.intercept_, np.int32), "spam_probability")
    graph.save(
        path,
        inputs={"text": (TensorProto.STRING, ["batch", 1])},
        outputs={"spam_probability": (TensorProto.FLOAT, ["batch", 1])},
        description="Probability that a text message is spam: hashed words and word pairs, logistic regression.",
    )


def whole(weights, element_type):
    """In units of 1/UNIT. @raises OverflowError for a weight that does not fit"""
    units = np.round(weights * UNIT)
    if np.abs(units).max() > np.iinfo(element_type).max:
        raise OverflowError(f"a weight is larger than {np.iinfo(element_type).max / UNIT}")
    return units.astype(element_type)


def split_into_words(graph, text):
    """[batch, 1] texts -> [batch, words], rows padded with empty strings. A batch without a word has width 0."""
    # A space more, so that every text has a beginning of at least one character: exactly one piece for each row.
    not_empty = graph.node("StringConcat", [text, string(graph, "space", " ")], "not_empty")
    rows = graph.node("Squeeze", [not_empty, axis_1(graph)], "rows")
    beginnings = tokenizer(graph, rows, "beginnings", f"(?s)^.{{1,{LONGEST_TEXT}}}")
    messages = graph.node("Squeeze", [beginnings, axis_1(graph)], "messages")
    # The default locale, en_US.UTF-8, is missing in most containers, and the model would not load; C is everywhere.
    lowered = graph.node(
        "StringNormalizer", [messages], "lowered", case_change_action="LOWER", locale="C"
    )
    return tokenizer(graph, lowered, "words", WORD)


def tokenizer(graph, texts, output, expression):
    """[batch] -> [batch, pieces], where expression matches, longest match first."""
    return graph.contrib(
        "Tokenizer", [texts], output, tokenexp=expression, pad_value="", mark=0, mincharnum=1
    )


def words_and_pairs(graph, words):
    """All terms, and for each whether it is real, that is, does not contain padding."""
    is_padding = graph.node("Equal", [words, string(graph, "empty", "")], "is_padding")
    is_word = graph.node("Not", [is_padding], "is_word")

    first = columns(graph, words, "first_words", 0, -1)
    second = columns(graph, words, "second_words", 1, None)
    spaced = graph.node("StringConcat", [first, string(graph, "space", " ")], "spaced_words")
    pairs = graph.node("StringConcat", [spaced, second], "pairs")
    # Padding stands at the end of a row: a pair is real when its second word is.
    is_pair = columns(graph, is_word, "is_pair", 1, None)

    terms = graph.node("Concat", [words, pairs], "terms", axis=1)
    present = graph.node("Concat", [is_word, is_pair], "present", axis=1)
    return terms, present


def columns(graph, tensor, output, start, end):
    """tensor[:, start:end]"""
    end = np.iinfo(np.int64).max if end is None else end
    start_input = graph.constant(f"{output}_start", np.int64([start]))
    end_input = graph.constant(f"{output}_end", np.int64([end]))
    return graph.node("Slice", [tensor, start_input, end_input, axis_1(graph)], output)


def axis_1(graph):
    return graph.constant("axis_1", np.int64([1]))


def string(graph, name, value):
    return graph.constant(name, np.array([value], dtype=object))


def sum_of_weights(graph, terms, present, weights):
    """[batch, terms] -> [batch, 1], in units of 1/UNIT."""
    hashes = graph.contrib("MurmurHash3", [terms], "hashes", seed=0, positive=0)
    mask = graph.constant("bucket_mask", np.int32([BUCKETS - 1]))
    buckets = graph.node("BitwiseAnd", [hashes, mask], "buckets")
    table = graph.constant("weights", weights)
    small = graph.node("Gather", [table, buckets], "term_weights_int16")
    # Wide enough: a text of LONGEST_TEXT characters has less than twice as many terms.
    wide = graph.node("Cast", [small], "term_weights", to=TensorProto.INT32)
    zero = graph.constant("zero", np.int32([0]))
    counted = graph.node("Where", [present, wide, zero], "counted_weights")
    return graph.node("ReduceSum", [counted, axis_1(graph)], "weight_sum", keepdims=1)


def probability(graph, score, bias, output):
    """Sigmoid of (score + bias) / UNIT, computed in double precision: rounded to float, the result does not depend on
    which of a processor's ways to compute it a row gets, which may change with its place in the batch."""
    total = graph.node("Add", [score, graph.constant("bias", bias)], "score")
    exact = graph.node("Cast", [total], "score_double", to=TensorProto.DOUBLE)
    unit = graph.constant("unit", np.float64([1 / UNIT]))
    logit = graph.node("Mul", [exact, unit], "logit")
    precise = graph.node("Sigmoid", [logit], "probability_double")
    return graph.node("Cast", [precise], output, to=TensorProto.FLOAT)


# ---- scores


def run_in_batches(path, texts, batch_size=MAX_BATCH_SIZE):
    batches = [texts[at : at + batch_size] for at in range(0, len(texts), batch_size)]
    feeds = [{"text": np.array(batch, dtype=object).reshape(-1, 1)} for batch in batches]
    results = onnx_model.run(path, feeds)
    return np.concatenate([result["spam_probability"][:, 0] for result in results])


def print_scores(title, labels, probabilities):
    spam = probabilities > 0.5
    _, false_alarms, missed, _ = confusion_matrix(labels, spam).ravel()
    sure = (probabilities < 0.05) | (probabilities > 0.95)
    sure_errors = (spam != labels)[sure].sum()
    print(
        f"{title}: accuracy {accuracy_score(labels, spam):.4f}, precision {precision_score(labels, spam):.4f}, "
        f"recall {recall_score(labels, spam):.4f}, F1 {f1_score(labels, spam):.4f}\n"
        f"  {false_alarms} of {sum(~labels)} ham taken for spam, {missed} of {sum(labels)} spam missed\n"
        f"  below 0.05 or above 0.95: {sum(sure)} of {len(labels)} messages, {sure_errors} of them wrongly"
    )


def check_graph(path, classifier, texts):
    """The graph does what the Python code above does, and does the same whatever else is in the batch."""
    in_batches = run_in_batches(path, texts)
    alone = run_in_batches(path, texts, batch_size=1)
    assert np.array_equal(in_batches, alone), "a message gets another answer in a batch"
    difference = np.abs(in_batches - spam_probabilities(classifier, count_terms(texts))).max()
    assert difference < 1e-6, f"the graph does not compute what was trained: {difference} off"
    print(f"checked: {len(texts)} messages get the same bits alone and in batches of {MAX_BATCH_SIZE},")
    print(f"  and the probabilities that scikit-learn gives with the rounded weights (within {difference:.0e})")


if __name__ == "__main__":
    main()
