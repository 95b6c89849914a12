import { isMap } from '../values.ts';

/** Longest text and list that an expression may make: far beyond any setting, far below what hurts. */
const longestText = 1_000_000;
const longestList = 100_000;
/** Deepest lists and maps within one another, as in the file itself. */
const deepestValue = 100;
/** Steps of all expressions of a pipeline, in all of its cells together: about a second. */
const mostSteps = 20_000_000;
/** Steps that an error costs, which CEL forgives where another part of `||` or `exists` decides. */
const stepsOfError = 500;

const shown = (count: number) => count.toLocaleString('en-US');
const repeated = 'a setting is shorter: check what is repeated here';

/** Thrown when an expression asks for more than a pipeline may: `range` says where in the expression. */
export class TooMuchWork extends Error {
  readonly cure: string;
  /** True if another expression has used up the steps, which has been told. */
  readonly known: boolean;
  range: { readonly start: number; readonly end: number } | undefined;
  constructor(message: string, cure: string, known = false) {
    super(message);
    this.cure = cure;
    this.known = known;
  }
}

interface Extent {
  /** Parts that it has if it is written out; ten characters of a text count as one. */
  readonly size: number;
  readonly depth: number;
}

const scalar: Extent = { size: 1, depth: 0 };

/** What the expressions of one pipeline may still cost, so that none of them can keep the program busy or fill its memory. */
export class WorkBudget {
  #left = mostSteps;
  /** Values do not change, so each is looked through once, although it can stand in many others. */
  readonly #extents = new WeakMap<object, Extent>();

  /** Takes `steps` away. Throws {@link TooMuchWork} when nothing is left. */
  spend(steps: number): void {
    const known = this.#left < 0;
    this.#left -= steps;
    if (this.#left < 0)
      throw new TooMuchWork(
        `the expressions take more than ${shown(mostSteps)} steps`,
        'make lists shorter, or compute the value elsewhere and write it down',
        known,
      );
  }

  /** Pays for an error that is forgiven. Throws the error if it is that nothing is left. */
  forgive(error: unknown): unknown {
    if (error instanceof TooMuchWork) throw error;
    this.spend(stepsOfError);
    return error;
  }

  /** Pays for looking through a value, at so many steps a part; the keys of a map take longer than the items of a list. */
  spendOn(value: unknown, steps = isMap(value) ? 10 : 1): void {
    this.spend(steps * this.#extentOf(value).size);
  }

  /** Throws {@link TooMuchWork} for a text of more than a million characters. */
  checkText(length: number): void {
    if (length > longestText)
      throw new TooMuchWork(`a text of more than ${shown(longestText)} characters`, repeated);
  }

  /** Returns a value that was put together. Throws {@link TooMuchWork} if it is too large. */
  check<T>(value: T): T {
    if (typeof value === 'string') this.checkText(value.length);
    if (Array.isArray(value) && value.length > longestList)
      throw new TooMuchWork(`a list of more than ${shown(longestList)} values`, repeated);
    // Lists that share parts can be huge although each of them is short, which shows as soon as they are written out.
    const { size, depth } = this.#extentOf(value);
    if (size > longestList + 1)
      throw new TooMuchWork(`a value of more than ${shown(longestList)} parts`, repeated);
    if (depth > deepestValue)
      throw new TooMuchWork(`lists and maps are nested more than ${deepestValue} deep`, repeated);
    return value;
  }

  /** Checks and pays for a value that was put together. */
  made<T>(value: T): T {
    this.spend(this.#extentOf(this.check(value)).size);
    return value;
  }

  #extentOf(value: unknown): Extent {
    if (typeof value === 'string') return { size: 1 + (value.length * longestList) / longestText, depth: 0 };
    if (typeof value !== 'object' || value === null) return scalar;
    const known = this.#extents.get(value);
    if (known !== undefined) return known;
    let [size, depth] = [1, 0];
    for (const part of Object.values(value)) {
      const extent = this.#extentOf(part);
      size += extent.size;
      depth = Math.max(depth, extent.depth);
    }
    const extent = { size, depth: depth + 1 };
    this.#extents.set(value, extent);
    return extent;
  }
}
