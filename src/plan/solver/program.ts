/** A whole-numbered variable. */
export interface Variable {
  readonly name: string;
  readonly cost: number;
  readonly most: number;
}

/** Sum of coefficient x variable, at least or at most a bound. */
export interface Row {
  readonly terms: readonly (readonly [coefficient: number, variable: string])[];
  readonly sense: ">=" | "<=";
  readonly bound: number;
}

/** Find whole numbers that keep every row, at the least cost. */
export interface IntegerProgram {
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** The program in CPLEX' LP format, which HiGHS reads. A line holds one term: lines of that format have a length limit. */
export function lpText({ variables, rows }: IntegerProgram): string {
  const costs = variables.filter(({ cost }) => cost !== 0).map(({ name, cost }) => [cost, name] as const);
  const constraints = rows.map(
    ({ terms, sense, bound }, index) => ` r${index}:\n${sum(terms)}\n  ${sense} ${decimal(bound)}`,
  );
  return [
    "Minimize",
    ` cost:\n${sum(costs)}`,
    "Subject To",
    ...constraints,
    "Bounds",
    ...variables.map(({ name, most }) => ` 0 <= ${name} <= ${decimal(most)}`),
    "General",
    ...variables.map(({ name }) => ` ${name}`),
    "End",
    "",
  ].join("\n");
}

function sum(terms: Row["terms"]): string {
  return terms
    .map(([coefficient, name]) => `  ${coefficient < 0 ? "-" : "+"} ${decimal(Math.abs(coefficient))} ${name}`)
    .join("\n");
}

function decimal(value: number): string {
  return String(Number(value.toFixed(9)));
}
