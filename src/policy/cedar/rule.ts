import type { StatefulAuthorizationCall } from "@cedar-policy/cedar-wasm/nodejs";
import { cedar } from "./cedar.ts";
import type { Slice } from "./slices.ts";

/** Cedar's answer. */
export interface Ruling {
  readonly isPermitted: boolean;
  /** Ids of the policies that decided: permits where it is permitted, forbids where any forbids, else none. */
  readonly deciding: readonly string[];
  /** A policy that could not be evaluated, and why. Cedar leaves such a one out; a forbid that is left out permits. */
  readonly failed: { readonly id: string; readonly message: string } | undefined;
}

/** Sets that Cedar holds parsed. It never lets one go by itself, so the oldest is replaced by nothing when there are more. */
const setsHeld = 64;
const held = new Set<string>();

export function rule(slice: Slice, call: Omit<StatefulAuthorizationCall, "preparsedPolicySetId">): Ruling {
  hold(slice);
  const answer = cedar().statefulIsAuthorized({ ...call, preparsedPolicySetId: slice.id });
  if (answer.type === "failure") throw new Error(`Cedar did not understand a request: ${answer.errors[0]?.message}`);
  const { decision, diagnostics } = answer.response;
  const [error] = diagnostics.errors;
  return {
    isPermitted: decision === "allow" && error === undefined,
    deciding: inOrder(diagnostics.reason, slice),
    failed: error && { id: error.policyId, message: error.error.message },
  };
}

function inOrder(ids: readonly string[], { policies }: Slice): readonly string[] {
  return ids.length < 2 ? ids : [...policies.keys()].filter((id) => ids.includes(id));
}

/** Has Cedar parse a slice before anybody asks for it. */
export function hold({ id, policies }: Slice): void {
  if (held.has(id)) return;
  const [oldest] = held;
  if (oldest !== undefined && held.size >= setsHeld) {
    cedar().preparsePolicySet(oldest, { staticPolicies: {} });
    held.delete(oldest);
  }
  const texts = Object.fromEntries([...policies].map(([name, { text }]) => [name, text]));
  const parsed = cedar().preparsePolicySet(id, { staticPolicies: texts });
  if (parsed.type === "failure") throw new Error(`compiled policies did not parse: ${parsed.errors[0]?.message}`);
  held.add(id);
}
