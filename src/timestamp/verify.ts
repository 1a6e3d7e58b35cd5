import { X509Certificate } from "node:crypto";
import { Certificate, ExtKeyUsage } from "pkijs";
import { isOver, readToken, type Token } from "./token.ts";

export type Dated =
  /** The authority says that the bytes were there at that moment. */
  | { readonly outcome: "dated"; readonly atMs: number; readonly by: string }
  | { readonly outcome: "invalid"; readonly reason: string };

/**
 * Checks a reply over `data` with no network: its form, its imprint, its signature, and that the authority is one of
 * `certificates` (PEM, one or more), or has its certificate from one of them; at the moment that it says, because a token
 * outlives its signer's certificate. Whether that certificate was revoked since, nobody can say offline.
 */
export async function verifyTimestamp(reply: Buffer, data: Buffer, certificates: Buffer): Promise<Dated> {
  const read = readToken(reply);
  if (read.outcome === "refused") return invalid(read.reason);
  const { token } = read;
  if (!isOver(token, data)) return invalid("it is over other bytes");
  const trusted = certificatesIn(certificates);
  if (trusted.length === 0) return invalid("the file of the authority's certificate holds none");
  const signer = await signerOf(token, data, trusted);
  if ("outcome" in signer) return signer;
  const atMs = token.info.genTime.getTime();
  const certificate = x509(signer);
  if (!isForTime(signer)) return invalid("its signer's certificate is not for time-stamping");
  if (atMs < certificate.validFromDate.getTime() || atMs > certificate.validToDate.getTime())
    return invalid("its signer's certificate did not hold at that moment");
  return { outcome: "dated", atMs, by: certificate.subject.replaceAll("\n", ", ") };
}

/** The certificate of who signed it, which is trusted itself or by a chain. */
async function signerOf(token: Token, data: Buffer, trusted: readonly Certificate[]) {
  const { signed, info } = token;
  if (signed.signerInfos.length !== 1) return invalid("it has not exactly one signer");
  const check = (checkChain: boolean) =>
    signed
      .verify({
        signer: 0,
        data: new Uint8Array(data).buffer,
        trustedCerts: [...trusted],
        checkDate: info.genTime,
        checkChain,
        extendedMode: true,
      })
      // What does not hold is rejected with, in the library's own words.
      .catch(() => ({ signatureVerified: false }));
  const byItself = await check(false);
  if (byItself.signatureVerified !== true || !("signerCertificate" in byItself) || !byItself.signerCertificate)
    return invalid("its signature does not hold");
  const signer = byItself.signerCertificate;
  if (trusted.some((each) => x509(each).raw.equals(x509(signer).raw))) return signer;
  const byChain = await check(true);
  if (byChain.signatureVerified === true && "signerCertificateVerified" in byChain && byChain.signerCertificateVerified)
    return signer;
  return invalid("it is signed by none of the authorities that are given");
}

const extendedKeyUsage = "2.5.29.37";
const timeStamping = "1.3.6.1.5.5.7.3.8";

/** RFC 3161, section 2.3. */
function isForTime({ extensions = [] }: Certificate): boolean {
  const usage = extensions.find(({ extnID }) => extnID === extendedKeyUsage)?.parsedValue as unknown;
  return usage instanceof ExtKeyUsage && usage.keyPurposes.includes(timeStamping);
}

function x509(certificate: Certificate): X509Certificate {
  return new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
}

function certificatesIn(pem: Buffer): readonly Certificate[] {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [Certificate.fromBER(new X509Certificate(block).raw)];
    } catch {
      // What is no certificate makes nobody trusted.
      return [];
    }
  });
}

function invalid(reason: string): Extract<Dated, { outcome: "invalid" }> {
  return { outcome: "invalid", reason };
}
