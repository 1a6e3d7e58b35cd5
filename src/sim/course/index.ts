/**
 * course: how an experiment went over simulated time, for who looks at a plot. Owns: windows, and what is told of each.
 * Does not own: deciding, simulating, drawing. Invariant: it tells of the same runs as the experiment's figures.
 */
export { type Course, courseOf, type CourseWindow, type ModelTtft } from "./course.ts";
