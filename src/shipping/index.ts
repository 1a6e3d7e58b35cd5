/**
 * shipping: takes what the journal holds into PostgreSQL, exactly once. Owns the loop and its retries, the count of what
 * waits, and where a receipt can be read until it is shipped. Does not own: the journal, the tables, who asks.
 * Invariants: the watermark moves in the transaction that writes the rows; nothing is released before it is shipped.
 */
export { createShipper, type Shipment, type Shipper, type ShipperOptions } from "./shipper.ts";
