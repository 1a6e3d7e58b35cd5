/**
 * base: what every other folder may use: time, identifiers, money, errors, canonical bytes, the hashes of
 * Merkle trees, and the words that all share (usage, tiers, data classes). It imports nothing of ours.
 */
export { base64Url, decodeBase64, fromBase64Url } from "./base64.ts";
export { type Cancel, type Clock, ManualClock, sleep, systemClock } from "./clock.ts";
export { beginsAsFormula, csvLine, isFormula } from "./csv.ts";
export { canonicalForm, type CanonicalValue, canonicalJson, quoteJson } from "./canonical.ts";
export { countries, countryMeant, countryName } from "./countries.ts";
export { type DataClass, dataClasses, isDataClass } from "./data-class.ts";
export { DiskFullError } from "./disk-full.ts";
export { documentProblems, type MemberProblem } from "./document-problems.ts";
export { escapeHtml } from "./escape-html.ts";
export { InexactNumber, readExactJson, twiceText } from "./exact-json.ts";
export {
  type ErrorCode,
  type ErrorEntry,
  errorBody,
  errorEvent,
  errorCodes,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "./errors.ts";
export {
  createIds,
  type GatewayId,
  type HostId,
  type HostTokenId,
  type Id,
  type IdPrefix,
  type Ids,
  type InstallationId,
  isId,
  type KeyId,
  type OrganisationId,
  type ProjectId,
  type ReceiptId,
  type RequestId,
  type ReservationId,
  type OperatorId,
  type ContentKeyId,
  type ErasureId,
  type GrantId,
  type ExitId,
  type InvoiceId,
  withPrefix,
} from "./ids.ts";
export { isLoopback } from "./loopback.ts";
export { type KeyPermission, keyPermissions, type KeyReach, keyReaches, openingPermissions } from "./key-permission.ts";
export { memberPath } from "./member-path.ts";
export { emptyRoot, hashBytes, leafHash, nodeHash, raise, rootOver, writeHash } from "./merkle.ts";
export {
  type Amount,
  type Exact,
  formatAmount,
  formatExact,
  parseAmount,
  parseExact,
  readAmount,
  priceExactly,
  zero,
} from "./money.ts";
export { nearest } from "./nearest.ts";
export { isTooNested, nestingMax } from "./nesting.ts";
export { isInside, outsideLookup } from "./outside-network.ts";
export { addressText, isEverywhere, type NetworkAddress, parseAddress } from "./network-address.ts";
export { createSalts } from "./salts.ts";
export { describeInvalid } from "./schema-words.ts";
export { Seldom } from "./seldom.ts";
export { type Objective, type Tier, tiers } from "./tier.ts";
export { type Ending, type Usage, zeroUsage } from "./usage.ts";
