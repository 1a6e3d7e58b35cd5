import { hash } from "node:crypto";
import { Integer, OctetString } from "asn1js";
import { AlgorithmIdentifier, MessageImprint, TimeStampReq } from "pkijs";

const sha256 = "2.16.840.1.101.3.4.2.1";

/**
 * A TimeStampReq over the SHA-256 of some bytes (RFC 3161, section 2.4.1), which asks for the authority's certificate too.
 * `nonce`: 8 random bytes, by which an older reply is known.
 */
export function timestampRequest(data: Buffer, nonce: Buffer): Buffer {
  const messageImprint = new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithmId: sha256 }),
    hashedMessage: new OctetString({ valueHex: hash("sha256", data, "buffer") }),
  });
  const request = new TimeStampReq({
    version: 1,
    messageImprint,
    nonce: new Integer({ valueHex: nonceBytes(nonce) }),
    certReq: true,
  });
  return Buffer.from(request.toSchema().toBER());
}

/** As a number of DER has them: positive, and with no zero before them (X.690, section 8.3.2). */
export function nonceBytes(nonce: Buffer): Buffer {
  const bytes = Buffer.from(nonce);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes;
}
