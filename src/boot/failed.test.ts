import assert from "node:assert/strict";
import { test } from "node:test";
import { refuse, RefusalError } from "../base/index.ts";
import { Failed, failedBy } from "./failed.ts";

function diskError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: as the system says it`), { code, syscall: "write", ...(path && { path }) });
}

test("a file system's refusal is told in words, with what to do; a defect keeps its trace", () => {
  for (const code of ["EEXIST", "ENOTDIR", "EACCES", "EROFS", "ENOSPC", "ENOENT"]) {
    const failed = failedBy(diskError(code, "/data/journal"));
    assert.match(failed?.message ?? "", new RegExp(`^/data/journal cannot be used: [a-z ,-]+ \\(${code}\\)\\.$`, "i"));
    assert.notEqual(failed?.next, "");
  }
  assert.match(failedBy(diskError("EMFILE", "/data"))?.message ?? "", /^\/data: EMFILE/);
  assert.match(failedBy(diskError("ENOSPC"))?.message ?? "", /cannot be written: the disk is full/);
  assert.equal(failedBy(diskError("ECONNREFUSED")), undefined);
  assert.equal(failedBy(new TypeError("undefined is not a function")), undefined);
  const failed = new Failed("It fails.", "Mend it.");
  assert.equal(failedBy(failed), failed);
  assert.match(failedBy(new RefusalError(refuse("model_invalid", "The file.")))?.message ?? "", /The file/);
});
