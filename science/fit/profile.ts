/** A least-squares problem y_i = level + shape(x_i, place) with standard errors, where `level` can be solved for at any `place`. */
export interface LevelProblem {
  readonly y: readonly number[];
  readonly sigma: readonly number[];
  /** The curve without its level, at every point, for a place. */
  readonly shape: (place: number) => readonly number[];
}

/** Ends of an interval; undefined on a side where the sum of squares does not reach its bound within what is looked at. */
export interface Interval {
  readonly low: number | undefined;
  readonly high: number | undefined;
}

const goldenShare = (Math.sqrt(5) - 1) / 2;
const halvings = 50;
const sections = 36;

/**
 * The profile of the sum of squares: its least value for each place, and for each level. Intervals from it are asymmetric where the curve is, and have no
 * end where the data set none (Venzon and Moolgavkar 1988).
 */
export class Profile {
  readonly #problem: LevelProblem;
  readonly #range: readonly [number, number];
  readonly #total: number;
  readonly #best: number;
  readonly #least: number;

  /**
   * @param best The place of the least sum of squares.
   * @param range Places that are looked at; `best` lies between them.
   */
  constructor(problem: LevelProblem, best: number, range: readonly [number, number]) {
    this.#problem = problem;
    this.#range = range;
    this.#best = best;
    this.#total = problem.sigma.reduce((sum, error) => sum + error ** -2, 0);
    this.#least = this.#at(best).chiSquare;
  }

  /** The least sum of squares. */
  get chiSquare(): number {
    return this.#least;
  }

  /** How much larger the sum of squares is at a place, at its best level. */
  rise(place: number): number {
    return Math.max(0, this.#at(place).chiSquare - this.#least);
  }

  /** How much larger it is at a level, at its best place in the range. */
  riseOfLevel(level: number): number {
    const rise = (place: number) => {
      const here = this.#at(place);
      return here.chiSquare - this.#least + this.#total * (level - here.level) ** 2;
    };
    const [low, high] = this.#range;
    return Math.max(
      0,
      Math.min(rise(leastPlace(rise, low, this.#best)), rise(leastPlace(rise, this.#best, high))),
    );
  }

  /** Places at which the sum of squares has risen by `bound`. */
  places(bound: number): Interval {
    const [low, high] = this.#range;
    return { low: this.#end(low, bound), high: this.#end(high, bound) };
  }

  /**
   * Levels at which it has, with the place that then is best. The curve falls with x beyond its place and is level before it: where small places have no end,
   * nor has the level upwards.
   */
  levels(bound: number): Interval {
    const { low, high } = this.places(bound);
    const [from, to] = [low ?? this.#range[0], high ?? this.#range[1]];
    const reach = (sign: 1 | -1) => (place: number) => {
      const here = this.#at(place);
      const room = Math.max(0, bound - (here.chiSquare - this.#least));
      return -(sign * here.level + Math.sqrt(room / this.#total));
    };
    const end = (sign: 1 | -1): number => {
      const lacking = reach(sign);
      const [below, above] = [leastPlace(lacking, from, this.#best), leastPlace(lacking, this.#best, to)];
      return sign * -Math.min(lacking(below), lacking(above));
    };
    return { low: end(-1), high: low === undefined ? undefined : end(1) };
  }

  #at(place: number): { readonly level: number; readonly chiSquare: number } {
    const { y, sigma } = this.#problem;
    const shape = this.#problem.shape(place);
    let level = 0;
    for (let i = 0; i < y.length; i++) level += (y[i]! - shape[i]!) / sigma[i]! ** 2;
    level /= this.#total;
    let chiSquare = 0;
    for (let i = 0; i < y.length; i++) chiSquare += ((y[i]! - shape[i]! - level) / sigma[i]!) ** 2;
    return { level, chiSquare };
  }

  #end(edge: number, bound: number): number | undefined {
    if (this.rise(edge) < bound) return undefined;
    let [inside, outside] = [this.#best, edge];
    for (let n = 0; n < halvings; n++) {
      const middle = (inside + outside) / 2;
      if (this.rise(middle) < bound) inside = middle;
      else outside = middle;
    }
    return (inside + outside) / 2;
  }
}

/** Where a function with one minimum between two places is least, by golden sections. */
function leastPlace(value: (place: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  let [left, right] = [high - goldenShare * (high - low), low + goldenShare * (high - low)];
  let [atLeft, atRight] = [value(left), value(right)];
  for (let n = 0; n < sections; n++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - goldenShare * (high - low);
      atLeft = value(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + goldenShare * (high - low);
      atRight = value(right);
    }
  }
  return (low + high) / 2;
}
