/** Ends every line with \n, as lines are counted by it: with \r\n each would be two within a quoted cell, and \r none. */
export async function* withLineFeeds(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let wasReturn = false;
  for await (const chunk of bytes) {
    // One character a byte: in UTF-8 no byte of another character is one of the two.
    const text = chunk.toString("latin1");
    const rest = wasReturn && text.startsWith("\n") ? text.slice(1) : text;
    wasReturn = text.endsWith("\r");
    yield Buffer.from(rest.replaceAll(/\r\n?/g, "\n"), "latin1");
  }
}
