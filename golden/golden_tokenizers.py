"""Tokenizers of both kinds that FLUX.1 folders hold, built here from a few sentences, and what the public library reads out
of texts with them: CLIP's byte-level BPE from vocab.json and merges.txt, T5's Unigram from tokenizer.json."""

import base64
import io
import json
from collections import Counter
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from tiny import HERE, fresh, write_json

from transformers import CLIPTokenizer, T5TokenizerFast

COLOURS = "red green blue yellow white black small old happy".split()
THINGS = "cat dog rabbit teapot robot house tree backpack toy photograph painting picture".split()
PLACES = "on a beach|in the snow|in front of a house|under a tree|at night|with flowers|on the moon".split("|")
CORPUS = [
    f"{kind} of {'an' if colour == 'old' else 'a'} {colour} {thing} {place}"
    for i, colour in enumerate(COLOURS)
    for j, thing in enumerate(THINGS)
    for k, place in enumerate(PLACES)
    for kind in (("a photo", "A painting", "the picture", "An image")[(i + j + k) % 4],)
] + [
    "It's 12 o'clock, and they're not here; we've seen 3456 of 7890 cats!",
    "Don't say \"never\" (or always): I'll be there, she'd know -- 50% + 25% = 75%.",
    "caf\u00e9 na\u00efve \u00fcber stra\u00dfe se\u00f1or \u732b \u72ac \u5bb6",
]
START, END = "<|startoftext|>", "<|endoftext|>"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-"
CLIP_LENGTH, T5_LENGTH, EXTRA_IDS, MERGES, PIECES = 77, 512, 4, 160, 220

SENTENCES = [
    "a photo of a red cat on a beach",
    "",
    " ",
    "cat",
    "   several   spaces,\ttabs\nand\r\nlines   ",
    "UPPER CASE And CamelCase iPhone",
    "It's we're I'll DON'T they'd you've I'm 'tis rock'n'roll o\u2019clock",
    "12 345 6.789 3,14 1e-5 2026 \u0663\u0664 \u00bd \u00b2 \u2460",
    "!!! ... -- (a) [b] {c} <d> a/b #tag @me $5 50% \"quoted\" \u201ccurly\u201d \u2014 \u2026",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m \u00fcber stra\u00dfe STRASSE \u1e9e",
    "cafe\u0301 nai\u0308ve A\u030angstro\u0308m",  # the same letters, decomposed
    "\u0130stanbul \u0131 \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u01c5",  # lower case that depends or grows
    "\u732b\u306e\u5199\u771f \uace0\uc591\uc774 \u0643\u0644\u0628 \u043a\u043e\u0442 \u05d7\u05ea\u05d5\u05dc \u0e41\u0e21\u0e27",
    "\U0001f431 cat \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f44d\U0001f3fd",
    "\uff26\uff35\uff2c\uff2c \uff12 \ufb01sh \u212b \u2003wide\u00a0space\u3000ideographic\u200bzero",
    f"{END} in the text {START} of a cat{END}",
    "</s> a cat <pad> <unk> <extra_id_0> tree</s>",
    "the \u2581 sign of Unigram, \u0120 of BPE and </w>",
    "x" * 90,
    "antidisestablishmentarianism zyzzyva qwrtpsdfg",
    "cat\u0000dog \u0007 \ufeff \ufffd",
    "a " * 75 + "cat",  # with start and end token one more than CLIP takes
    "a " * 74 + "cat",  # exactly as many as it takes
    "the red cat and the old dog in front of a house at night, " * 45,
]


def _byte_symbols() -> list[str]:
    """What stands for the 256 bytes in byte-level BPE, in CLIP's order: printable characters first, for themselves."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(code) for code in printable] + [chr(256 + i) for i in range(len(others))]


def _merges(words: Counter, count: int) -> list[tuple[str, str]]:
    """Joins the most frequent pair of neighbours, the alphabetically first among equals, again and again."""
    split = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, symbols in split.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for symbols in split.values():
            i = 0
            while i + 1 < len(symbols):
                if (symbols[i], symbols[i + 1]) == best:
                    symbols[i:i + 2] = ["".join(best)]
                i += 1
    return merges


def clip_tokenizer(folder: Path) -> int:
    """The files of FLUX.1's tokenizer/: there is no tokenizer.json. Returns the number of tokens."""
    words = Counter(word for line in CORPUS for word in line.lower().split() if word.isascii() and word.isalpha())
    merges = _merges(words, MERGES)
    symbols = _byte_symbols()
    tokens = symbols + [f"{symbol}</w>" for symbol in symbols] + ["".join(pair) for pair in merges] + [START, END]
    assert len(set(tokens)) == len(tokens)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {token: i for i, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text(
        "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")

    def special(token: str, normalized: bool) -> dict:
        return {"content": token, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}

    write_json(folder / "special_tokens_map.json", {
        "bos_token": special(START, True), "eos_token": special(END, False), "pad_token": special(END, False),
        "unk_token": special(END, False)})
    write_json(folder / "tokenizer_config.json", {
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(len(tokens) - 2): {**special(START, True), "special": True},
            str(len(tokens) - 1): {**special(END, False), "special": True}},
        "bos_token": START, "clean_up_tokenization_spaces": True, "do_lower_case": True, "eos_token": END,
        "errors": "replace", "model_max_length": CLIP_LENGTH, "pad_token": END, "tokenizer_class": "CLIPTokenizer",
        "unk_token": END})
    return len(tokens)


def _rules() -> str:
    """A few of the rules by which SentencePiece normalises, so that the compiled map stays small: code points, tab, code points."""
    rules = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}  # full width
    rules |= {chr(space): " " for space in (0x9, 0xA, 0xD, 0xA0, 0x2003, 0x200B, 0x3000, 0xFEFF)}
    rules |= {chr(control): "" for control in (0x0, 0x7)}
    rules |= {"\ufb01": "fi", "\u212b": "\u00c5", "\u00bd": "1\u20442", "\u00b2": "2", "\u2460": "1", "\u2026": "..."}
    rules |= {"e\u0301": "\u00e9", "i\u0308": "\u00ef", "o\u0308": "\u00f6", "A\u030a": "\u00c5"}
    rules.pop("\0")  # not to be written down in this file format
    return "".join(f"{' '.join(f'{ord(c):X}' for c in source)}\t{' '.join(f'{ord(c):X}' for c in target)}\n"
                   for source, target in sorted(rules.items()))


def t5_tokenizer(folder: Path, extra_ids: int = EXTRA_IDS, sentencepiece_too: bool = False) -> int:
    """The files of FLUX.1's tokenizer_2/, by default without spiece.model, which is not needed beside tokenizer.json. Returns
    the number of tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "rules.tsv"
    rules.write_text(_rules(), encoding="utf-8")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, model_type="unigram", vocab_size=PIECES, num_threads=1,
        normalization_rule_tsv=str(rules), pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>",
        unk_piece="<unk>", character_coverage=1.0, required_chars=LETTERS,
        hard_vocab_limit=False, minloglevel=2)
    rules.unlink()
    if sentencepiece_too:
        (folder / "spiece.model").write_bytes(model.getvalue())
    trained = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    # Scores are float32 in the model; nine digits carry them without loss.
    pieces = [[piece.piece, float(f"{piece.score:.9g}")] for piece in trained.pieces]
    pieces[2][1] = 0.0
    pieces += [[f"<extra_id_{i}>", 0.0] for i in reversed(range(extra_ids))]

    def added(i: int) -> dict:
        return {"id": i, "content": pieces[i][0], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True}

    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added(i) for i in (0, 1, 2, *range(len(pieces) - extra_ids, len(pieces)))],
        "normalizer": {"type": "Precompiled", "precompiled_charsmap":
                       base64.b64encode(trained.normalizer_spec.precompiled_charsmap).decode("ascii")},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {"type": "TemplateProcessing", "single": [first, end], "pair": [first, end, second, end],
                           "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": False},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False) + "\n", encoding="utf-8")

    def special(token: str) -> dict:
        return {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}

    extra = [f"<extra_id_{i}>" for i in range(extra_ids)]
    write_json(folder / "special_tokens_map.json", {
        "additional_special_tokens": extra, "eos_token": special("</s>"), "pad_token": special("<pad>"),
        "unk_token": special("<unk>")})
    write_json(folder / "tokenizer_config.json", {
        "additional_special_tokens": extra, "clean_up_tokenization_spaces": True, "eos_token": "</s>",
        "extra_ids": extra_ids, "legacy": True, "model_max_length": T5_LENGTH, "pad_token": "<pad>",
        "sp_model_kwargs": {}, "tokenizer_class": "T5Tokenizer", "unk_token": "<unk>"})
    return len(pieces)


def write() -> None:
    folders = {"clip": fresh("tokenizer-clip"), "t5": fresh("tokenizer-t5")}
    clip_tokenizer(folders["clip"])
    t5_tokenizer(folders["t5"])
    tokenizers = {"clip": CLIPTokenizer.from_pretrained(folders["clip"]), "t5": T5TokenizerFast.from_pretrained(folders["t5"])}
    cases = []
    for text in SENTENCES:
        for kind, tokenizer in tokenizers.items():
            lengths = (8, 77, 512) if kind == "t5" and len(text) > 1000 else (8, 77)
            for length in lengths:  # the call that FluxPipeline makes
                ids = tokenizer([text], padding="max_length", max_length=length, truncation=True).input_ids[0]
                assert len(ids) == length
                cases.append({"tokenizer": kind, "length": length, "text": text, "ids": ids})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "tokenizers.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    for kind in tokenizers:
        unknown = tokenizers[kind].unk_token_id
        different = {tuple(case["ids"]) for case in cases if case["tokenizer"] == kind}
        print(f"  {kind}: {len(tokenizers[kind])} tokens, {len(different)} different results, "
              f"unknown in {sum(unknown in case['ids'][:-1] for case in cases if case['tokenizer'] == kind)}")


if __name__ == "__main__":
    write()
