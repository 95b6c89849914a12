/** Longest text and list that an expression may make: far beyond any setting, far below what hurts. */
const longestText = 1_000_000;
const longestList = 100_000;
/** Steps of all expressions of a pipeline, in all of its cells together: a second or two. */
const mostSteps = 2_000_000;

/** Thrown when an expression asks for more than a pipeline may: `range` says where in the expression. */
export class TooMuchWork extends Error {
  readonly cure: string;
  readonly range: { readonly start: number; readonly end: number } | undefined;
  constructor(message: string, cure: string, range?: { readonly start: number; readonly end: number }) {
    super(message);
    this.cure = cure;
    this.range = range;
  }
}

/** What the expressions of one pipeline may still cost, so that none of them can keep the program busy or fill its memory. */
export class WorkBudget {
  #left = mostSteps;
  readonly #sizes = new WeakMap<object, number>();

  /** Takes `steps` away. Throws {@link TooMuchWork} when nothing is left. */
  spend(steps: number, range?: TooMuchWork['range']): void {
    this.#left -= steps;
    if (this.#left < 0)
      throw new TooMuchWork(
        `the expressions take more than ${mostSteps.toLocaleString('en-US')} steps`,
        'make lists shorter, or compute the value elsewhere and write it down',
        range,
      );
  }

  /** Checks a text or a list that was put together. Throws {@link TooMuchWork} if it is too long. */
  checkLength(value: unknown, range?: TooMuchWork['range']): void {
    if (typeof value === 'string' && value.length > longestText)
      throw new TooMuchWork(
        `a text of more than ${longestText.toLocaleString('en-US')} characters`,
        'a setting is shorter: check what is repeated here',
        range,
      );
    if (!Array.isArray(value)) return;
    this.spend(value.length, range);
    if (value.length > longestList)
      throw new TooMuchWork(
        `a list of more than ${longestList.toLocaleString('en-US')} values`,
        'a setting is shorter: check what is repeated here',
        range,
      );
  }

  /**
   * Checks that all parts of a value together are no more than a list may have. Lists that share parts can be huge although each of them is
   * short, which shows as soon as they are written out. Throws {@link TooMuchWork} if they are.
   */
  checkSize(value: unknown): void {
    if (this.#sizeOf(value) > longestList)
      throw new TooMuchWork(
        `a value of more than ${longestList.toLocaleString('en-US')} parts`,
        'a setting is smaller: check what is repeated here',
      );
  }

  #sizeOf(value: unknown): number {
    if (typeof value === 'string') return 1 + value.length / (longestText / longestList);
    if (typeof value !== 'object' || value === null) return 1;
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const part of Object.values(value)) size += this.#sizeOf(part);
    this.#sizes.set(value, size);
    return size;
  }
}
