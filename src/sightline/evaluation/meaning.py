"""What the numbers mean, one line each, for everyone who shows them."""

MEANING = {
    "HOTA": "found the right boxes and kept the right numbers, weighed alike; the one number to compare by",
    "DetA": "found the right boxes, numbers aside",
    "AssA": "kept one number per object and one object per number, over their whole time",
    "LocA": "how tightly matched boxes fit",
    "IDF1": "share of boxes under the right number over the whole video",
    "MOTA": "1 less misses, false boxes and id switches per true box; below 0 if there are more of them than boxes",
    "FP": "false boxes: found where there is nothing",
    "FN": "misses: true boxes not found",
    "IDSW": "id switches: an object goes on under another number",
    "Frag": "times an object is lost and found again",
    "MT": "objects followed for more than 80 % of their time (mostly tracked)",
    "ML": "objects followed for less than 20 % of their time (mostly lost)",
    "ids": "numbers given / objects there are",
}
"""Name as in ``Scores.numbers`` (and ``ids``) to its meaning."""
