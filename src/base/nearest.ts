/** Two slips in so few letters leave too little of a name: "b300" does not mean "a100". */
const lettersOfAShortName = 4;
/** Fewer letters are in too many names to mean one of them. */
const lettersOfAPart = 3;
const lettersRead = 100;

/**
 * The candidate that was probably meant, for "did you mean": the closest by edit distance where one is close enough as
 * a whole (two slips, or four in ten letters; one where both have four letters at most); else the one that holds the word
 * as a part of it ("smolm2-135m" in "smollm2-135m-instruct"), with at most a slip for every five letters. Of several as
 * good the shortest.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, lettersRead).toLowerCase();
  const slipsOfALongName = Math.max(2, Math.ceil(wanted.length * 0.4));
  const slipsOfAPart = wanted.length < lettersOfAPart ? -1 : Math.floor(wanted.length / 5);
  let best: string | undefined;
  let bestScore = Infinity;
  for (const candidate of candidates) {
    const name = candidate.toLowerCase().slice(0, lettersRead);
    const isShort = Math.max(wanted.length, name.length) <= lettersOfAShortName;
    const slips = isShort ? 1 : slipsOfALongName;
    const whole = editDistance(wanted, name);
    let score = whole;
    if (whole > slips) {
      const part = editDistanceToPart(wanted, name);
      if (part > slipsOfAPart) continue;
      // Behind every whole match; among parts the fewest slips first, then the least that is missing.
      score = (1 + part) * 1_000 + whole;
    }
    if (score < bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

function editDistance(word: string, name: string): number {
  const fromStart = Array.from({ length: name.length + 1 }, (_, index) => index);
  return lastRow(word, name, fromStart).at(-1)!;
}

/** The least distance to any part of the name: it may begin anywhere at no cost, and end anywhere (Sellers, 1980). */
function editDistanceToPart(word: string, name: string): number {
  const fromAnywhere = Array.from({ length: name.length + 1 }, () => 0);
  return Math.min(...lastRow(word, name, fromAnywhere));
}

/**
 * The distances of the word to what ends at each letter of the name, one row at a time: 100 x 100 at most. Two neighbours
 * that changed places are one slip (optimal string alignment).
 */
function lastRow(word: string, name: string, first: readonly number[]): readonly number[] {
  let before: readonly number[] = [];
  let row = first;
  for (let i = 1; i <= word.length; i++) {
    const next = [i];
    for (let j = 1; j <= name.length; j++) {
      const substitution = row[j - 1]! + (word[i - 1] === name[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && word[i - 1] === name[j - 2] && word[i - 2] === name[j - 1];
      const swap = isSwap ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1, swap));
    }
    before = row;
    row = next;
  }
  return row;
}
