import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testModel } from "../models.ts";

/**
 * What a cloud connects to and writes, looked at from below: in a network namespace of its own, which has no way out, with
 * every system call of every process of it traced. network/apart.ts is what runs in there.
 */
const apart = fileURLToPath(new URL("network/apart.ts", import.meta.url));
/** Who is not root becomes so for networks only, and stays itself for files: PostgreSQL does not run as root. */
const ownNamespace = process.getuid?.() === 0 ? ["--net"] : ["--user", "--map-current-user", "--keep-caps", "--net"];

function whyNot(): string | undefined {
  const tools: readonly (readonly [string, readonly string[]])[] = [
    ["unshare", [...ownNamespace, "true"]],
    ["strace", ["-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "true"]],
    ["ip", ["-V"]],
  ];
  for (const [program, args] of tools) {
    const ran = spawnSync(program, args, { encoding: "utf8" });
    if (ran.status !== 0) return `${program} cannot be used here: ${ran.error?.message ?? ran.stderr.trim()}`;
  }
  return undefined;
}

for (const name of ["every connection and every write is permitted", "an air-gapped cloud connects to nothing"]) {
  test(name, async (context) => {
    // There is no network to pull it by in there.
    await testModel();
    const why = whyNot();
    // Where tests decide what is released, a proof that was not given is a failure.
    if (why !== undefined && process.env["CI"] !== undefined) assert.fail(why);
    if (why !== undefined) return context.skip(why);
    const args = [
      ...ownNamespace,
      process.execPath,
      "--test",
      "--test-reporter=tap",
      `--test-name-pattern=${name}`,
      apart,
    ];
    // The runner's own variable would make the inner run report to this one.
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const ran = spawnSync("unshare", args, {
      encoding: "utf8",
      env: environment,
      maxBuffer: 64 << 20,
      timeout: 300_000,
    });
    assert.equal(ran.status, 0, `${ran.stdout.slice(-20_000)}${ran.stderr}`);
    assert.match(ran.stdout, /^# pass 1$/m);
    return undefined;
  });
}
