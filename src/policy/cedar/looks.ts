/** What a set of policies looks at: a decision depends on nothing else, so nothing else is sent, or part of its key. */
export interface Looks {
  /** Members of principal, resource and context that are named; "all" where one is looked at as a whole. */
  readonly principal: ReadonlySet<string>;
  readonly resource: ReadonlySet<string>;
  readonly context: ReadonlySet<string>;
  /** Types of which single entities are named: Project, Host. */
  readonly entities: ReadonlySet<string>;
  /** The regimes that are named. */
  readonly regimes: ReadonlySet<string>;
}

type Variable = "principal" | "resource" | "context";

/** Reads it from policies in Cedar's JSON form. */
export function looksOf(policies: readonly unknown[]): Looks {
  const looks = {
    principal: new Set<string>(),
    resource: new Set<string>(),
    context: new Set<string>(),
    entities: new Set<string>(),
    regimes: new Set<string>(),
  };
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, id } = node as { type?: unknown; id?: unknown };
    if (typeof type === "string" && typeof id === "string") {
      looks.entities.add(type);
      if (type === "Regime") looks.regimes.add(id);
    }
    for (const [operator, operand] of Object.entries(node)) {
      const access = memberOf(operator, operand);
      if (access !== undefined) looks[access.variable].add(access.member);
      else if (operator === "Var" && operand === "context") looks.context.add("all");
      else visit(operand);
    }
  };
  for (const policy of policies) visit(policy);
  return looks;
}

/** `context.importer`, or `context has importer`: what is below that member goes with it. */
function memberOf(operator: string, operand: unknown): { variable: Variable; member: string } | undefined {
  if (operator !== "." && operator !== "has") return undefined;
  const { left, attr } = operand as { left: { Var?: string }; attr: string | readonly string[] };
  const variable = left.Var;
  if (variable !== "principal" && variable !== "resource" && variable !== "context") return undefined;
  return { variable, member: typeof attr === "string" ? attr : attr[0]! };
}
