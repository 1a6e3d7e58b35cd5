/** What was asked for cannot be simulated. The message says what is wrong and what to do. */
export class SimulationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SimulationError";
  }
}
