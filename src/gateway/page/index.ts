/**
 * page: the one page at `/`: what runs, what it costs, how to call it, and a few live numbers. Owns its HTML, its files
 * and their headers. Does not own the numbers. Invariants: nothing on it belongs to a tenant; it changes nothing; no
 * script or style stands in the HTML, so that its content policy permits none.
 */
export { documentHeaders, type PageFile, pageFiles } from "./files.ts";
export { type PageModel, type PageStatus, renderPage } from "./render.ts";
