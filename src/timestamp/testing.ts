import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = "/usr/bin/openssl";
/** Why a test with an authority is left out on this machine; false: it is not. */
export const lacksAuthority = existsSync(openssl)
  ? false
  : "OpenSSL, which plays the authority, is not on this machine";

/** A time-stamping authority, played by OpenSSL: whoever wrote our code did not write what it is held against. */
export interface TestAuthority {
  /** PEM, of its own certificate and of the one that it has it from. */
  readonly certificate: Buffer;
  readonly issuer: Buffer;
  /** Another authority's, of the same name. */
  readonly stranger: Buffer;
  reply(request: Buffer): Promise<Buffer>;
  remove(): void;
}

const configuration = `
[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[stamping]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[other]
basicConstraints = critical,CA:false
`;

/** `section`: of the configuration, what the authority's certificate says that it is for. */
export async function testAuthority(section: "stamping" | "other" = "stamping"): Promise<TestAuthority> {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-tsa-"));
  const run = (...args: readonly string[]) => promisify(execFile)(openssl, args, { cwd: folder });
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  writeFileSync(join(folder, "conf"), configuration);
  writeFileSync(join(folder, "serial"), "01\n");
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "conf"];
  const authority = ["-extensions", "ca", "-days", "30", "-subj", "/CN=Test CA"];
  const ca = (name: string) =>
    run("req", "-x509", ...newKey, ...authority, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  await ca("ca");
  await ca("stranger");
  await run("req", ...newKey, "-subj", "/CN=Test authority", "-keyout", "tsa.key", "-out", "tsa.csr");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "2", "-days", "30"];
  await run("x509", "-req", "-in", "tsa.csr", ...signed, "-extfile", "conf", "-extensions", section, "-out", "tsa.pem");
  return {
    certificate: read("tsa.pem"),
    issuer: read("ca.pem"),
    stranger: read("stranger.pem"),
    async reply(request) {
      writeFileSync(join(folder, "request"), request);
      const signer = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-chain", "ca.pem"];
      await run(
        "ts",
        "-reply",
        "-config",
        "conf",
        "-section",
        "tsa1",
        "-queryfile",
        "request",
        ...signer,
        "-out",
        "reply",
      );
      return read("reply");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
