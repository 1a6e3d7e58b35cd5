import { InvalidArgumentError } from "commander";
import { type NetworkAddress, parseAddress } from "../base/index.ts";

/** An option's host and port. */
export function addressOf(text: string): NetworkAddress {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError("It must be a host and a port, such as 127.0.0.1:7080 or [::1]:7080.");
}
