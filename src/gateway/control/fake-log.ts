import { refuse } from "../../base/index.ts";
import type { LogOperations } from "./operations.ts";
import type { SigningKey } from "./wire.ts";

/** A log in memory that always goes on. */
export function createFakeLog(now: () => string): LogOperations {
  let signing: readonly SigningKey[] = [{ id: "key-1", status: "active", since: now(), revoked: null }];
  let keys: readonly string[] = ["log.example+00000001+AQ=="];
  const status: LogOperations["status"] = () => ({
    state: "open",
    reason: null,
    next: null,
    origin: "log.example",
    size: 7,
    keys: [...keys],
    statement: { number: 1, index: 0 },
    witnesses: [{ name: "auditor", size: 7, problem: null }],
    ended: [],
  });
  return {
    status,
    rotateKey: (overlapMs) => {
      keys = [`log.example+0000000${keys.length + 1}+AQ==`, ...(overlapMs > 0 ? keys : [])];
      return Promise.resolve(status());
    },
    begin: () => Promise.resolve(refuse("log_open", "The log log.example goes on.")),
    signingKeys: () => signing,
    rotateSigningKey: () => {
      const retired = signing.map((key) => (key.status === "active" ? { ...key, status: "retired" as const } : key));
      signing = [{ id: `key-${signing.length + 1}`, status: "active", since: now(), revoked: null }, ...retired];
      return Promise.resolve(signing);
    },
    revokeSigningKey: (id) => {
      if (signing.every((key) => key.id !== id)) return Promise.resolve(refuse("not_found", `There is no key ${id}.`));
      const revoked = { log: "log.example", index: null };
      signing = signing.map((key) => (key.id === id ? { ...key, status: "revoked", revoked } : key));
      return Promise.resolve(signing);
    },
  };
}
