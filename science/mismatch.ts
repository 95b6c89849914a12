/**
 * Thrown when what is given to the mathematics does not fit together, or is not a number: an array of another length, a label that is no class, a
 * weight that is not finite. The same input would end the same.
 */
export class MismatchError extends Error {
  override readonly name = 'MismatchError';
  readonly cure: string;
  constructor(what: string, expected: string, got: string, cure: string) {
    super(`${what}: expected ${expected}, got ${got}.`);
    this.cure = cure;
  }
}

/** Throws {@link MismatchError} unless `values` has `length` entries; `meaning` says what they are, such as `one for each weight`. */
export function checkLength(
  what: string,
  values: ArrayLike<number>,
  length: number,
  meaning: string,
  cure = 'Give an array of that length.',
): void {
  if (values.length !== length)
    throw new MismatchError(what, `${length} values (${meaning})`, `${values.length}`, cure);
}

/** Throws {@link MismatchError} naming the first value that is NaN or infinite. */
export function checkFinite(what: string, values: ArrayLike<number>, cure: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      throw new MismatchError(what, 'finite numbers', `${values[i]} at index ${i}`, cure);
}

/** Throws {@link MismatchError} unless `value` is a whole number from `least` to `most`, which is `meaning`. */
export function checkWhole(
  what: string,
  value: number,
  [least, most]: readonly [number, number],
  meaning = '',
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === Number.POSITIVE_INFINITY ? `${least} or more` : `from ${least} to ${most}`;
  throw new MismatchError(
    what,
    `a whole number, ${range}${meaning && ` (${meaning})`}`,
    `${value}`,
    'Choose one of these.',
  );
}

/** Throws {@link MismatchError} unless there is one finite weight for each of the `size` weights of a network. */
export function checkWeights(weights: Float32Array, size: number): void {
  checkLength('weights', weights, size, 'one for each weight of the network');
  checkFinite('weights', weights, 'Look at where they come from: has a training diverged?');
}
