#!/usr/bin/python3
"""Trains the sample model spam_light: is a text message spam?

Counts terms in hashed buckets, gives every bucket a weight by logistic regression, and exports all of it, from the raw
text to the probability, as one ONNX graph. Terms are words and pairs of neighbouring words in version 1; one, two and
three neighbouring characters in version 2. The text work lies in the graph and not in a client's code, so that a client
in any language sends nothing but the message, and none can do it slightly differently.

Reads the SMS Spam Collection (https://archive.ics.uci.edu/dataset/228): a line is 'ham' or 'spam', a tab, the message.
One message in five is held out by a hash of its words and never looked at before the last step; another fifth picks the
regularisation. The same input gives the same files. Takes some ten seconds.
"""

import argparse
import hashlib
import re
from collections import Counter
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

# Of each version. The values of version 2 are larger because its counts are scaled down.
REGULARISATIONS = {1: [0.1, 0.2, 0.5, 1.0, 2.0, 5.0], 2: [3.0, 10.0, 30.0, 100.0, 300.0]}

# In version 2, of characters.
LONGEST_RUN = 3
MAX_BATCH_SIZE = 64
# Compared with the batches of MAX_BATCH_SIZE.
BATCH_SIZES = [1, 2, 3, 5, 8, 16, 33]

# No word at all, only spaces, other scripts, and advertisements that begin within the limit and behind it.
ODD_TEXTS = ["", " \t\n", "😀😀", "Привет, ñandú №5", "FREE entry " * 1000, "hello " * 200 + "FREE entry " * 1000]


def main():
    arguments = parse_arguments()
    texts, labels = read_messages(arguments.data)
    sides = np.array([side_of(text) for text in texts])
    for side in ("train", "validation", "held out"):
        print(f"{side}: {sum(sides == side)} messages, {labels[sides == side].sum()} of them spam")
    for version in REGULARISATIONS:
        print(f"\n---- version {version}")
        train_and_export(version, arguments.output_dir, texts, labels, sides)


def train_and_export(version, output_dir, texts, labels, sides):
    path = output_dir / str(version) / "model.onnx"
    counts = count_terms(texts, version)
    regularisation = choose_regularisation(counts, labels, sides, REGULARISATIONS[version])
    held_out = sides == "held out"
    classifier = fit(counts[~held_out], labels[~held_out], regularisation)
    trained = spam_probabilities(classifier, counts[held_out])
    round_weights(classifier)
    export(path, classifier, version)

    held_out_texts = [text for text, out in zip(texts, held_out) if out]
    exported = run_in_batches(path, held_out_texts)
    print_scores("as trained, on held-out messages", labels[held_out], trained)
    print_scores("as exported, in ONNX Runtime", labels[held_out], exported)
    print(f"decisions that differ: {sum((trained > 0.5) != (exported > 0.5))}")
    check_graph(
        path,
        [*held_out_texts, *ODD_TEXTS],
        lambda texts: spam_probabilities(classifier, count_terms(texts, version)),
    )
    print_time(path, held_out_texts)


def parse_arguments(description=__doc__, example="model_repository/spam_light; 1 and 2"):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA_TSV", help="the SMS Spam Collection")
    parser.add_argument(
        "output_dir",
        type=Path,
        metavar="OUTPUT_DIR",
        help=f"the model's directory, such as {example} in it are written anew",
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


def cut(text):
    """A space more, so that every text has at least one character."""
    return f"{text} "[:LONGEST_TEXT]


def terms_of(text, version):
    # ASCII letters only, like StringNormalizer in the locale C.
    lowered = re.sub("[A-Z]+", lambda match: match[0].lower(), cut(text))
    if version == 2:
        return runs_of(lowered, "", LONGEST_RUN)
    return runs_of(re.findall(WORD, lowered), " ", 2)


def runs_of(pieces, separator, longest):
    """All runs of up to so many neighbours."""
    return [
        separator.join(pieces[at : at + length])
        for length in range(1, longest + 1)
        for at in range(len(pieces) - length + 1)
    ]


def bucket_of(term):
    return murmurhash3_32(term, seed=0) & (BUCKETS - 1)


def count_terms(texts, version):
    """A row per text, a column per bucket. In version 2 divided by the square root of the row's sum, so that a long
    message does not become certain by its length."""
    terms = [Counter(bucket_of(term) for term in terms_of(text, version)) for text in texts]
    rows = [row for row, counts in enumerate(terms) for _ in counts]
    columns = [bucket for counts in terms for bucket in counts]
    values = [
        count / (np.sqrt(counts.total()) if version == 2 else 1)
        for counts in terms
        for count in counts.values()
    ]
    return csr_matrix((values, (rows, columns)), shape=(len(texts), BUCKETS))


# ---- training


def choose_regularisation(counts, labels, sides, regularisations):
    """By log loss, not by errors: the probability itself is what the model is for, and errors are too few to count."""
    train, validation = sides == "train", sides == "validation"
    losses = {}
    for regularisation in regularisations:
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


def export(path, classifier, version):
    graph = onnx_model.Graph("spam_light")
    messages = beginnings(graph, "text")
    weights, bias = whole(classifier.coef_[0], np.int16), whole(classifier.intercept_, np.int32)
    if version == 1:
        terms, present = words_and_pairs(graph, split_into_words(graph, messages))
        score = sum_of_weights(graph, terms, present, weights)
        total = graph.node("Add", [score, graph.constant("bias", bias)], "score")
        logit = in_units(graph, total, "logit")
    else:
        logit = logit_of_runs(graph, messages, weights, bias)
    probability(graph, logit, "spam_probability")
    terms_text = {1: "words and word pairs", 2: "runs of characters"}[version]
    save(graph, path, f"hashed {terms_text}, logistic regression")


def save(graph, path, method):
    graph.save(
        path,
        inputs={"text": (TensorProto.STRING, ["batch", 1])},
        outputs={"spam_probability": (TensorProto.FLOAT, ["batch", 1])},
        description=f"Probability that a text message is spam: {method}.",
    )


def whole(weights, element_type):
    """In units of 1/UNIT. @raises OverflowError for a weight that does not fit"""
    units = np.round(weights * UNIT)
    if np.abs(units).max() > np.iinfo(element_type).max:
        raise OverflowError(f"a weight is larger than {np.iinfo(element_type).max / UNIT}")
    return units.astype(element_type)


def beginnings(graph, text):
    """[batch, 1] texts -> [batch], cut, and never empty."""
    # A space more, so that every text has a beginning of at least one character: exactly one piece for each row.
    not_empty = graph.node("StringConcat", [text, string(graph, "space", " ")], "not_empty")
    rows = graph.node("Squeeze", [not_empty, axis_1(graph)], "rows")
    pieces = tokenizer(graph, rows, "beginnings", f"(?s)^.{{1,{LONGEST_TEXT}}}")
    return graph.node("Squeeze", [pieces, axis_1(graph)], "messages")


def lower_case(graph, messages):
    # The default locale, en_US.UTF-8, is missing in most containers, and the model would not load; C is everywhere.
    return graph.node(
        "StringNormalizer", [messages], "lowered", case_change_action="LOWER", locale="C"
    )


def split_into_words(graph, messages):
    """[batch] -> [batch, words], rows padded with empty strings. A batch without a word has width 0."""
    return tokenizer(graph, lower_case(graph, messages), "words", WORD)


def split_into_characters(graph, messages, output):
    """[batch] -> [batch, characters], rows padded with empty strings."""
    # One empty separator: every character is a token.
    return graph.contrib(
        "Tokenizer", [messages], output, separators=[""], pad_value="", mark=0, mincharnum=1
    )


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


def logit_of_runs(graph, messages, weights, bias):
    """Version 2: [batch] -> [batch, 1], in double precision."""
    characters = split_into_characters(graph, lower_case(graph, messages), "characters")
    terms, present = runs_of_characters(graph, characters)
    score = sum_of_weights(graph, terms, present, weights)
    one_each = graph.node("Cast", [present], "present_int32", to=TensorProto.INT32)
    count = graph.node("ReduceSum", [one_each, axis_1(graph)], "term_count", keepdims=1)
    exact_count = graph.node("Cast", [count], "term_count_double", to=TensorProto.DOUBLE)
    root = graph.node("Sqrt", [exact_count], "term_count_root")
    scaled = graph.node("Div", [in_units(graph, score, "weight_sum_double"), root], "scaled_sum")
    exact_bias = graph.constant("bias", bias.astype(np.float64) / UNIT)
    return graph.node("Add", [scaled, exact_bias], "linear_logit")


def runs_of_characters(graph, characters):
    """All terms, and for each whether it is real: padding stands at the end of a row, so a run is real when its last
    character is."""
    is_padding = graph.node("Equal", [characters, string(graph, "empty", "")], "is_padding")
    is_character = graph.node("Not", [is_padding], "is_character")
    runs, are_real = [characters], [is_character]
    for length in range(2, LONGEST_RUN + 1):
        shorter = columns(graph, runs[-1], f"beginnings_of_{length}", 0, -1)
        last = columns(graph, characters, f"ends_of_{length}", length - 1, None)
        runs.append(graph.node("StringConcat", [shorter, last], f"runs_of_{length}"))
        are_real.append(columns(graph, is_character, f"is_run_of_{length}", length - 1, None))
    terms = graph.node("Concat", runs, "terms", axis=1)
    return terms, graph.node("Concat", are_real, "present", axis=1)


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


def in_units(graph, whole_numbers, output):
    """Whole numbers of 1/UNIT -> double precision."""
    exact = graph.node("Cast", [whole_numbers], "score_double", to=TensorProto.DOUBLE)
    unit = graph.constant("unit", np.float64([1 / UNIT]))
    return graph.node("Mul", [exact, unit], output)


def probability(graph, logit, output):
    """Computed in double precision: rounded to float, the result does not depend on which of a processor's ways to compute
    it a row gets, which may change with its place in the batch."""
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
        f"recall {recall_score(labels, spam):.4f}, F1 {f1_score(labels, spam):.4f}, "
        f"log loss {log_loss(labels, probabilities.astype(np.float64)):.4f}\n"
        f"  {false_alarms} of {sum(~labels)} ham taken for spam, {missed} of {sum(labels)} spam missed\n"
        f"  below 0.05 or above 0.95: {sum(sure)} of {len(labels)} messages, {sure_errors} of them wrongly"
    )


def check_graph(path, texts, probabilities_of):
    """The graph does what the Python code does (probabilities_of, with the rounded weights), and does the same whatever
    else is in the batch."""
    in_batches = run_in_batches(path, texts)
    for batch_size in BATCH_SIZES:
        same = np.array_equal(in_batches, run_in_batches(path, texts, batch_size))
        assert same, f"a message gets another answer in a batch of {batch_size}"
    difference = np.abs(in_batches - probabilities_of(texts)).max()
    assert difference < 1e-6, f"the graph does not compute what was trained: {difference} off"
    print(f"checked: {len(texts)} messages get the same bits in batches of {BATCH_SIZES} and {MAX_BATCH_SIZE},")
    print(f"  and the probabilities that Python gives with the rounded weights (within {difference:.0e})")


def print_time(path, texts, batch_size=32):
    """One thread, one run after the other; whatever else the machine does makes it longer, hence the median."""
    batches = [texts[at : at + batch_size] for at in range(0, len(texts), batch_size)]
    feeds = [{"text": np.array(batch, dtype=object).reshape(-1, 1)} for batch in batches]
    milliseconds = np.array(onnx_model.milliseconds(path, feeds))
    per_message = milliseconds / [len(batch) for batch in batches]
    print(f"time per message in batches of {batch_size}: {np.median(per_message) * 1000:.0f} microseconds")


if __name__ == "__main__":
    main()
