export { Address, type AddressOptions } from "./address.ts";
export { Exchange, type Head, type Reader } from "./exchange.ts";
export { RunningExchanges } from "./running-exchanges.ts";
export { Upstream, type UpstreamOptions } from "./upstream.ts";
