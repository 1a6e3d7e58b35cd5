import { memberPath } from "./member-path.ts";
import { nearest } from "./nearest.ts";
import { describeInvalid } from "./schema-words.ts";

/** Something that is wrong with a document, and where: "versions[0].prices[2].unitPrice". */
export interface MemberProblem {
  readonly path: string;
  readonly message: string;
}

/** What a schema (zod) says of a document. */
interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

const problemsKept = 50;

/** At most 50 of the problems, for people. `what` names the document: "a price book"; `knownKeys`, all keys that it can have. */
export function documentProblems(
  issues: readonly Issue[],
  what: string,
  knownKeys: readonly string[],
): readonly MemberProblem[] {
  return issues
    .flatMap(({ code, path, message, keys = [] }) =>
      code === "unrecognized_keys"
        ? keys.map((key) => ({ path: memberPath([...path, key]), message: unknownKey(key, what, knownKeys) }))
        : [{ path: memberPath(path), message: inOurWords(describeInvalid("it", message).replace(/\.$/, "")) }],
    )
    .slice(0, problemsKept);
}

/** What a schema of ours says ("must be from 0 to 100") needs no words around it. */
function inOurWords(message: string): string {
  return /^it is not valid: (must .*)$/.exec(message)?.[1] ?? message.replace(/^it /, "");
}

function unknownKey(key: string, what: string, knownKeys: readonly string[]): string {
  const meant = nearest(key, knownKeys);
  return `is no key of ${what}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}
