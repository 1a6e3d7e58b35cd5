/** What a coefficient may be. Equal bounds fix it. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

export const notNegative: Bounds = { lower: 0, upper: Infinity };

/**
 * Coefficients x, one for each column, for which the sum of ((row · x - value) / value)^2 is least within the bounds.
 * The errors are relative, as a scheduler's are: a millisecond in ten is as bad as a hundred in a thousand.
 *
 * The problem is convex, so at its solution each coefficient is either within its bounds, where it solves the equations
 * of the unbounded problem, or at one of them. There are few coefficients (three at most here): every such choice is
 * tried, 3^3 at most, and the best that keeps all bounds is the solution. Lawson and Hanson, "Solving Least Squares
 * Problems" (1974), chapter 23, find it for many by walking from choice to choice.
 */
export function leastRelativeSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
  bounds: readonly Bounds[],
): readonly number[] {
  const relative = rows.map((row, at) => row.map((cell) => cell / values[at]!));
  let best: readonly number[] | undefined;
  let least = Infinity;
  for (const pinned of choices(bounds)) {
    const x = solve(relative, pinned);
    if (x === undefined || !x.every((coefficient, at) => isWithin(coefficient, bounds[at]!))) continue;
    const loss = relative.reduce((sum, row) => sum + (dot(row, x) - 1) ** 2, 0);
    // Of choices as good as one another the first counts, so that rounding does not decide.
    if (loss < least * (1 - 1e-12)) {
      best = x;
      least = loss;
    }
  }
  if (best === undefined) throw new RangeError("no coefficients within the bounds: too few points");
  return best;
}

/** For each coefficient: free (undefined), or held at a bound. Fewer held ones come first. */
function choices(bounds: readonly Bounds[]): readonly (readonly (number | undefined)[])[] {
  let all: (readonly (number | undefined)[])[] = [[]];
  for (const { lower, upper } of bounds) {
    const ends = [...new Set([lower, upper])].filter(Number.isFinite);
    const values = lower === upper ? [lower] : [undefined, ...ends];
    all = all.flatMap((before) => values.map((value) => [...before, value]));
  }
  return all.sort((one, other) => held(one) - held(other));
}

function held(pinned: readonly (number | undefined)[]): number {
  return pinned.filter((value) => value !== undefined).length;
}

function isWithin(coefficient: number, { lower, upper }: Bounds): boolean {
  return coefficient >= lower && coefficient <= upper;
}

/** The free coefficients by the normal equations, scaled so that tokens squared and a constant weigh alike. */
function solve(
  rows: readonly (readonly number[])[],
  pinned: readonly (number | undefined)[],
): readonly number[] | undefined {
  const free = pinned.flatMap((value, at) => (value === undefined ? [at] : []));
  const rest = rows.map((row) => 1 - pinned.reduce<number>((sum, value, at) => sum + (value ?? 0) * row[at]!, 0));
  const scales = free.map((column) => Math.sqrt(rows.reduce((sum, row) => sum + row[column]! ** 2, 0)));
  if (scales.includes(0)) return undefined;
  const matrix = free.map((column, i) => [
    ...free.map((other, j) => rows.reduce((sum, row) => sum + row[column]! * row[other]!, 0) / scales[i]! / scales[j]!),
    rows.reduce((sum, row, at) => sum + row[column]! * rest[at]!, 0) / scales[i]!,
  ]);
  const solution = eliminate(matrix);
  return solution && pinned.map((value, at) => value ?? solution[free.indexOf(at)]! / scales[free.indexOf(at)]!);
}

/** Gauss' elimination with the largest pivot; undefined where the columns do not tell the coefficients apart. */
function eliminate(matrix: number[][]): readonly number[] | undefined {
  const size = matrix.length;
  for (let step = 0; step < size; step++) {
    const pivot = matrix
      .slice(step)
      .reduce((largest, row) => (Math.abs(row[step]!) > Math.abs(largest[step]!) ? row : largest));
    if (Math.abs(pivot[step]!) < 1e-10) return undefined;
    matrix[matrix.indexOf(pivot)] = matrix[step]!;
    matrix[step] = pivot;
    for (const row of matrix) {
      if (row === pivot) continue;
      const share = row[step]! / pivot[step]!;
      for (let column = step; column <= size; column++) row[column]! -= share * pivot[column]!;
    }
  }
  return matrix.map((row, at) => row[size]! / row[at]!);
}

function dot(row: readonly number[], x: readonly number[]): number {
  return row.reduce((sum, cell, at) => sum + cell * x[at]!, 0);
}
