/** The `Buffer` of the bundles: every module that names it gets this one. */
export { Buffer } from "buffer/index.js";
