import type { LiveState, MeasureKind } from "./live-state.ts";

/** A measure, and by whose word. */
export interface Measure {
  readonly text: string;
  /** `computed`: by how this cloud stands at the moment; `declared`: by the operator's settings. */
  readonly by: "computed" | "declared";
}

/** What protects data here, as far as the state shows it, and what the operator declares besides. */
export function measuresOf(state: LiveState): Readonly<Record<MeasureKind, readonly Measure[]>> {
  const { declared } = state;
  const said = (kind: MeasureKind): Measure[] => declared.measures[kind].map((text) => ({ text, by: "declared" }));
  return {
    technical: [...computed(state).map((text): Measure => ({ text, by: "computed" })), ...said("technical")],
    organisational: said("organisational"),
    contractual: said("contractual"),
  };
}

function computed({ keeping, log, signingKeysActive, destinations, database }: LiveState): readonly string[] {
  const upstreams = destinations.filter(({ kind }) => kind === "upstream").length;
  const cosigned = log.witnesses.filter(({ hasCosigned }) => hasCosigned).length;
  return [
    keeping.content
      ? "Prompts and answers are kept only where a project asks for it."
      : "Prompts and answers are not kept beyond their request.",
    "A request runs only where its project's data may be processed, by policies that deny by default; what nobody permits is refused.",
    "A site whose jurisdiction nobody has declared, or whose evidence has expired, receives public data only.",
    `Every answer has a signed receipt that names where it was computed (${signingKeysActive} active signing ${signingKeysActive === 1 ? "key" : "keys"}, Ed25519).`,
    `Receipts are in a transparency log (state: ${log.state}; ${cosigned} of ${log.witnesses.length} configured witnesses have cosigned it).`,
    "Keys of tenants are kept as digests; digests in receipts are salted by a key for each project, which can be erased.",
    "Prompt caches are not shared between projects.",
    upstreams === 0
      ? "No request is handed to a server outside this installation: no upstream is set up."
      : `${upstreams} upstream${upstreams === 1 ? " is" : "s are"} set up, to which requests are handed where policy permits it.`,
    database === "embedded"
      ? "The database listens on a socket of this machine only."
      : "The database is another server's, by its URL; how it is reached and kept is not seen from here.",
  ];
}
