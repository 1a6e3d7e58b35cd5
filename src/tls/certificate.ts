import { KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { Integer, Utf8String } from "asn1js";
import { AttributeTypeAndValue, Certificate, Time } from "pkijs";

const commonName = "2.5.4.3";
const generalizedTime = 1;

/**
 * A new key pair (P-256) and the certificate that it signs for itself, which comes first, both as PEM. Nobody looks at its
 * name or its dates, because clocks differ and the key is what is known: it has no well-defined end (RFC 5280, section
 * 4.1.2.5).
 */
export async function newIdentity(name: string): Promise<string> {
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const certificate = new Certificate();
  // Version 3, of which the number is 2.
  certificate.version = 2;
  certificate.serialNumber = new Integer({ value: 1 });
  for (const { typesAndValues } of [certificate.issuer, certificate.subject]) {
    typesAndValues.push(new AttributeTypeAndValue({ type: commonName, value: new Utf8String({ value: name }) }));
  }
  certificate.notBefore.value = new Date("2020-01-01T00:00:00Z");
  certificate.notAfter = new Time({ type: generalizedTime, value: new Date("9999-12-31T23:59:59Z") });
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  await certificate.sign(privateKey, "SHA-256");
  const key = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" });
  const shown = new X509Certificate(Buffer.from(certificate.toSchema().toBER()));
  return `${shown.toString()}${String(key)}`;
}
