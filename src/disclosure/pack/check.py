#!/usr/bin/env python3
"""Derives the figures of disclosure.json anew from ledger.csv, and says where the two differ.

    python3 check.py [FOLDER]

Needs Python 3.8 and nothing else. It shares no code with the program that made the report: what each figure is stands below,
in words of its definition and in a line of arithmetic. Exit code 0: all agree; 1: something does not; 2: a file is missing or
cannot be read.
"""

import csv
import json
import re
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

QUARTER_MONTHS = {"1": ("01", "02", "03"), "2": ("04", "05", "06"), "3": ("07", "08", "09"), "4": ("10", "11", "12")}


def read(folder):
    with open(folder / "disclosure.json", encoding="utf-8") as file:
        report = json.load(file)
    with open(folder / "ledger.csv", encoding="utf-8", newline="") as file:
        postings = list(csv.DictReader(file))
    for posting in postings:
        posting["amount"] = Fraction(posting["amount"])
        posting["transaction"] = posting["posting"].split(".")[0]
        # Where the books' periods are longer than months, a posting counts in the month of its day.
        is_month = re.fullmatch(r"\d{4}-\d{2}", posting["period"])
        posting["month"] = posting["period"] if is_month else posting["date"][:7]
    return report, postings


def unbalanced(postings):
    """Transactions whose debits and credits are not the same in each currency."""
    sums = defaultdict(Fraction)
    for posting in postings:
        sums[posting["transaction"], posting["currency"]] += posting["amount"]
    return sorted(key for key, amount in sums.items() if amount != 0)


class Quarter:
    """Sums of a quarter's revenue postings; a credit is negative in the ledger, and revenue is what was credited."""

    def __init__(self, year, number, postings, tags, currency):
        self.months = [f"{year}-{month}" for month in QUARTER_MONTHS[number]]
        self.by_line = defaultdict(Fraction)
        self.tags = tags
        for posting in postings:
            segment, _, product = posting["account"].partition("/")
            if segment in ("revenue", "intersegment") and posting["month"] in self.months:
                if posting["currency"] == currency:
                    key = (posting["account"], posting["organisation"], posting["month"])
                    self.by_line[key] -= posting["amount"]

    def sum(self, segment=None, tag=None, month=None):
        total = Fraction(0)
        for (account, _, of_month), amount in self.by_line.items():
            of, _, product = account.partition("/")
            if segment not in (None, of) or month not in (None, of_month):
                continue
            if tag is not None and self.tags.get(product, "other") != tag:
                continue
            total += amount
        return total


def balance(postings, account, last_month, currency):
    """Debits less credits of an account, of all periods up to a month and with it."""
    return sum(
        (p["amount"] for p in postings if p["account"] == account and p["month"] <= last_month and p["currency"] == currency),
        Fraction(0),
    )


def ratio(part, whole):
    return None if whole == 0 else part / whole


def derive(report, postings):
    year, number = report["quarter"].split("Q")
    tags = {product["product"]: product["tag"] for product in report["products"]}
    currency = report["currency"]
    now = Quarter(year, number, postings, tags, currency)
    before = Quarter(str(int(year) - 1), number, postings, tags, currency)
    ai = now.sum("revenue", "ai")
    external, segment = now.sum("revenue"), now.sum()
    last = now.months[2]
    known = len(before.by_line) > 0
    over = report["at"] >= report["period"]["to"]
    growth = lambda a, b: ratio(a - b, b) if known else None
    deferred = -balance(postings, "contract-liabilities", last, currency)
    return now, before, {
        # External revenue from products tagged AI.
        "ai-revenue": ai,
        "external-revenue": external,
        # With what other parts of the group were charged.
        "segment-revenue": segment,
        "ai-share-of-external": ratio(ai, external),
        "ai-share-of-segment": ratio(ai, segment),
        "external-growth-on-year": growth(external, before.sum("revenue")),
        "segment-growth-on-year": growth(segment, before.sum()),
        # There is no rate of a quarter that has not ended.
        "ai-run-rate-quarter-x4": ai * 4 if over else None,
        "ai-run-rate-last-month-x12": now.sum("revenue", "ai", last) * 12 if over else None,
        "ai-run-rate-days": ai * 365 / days(report) if over else None,
        "deferred-revenue": deferred,
        "unbilled-receivables": balance(postings, "unbilled-receivables", last, currency),
    }


def days(report):
    from datetime import date

    year, number = report["quarter"].split("Q")
    first = int(number) * 3 - 2
    end = date(int(year) + (first == 10), (first + 3 - 1) % 12 + 1, 1)
    return (end - date(int(year), first, 1)).days


def same(told, derived):
    """Shares are written with 18 decimals: the last one may be rounded."""
    if told is None or derived is None:
        return told is None and derived is None
    return abs(Fraction(told) - derived) <= Fraction(1, 2 * 10**18)


def main(folder):
    report, postings = read(folder)
    wrong = 0

    def say(holds, what):
        nonlocal wrong
        wrong += 0 if holds else 1
        print(("ok       " if holds else "DIFFERS  ") + what)

    off = unbalanced(postings)
    say(not off, f"{len({p['transaction'] for p in postings})} transactions balance" + "".join(f"; not {t} in {c}" for t, c in off[:5]))
    now, before, derived = derive(report, postings)
    for name, quarter in (("lines", now), ("yearBefore", before)):
        told = defaultdict(Fraction)
        for line in report[name]:
            told[line["account"], line["customer"]["id"], line["month"]] += Fraction(line["amount"])
        made = {key: amount for key, amount in quarter.by_line.items() if amount != 0}
        say(made == {key: amount for key, amount in told.items() if amount != 0}, f"{len(made)} sums of postings ({name})")
    for figure in report["figures"]:
        name, told = figure["id"], figure["value"]
        if name not in derived:
            print(f"-        {name} {told}: not of the ledger alone")
            continue
        value = derived[name]
        text = "none" if value is None else f"{float(value):,.6g}"
        say(same(told, value), f"{name} {told}" + ("" if same(told, value) else f", derived: {text}"))
    print("all agree" if wrong == 0 else f"{wrong} differ")
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)))
    except (OSError, ValueError, KeyError) as problem:
        print(f"cannot be checked: {problem!r}", file=sys.stderr)
        sys.exit(2)
