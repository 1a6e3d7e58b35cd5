/**
 * A sentence for people of what a schema (zod) says of a value. `subject`: what it is about, such as "`name`"; it stands
 * first, so that "Invalid input: expected string, received undefined" becomes "`name` is required.".
 */
export function describeInvalid(subject: string, message: string): string {
  const [, expected = "", received] = /^Invalid input: expected (.+), received (\w+)$/.exec(message) ?? [];
  if (received === "undefined") return `${subject} is required.`;
  if (received !== undefined) return `${subject} must be ${withArticle(expected)}, not ${received}.`;
  const options = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (options !== undefined) return `${subject} must be one of ${options.replaceAll("|", ", ")}.`;
  return `${subject} is not valid: ${message}.`;
}

function withArticle(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
