/** Resolves in the next turn of the event loop: what waits for this thread goes first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
