/** What the schema of the language says of `queue`, for commands that need nothing else of it; a test holds them equal. */
export const queueName = {
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  maxLength: 40,
  expects: 'lowercase letters, digits and single dashes between them, such as `a100`',
} as const;
