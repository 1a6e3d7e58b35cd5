/**
 * plot: figures as pictures. Owns: what is drawn of a simulation and of a quarter's revenue, its look, and the way to SVG text.
 *
 * Does not own: the figures (sim, disclosure), files and options (cli). Invariants: the same figures give the same text; nothing is
 * read or fetched; the packages that draw are loaded when something is drawn, and may be absent (docs/decisions/0017).
 */
export { type CapacityFigures, capacityChart } from "./capacity-chart.ts";
export { courseChart } from "./course-chart.ts";
export { type Drawing, drawingPackages, loadDrawing } from "./draw.ts";
export { revenueByMonth, revenueByProduct } from "./revenue-chart.ts";
export type { Subject } from "./title.ts";
