"""A few rows in the formats of the public data sets, so that their commands run without them."""

import csv
import json

# A question in the training file that is also one of the development rows.
HELD_OUT = "Where is the card that I ordered?"
BANKING = {
    "card_arrival": [HELD_OUT, "my card is late", "the post has not brought my card"],
    "activate_my_card": ["how do I activate a card", "switch my new card on"],
    "Refund_not_showing_up": ["my refund is missing", "the shop's refund never came"],
    "lost_or_stolen_card": ["someone took my card", "I lost my card on a bus"],
}
CLINC = {
    "train": [
        ("oos", "who invented the violin"),
        ("oos", "how tall is the tower"),
        ("weather", "will it rain today"),
        ("timer", "set a timer for ten minutes"),
    ],
    "val": [("oos", "name three kinds of cheese"), ("weather", "is it windy in Leeds")],
}
PLACES = ("故宫", "长城", "颐和园", "天坛", "北海公园", "景山", "鼓楼", "动物园", "植物园", "香山")
CROSSWOZ = [
    f"{place}{asked}" for place in PLACES for asked in ("几点开门", "门票多少钱", "附近有餐馆吗")
]
PASSAGES = {
    "en": {
        "The lighthouse was built in 1822. It is 41 metres high.": ["How high is the lighthouse?"],
        "Anna Berg won the race in 1994. She was nineteen.": ["Who won the race in 1994?"],
        "The river carries 300 tons of sand a day. It is brown.": ["What does the river carry?"],
        "The library holds 90,000 maps. Entry is free.": ["How many maps does the library hold?"],
    },
    "zh": {
        "灯塔建于1822年。它高41米。": ["灯塔有多高？"],
        "安娜在1994年赢得了比赛。她十九岁。": ["谁在1994年赢得了比赛？"],
        "这条河每天带走300吨沙子。河水是棕色的。": ["河流带走什么？"],
        "图书馆藏有九万张地图。入场免费。": ["图书馆有多少地图？"],
    },
}


def write_public_data(folder):
    """Write BANKING77, CLINC150, CrossWOZ and XQuAD with a handful of rows each."""
    banking = [(text, label) for label, texts in BANKING.items() for text in texts]
    _csv(folder / "banking77" / "train.csv", ["text", "category"], banking)
    splits = [("BANKING77", "valid", HELD_OUT.lower(), "card_arrival")]
    splits += [("HWU64", "valid", "play some jazz", "music")]
    _csv(
        folder / "fewshot_intents" / "fewshot_intents.csv",
        ["dataset", "split", "text", "label"],
        splits,
    )
    clinc = [(part, text, intent) for part, rows in CLINC.items() for intent, text in rows]
    _csv(folder / "clinc150" / "clinc150.csv", ["split", "text", "intent"], clinc)
    turns = [(number, text) for number, text in enumerate(CROSSWOZ)]
    _csv(folder / "crosswoz_zh_user" / "user_turns.csv", ["turn", "text"], turns)
    for lang, passages in PASSAGES.items():
        contexts = [{"id": number, "text": text} for number, text in enumerate(passages)]
        questions = [
            {"context_id": number, "question": question, "answers": [text[:4]]}
            for number, (text, listed) in enumerate(passages.items())
            for question in listed
        ]
        _jsonl(folder / "xquad_en_zh" / f"contexts_{lang}.jsonl", contexts)
        _jsonl(folder / "xquad_en_zh" / f"questions_{lang}.jsonl", questions)


def _csv(file, columns, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)


def _jsonl(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), "utf-8")
