#!/usr/bin/env python3
"""Derives what disclosure.json says anew from ledger.csv, and says where the two differ.

    python3 check.py [FOLDER]

Needs Python 3.8 and nothing else. It shares no code with the program that made the report: what each figure is stands below,
in words of its definition and in a line of arithmetic. What begins with "-" cannot be derived from the ledger, and is not checked.
Exit code 0: all else agrees; 1: something does not; 2: a file is missing or cannot be read.
"""

import csv
import hashlib
import json
import re
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

# What each figure means, by its id: the version of its words, the words, and what a share is a share of.
DEFINITIONS = {
    "ai-revenue": (
        3,
        "revenue from customers outside the operator's group, without tax, in the quarter, from products tagged AI; breakage of prepaid credits and what was committed to and not used (true-ups) count as other, because nothing was used for them of which it could be told that it is AI; what the close of a period adds or takes counts in the last month of it",
        None,
    ),
    "external-revenue": (
        3,
        "revenue from customers outside the operator's group, without tax, in the quarter, from all products, breakage of prepaid credits (IFRS 15.B46) and true-ups of commitments among them; what the close of a period adds or takes counts in the last month of it",
        None,
    ),
    "segment-revenue": (
        2,
        "external revenue and intersegment revenue together: what other segments of the group were charged counts too, breakage of what they had prepaid among it",
        None,
    ),
    "ai-share-of-external": (
        2,
        "AI revenue as a share of external revenue, in which breakage of prepaid credits and true-ups of commitments are",
        "external-revenue",
    ),
    "ai-share-of-segment": (
        2,
        "external AI revenue as a share of segment revenue, in which breakage of prepaid credits and true-ups of commitments are, and all that other segments were charged",
        "segment-revenue",
    ),
    "external-growth-on-year": (
        2,
        "external revenue over that of the same quarter a year before, less one; none before the quarter has ended",
        None,
    ),
    "segment-growth-on-year": (
        2,
        "segment revenue over that of the same quarter a year before, less one; none before the quarter has ended",
        None,
    ),
    "ai-run-rate-quarter-x4": (
        1,
        "AI revenue of the quarter, times 4",
        None,
    ),
    "ai-run-rate-last-month-x12": (
        2,
        "AI revenue of the quarter's last month, times 12; none where the books are closed by quarter or by year, because what a close adds or takes then (true-ups, what prepaid credits pay for) is of its whole period and falls into the last month of it",
        None,
    ),
    "ai-run-rate-days": (
        1,
        "AI revenue of the quarter, times 365, by the days of the quarter",
        None,
    ),
    "deferred-revenue": (
        1,
        "contract liabilities at the end of the quarter: what customers have paid in advance and was not served yet",
        None,
    ),
    "unbilled-receivables": (
        1,
        "what was served by the end of the quarter and is on no invoice yet",
        None,
    ),
    "remaining-obligations": (
        2,
        "deferred revenue, and what contracts commit customers to behind the end of the quarter, by the price book that was in force then (IFRS 15.120), or, where none was applied by then, when the quarter was closed",
        None,
    ),
    "tokens-served": (
        2,
        "input, cached input and output tokens, embeddings and reasoning among them, by when they are billed, as their revenue is: what was used in the quarter, and what came in it too late for a period that was closed; what has no price yet counts once it is rated, or written off",
        None,
    ),
    "accelerator-hours": (
        1,
        "hours for which this cloud's accelerators were up, each counted for itself",
        None,
    ),
    "accelerator-utilisation": (
        1,
        "time in which accelerators computed, as a share of the time for which they were up",
        "accelerator-hours",
    ),
    "ai-revenue-per-accelerator-hour": (
        3,
        "what the tokens come to that this cloud's own hosts served, by the prices of lists and contracts and before prepaid credits are taken into account, by the hours for which those hosts' accelerators were up; what other services told, what upstreams served, what was charged for reservations and what came after its period was closed is not in it",
        "accelerator-hours",
    ),
    "gross-cost": (
        1,
        "hours for which accelerators were up, each kind at the cost rate that the operator has set for it",
        None,
    ),
}
# Of what was metered, of hosts' clocks, of contracts and of settings.
NOT_OF_THE_LEDGER = {
    "remaining-obligations",
    "tokens-served",
    "accelerator-hours",
    "accelerator-utilisation",
    "ai-revenue-per-accelerator-hour",
    "gross-cost",
}
TOP_MOST = 10

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


def revenue_of(account):
    """The segment and the product of an account of revenue; None: it is none. Breakage of prepaid credits is revenue (IFRS 15.B46)."""
    if account == "breakage":
        return "revenue", "breakage"
    segment, _, product = account.partition("/")
    return (segment, product) if segment in ("revenue", "intersegment") else None


class Quarter:
    """Sums of a quarter's revenue postings; a credit is negative in the ledger, and revenue is what was credited."""

    def __init__(self, year, number, postings, tags, currency):
        self.months = [f"{year}-{month}" for month in QUARTER_MONTHS[number]]
        self.by_line = defaultdict(Fraction)
        self.postings = defaultdict(int)
        self.tags = tags
        for posting in postings:
            if revenue_of(posting["account"]) and posting["month"] in self.months:
                if posting["currency"] == currency:
                    key = (posting["account"], posting["organisation"], posting["month"])
                    self.by_line[key] -= posting["amount"]
                    self.postings[key] += 1

    def lines(self):
        """As the report has them: sums that come to nothing are none."""
        return {key: amount for key, amount in self.by_line.items() if amount != 0}

    def products(self):
        return sorted({revenue_of(account)[1] for account, _, _ in self.lines()})

    def of(self, segment=None, tag=None, month=None):
        """The accounts and the months of a sum's postings."""
        keys = [
            (account, of_month)
            for account, _, of_month in self.lines()
            if segment in (None, revenue_of(account)[0])
            and month in (None, of_month)
            and tag in (None, self.tags.get(revenue_of(account)[1], "other"))
        ]
        return {account for account, _ in keys}, {of_month for _, of_month in keys}

    def customers(self):
        """External revenue by customer, the most first."""
        sums = defaultdict(Fraction)
        for (account, customer, _), amount in self.lines().items():
            if revenue_of(account)[0] == "revenue":
                sums[customer] += amount
        return sorted(sums.items(), key=lambda each: (-each[1], each[0]))

    def sum(self, segment=None, tag=None, month=None, product=None):
        total = Fraction(0)
        for (account, _, of_month), amount in self.by_line.items():
            of, sold = revenue_of(account)
            if segment not in (None, of) or month not in (None, of_month) or product not in (None, sold):
                continue
            if tag is not None and self.tags.get(sold, "other") != tag:
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
    known = len(before.lines()) > 0
    over = is_over(report)
    # Of a part of a quarter there is no growth, and no rate either.
    growth = lambda a, b: ratio(a - b, b) if known and over else None
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
        "ai-run-rate-quarter-x4": ai * 4 if over else None,
        "ai-run-rate-last-month-x12": now.sum("revenue", "ai", last) * 12 if over and report["bookPeriod"] == "month" else None,
        "ai-run-rate-days": ai * 365 / days(report) if over else None,
        "deferred-revenue": deferred,
        "unbilled-receivables": balance(postings, "unbilled-receivables", last, currency),
    }


def is_over(report):
    return report["at"] >= report["period"]["to"]


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


def postings_of(now, before):
    """The accounts and months that each figure names; None: it is no sum of a quarter's postings."""
    both = lambda **which: tuple(a | b for a, b in zip(now.of(**which), before.of(**which)))
    ai = now.of("revenue", "ai")
    return {
        "ai-revenue": ai,
        "external-revenue": now.of("revenue"),
        "segment-revenue": now.of(),
        "ai-share-of-external": now.of("revenue"),
        "ai-share-of-segment": now.of(),
        "external-growth-on-year": both(segment="revenue"),
        "segment-growth-on-year": both(),
        "ai-run-rate-quarter-x4": ai,
        "ai-run-rate-last-month-x12": now.of("revenue", "ai", now.months[2]),
        "ai-run-rate-days": ai,
    }


def check_file(report, postings, folder, say):
    told = report["ledger"]
    digest = hashlib.sha256((folder / "ledger.csv").read_bytes()).hexdigest()
    say(digest == told["sha256"], "ledger.csv is the one that was packed: SHA-256 " + digest)
    transactions = len({p["transaction"] for p in postings})
    say(transactions == told["transactions"], f"{transactions} transactions in it")
    say(len({p["posting"] for p in postings}) == len(postings), f"{len(postings)} postings, none of them twice")
    off = unbalanced(postings)
    say(not off, f"{transactions} transactions balance" + "".join(f"; not {t} in {c}" for t, c in off[:5]))


def check_lines(report, name, quarter, say):
    told = {}
    for line in report[name]:
        segment, product = revenue_of(line["account"]) or (None, None)
        key = line["account"], line["customer"]["id"], line["month"]
        is_named = line["product"] == product and line["segment"] == ("external" if segment == "revenue" else segment)
        is_tagged = name != "lines" or line["tag"] == quarter.tags.get(product)
        once = key not in told and is_named and is_tagged
        told[key] = (Fraction(line["amount"]), line["postings"]) if once else None
    made = {key: (amount, quarter.postings[key]) for key, amount in quarter.lines().items()}
    say(made == told, f"{len(made)} sums of postings ({name})")


def check_tables(report, now, before, postings, say):
    last, currency = now.months[2], report["currency"]
    listed = [product["product"] for product in report["products"]]
    say(listed == now.products(), f"{len(listed)} products")
    for product in report["products"]:
        name = product["product"]
        year_before = before.sum(product=name)
        growth = ratio(now.sum(product=name) - year_before, year_before) if is_over(report) else None
        holds = same(product["external"], now.sum("revenue", product=name))
        holds = holds and same(product["intersegment"], now.sum("intersegment", product=name))
        say(holds and same(product["growth"], growth), f"product {name}")
    say([month["month"] for month in report["months"]] == now.months, "the quarter's three months")
    for told in report["months"]:
        month = told["month"]
        holds = same(told["ai"], now.sum("revenue", "ai", month)) and same(told["other"], now.sum("revenue", "other", month))
        say(holds and same(told["intersegment"], now.sum("intersegment", month=month)), f"month {month}")
    is_closed = all(month["status"] == "closed" for month in report["months"])
    say(report["status"] == ("final" if is_closed else "provisional"), f"{report['status']}, as its months are")
    whole = now.sum("revenue")
    made = [] if whole == 0 else now.customers()[:TOP_MOST]
    names = {line["customer"]["id"]: line["customer"]["name"] for line in report["lines"]}
    told = report["topCustomers"]
    holds = [(each["customer"]["id"], Fraction(each["amount"])) for each in told] == made
    holds = holds and all(each["customer"]["name"] == names.get(each["customer"]["id"]) for each in told)
    say(holds and all(same(each["share"], Fraction(each["amount"]) / whole) for each in told), f"{len(told)} top customers")
    for name, account, sign in (
        ("contractLiabilities", "contract-liabilities", -1),
        ("unbilledReceivables", "unbilled-receivables", 1),
        ("receivables", "receivables", 1),
    ):
        told = report["balances"][name]
        say(same(told, sign * balance(postings, account, last, currency)), f"balance of {account} {told}")


def check_figures(report, derived, made_of, say):
    names = [figure["id"] for figure in report["figures"]]
    for name in sorted(DEFINITIONS):
        if names.count(name) != 1:
            say(False, f"{name} is there {names.count(name)} times, and not once")
    for figure in report["figures"]:
        name, told = figure["id"], figure["value"]
        if name not in DEFINITIONS:
            say(False, f"{name} is no figure that is known here")
            continue
        if (figure["version"], figure["definition"], figure["denominator"]) != DEFINITIONS[name]:
            say(False, f"{name}: its definition is another one")
        postings = figure["postings"] and tuple(set(figure["postings"][part]) for part in ("accounts", "months"))
        if postings != made_of.get(name):
            say(False, f"{name}: the postings that it names are not those that it is made of")
        if name in NOT_OF_THE_LEDGER:
            print(f"-        {name} {told}: not of the ledger alone")
            continue
        value = derived[name]
        text = "none" if value is None else f"{float(value):,.6g}"
        say(same(told, value), f"{name} {told}" + ("" if same(told, value) else f", derived: {text}"))


def main(folder):
    report, postings = read(folder)
    wrong = 0

    def say(holds, what):
        nonlocal wrong
        wrong += 0 if holds else 1
        print(("ok       " if holds else "DIFFERS  ") + what)

    check_file(report, postings, folder, say)
    now, before, derived = derive(report, postings)
    for name, quarter in (("lines", now), ("yearBefore", before)):
        check_lines(report, name, quarter, say)
    check_tables(report, now, before, postings, say)
    check_figures(report, derived, postings_of(now, before), say)
    for what in ("the summary's words", "customers' names", "which products are AI", "which months are closed", "tokens, accelerators"):
        print(f"-        {what}: not in the ledger")
    print("all agree" if wrong == 0 else f"{wrong} differ")
    return 0 if wrong == 0 else 1


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)))
    # Whatever shape a file has that is none of ours.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, csv.Error) as problem:
        print(f"cannot be checked: {problem!r}", file=sys.stderr)
        sys.exit(2)
