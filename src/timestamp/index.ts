/**
 * timestamp: that somebody else says when bytes were there (RFC 3161). Owns the request to a time-stamping authority, what is
 * made of its reply, and the check of a token offline. Does not own: what is stamped and when (sequencing), how the
 * authority is reached (boot), whose certificates are trusted.
 * Invariants: a token counts for exactly the bytes that it was made over; a date is one only by an authority whose
 * certificate was given, that is meant for this, and that was valid at that date.
 */
export { timestampRequest } from "./request.ts";
export { readReply, type Reply } from "./reply.ts";
export { type Dated, verifyTimestamp } from "./verify.ts";
