/** In the place of src/policy/policy.ts: every candidate is permitted, and nothing is looked at. */
import { createPolicy as createReal, type Policy, type PolicyOptions } from "../../src/policy/policy.ts";

export * from "../../src/policy/policy.ts";

const policyDigest = "0".repeat(64);

export function createPolicy(options: PolicyOptions = {}): Policy {
  const { epoch = 1 } = options;
  const decide: Policy["decide"] = (_, permitted) => ({
    outcome: "permitted",
    permitted,
    rejected: [],
    policyDigest,
    epoch,
  });
  return Object.create(createReal(options), { decide: { value: decide } }) as Policy;
}
