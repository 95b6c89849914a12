/** A number on the tape, by its place. */
export type Value = number;

/**
 * Scalars in double precision with their derivatives by the chain rule, backwards (Griewank and Walther 2008, chapter 3): an oracle for networks,
 * which are written once more on it, one number at a time.
 */
export class Tape {
  readonly values: number[] = [];
  /** Edges of node n: from starts[n] to starts[n + 1]. */
  readonly #starts: number[] = [0];
  readonly #parents: number[] = [];
  readonly #partials: number[] = [];

  /** A number of which nothing is known but itself: a weight, or an input. */
  leaf(value: number): Value {
    this.#starts.push(this.#parents.length);
    return this.values.push(value) - 1;
  }

  /** f(x), with f's derivative at x. */
  unary(x: Value, f: (x: number) => number, derivative: (x: number) => number): Value {
    const at = this.values[x]!;
    this.#edge(x, derivative(at));
    return this.leaf(f(at));
  }

  product(a: Value, b: Value): Value {
    return this.dot([a], [b]);
  }

  /** factor * sum of the terms */
  sum(terms: readonly Value[], factor = 1): Value {
    let total = 0;
    for (const term of terms) {
      this.#edge(term, factor);
      total += this.values[term]!;
    }
    return this.leaf(factor * total);
  }

  /** sum_i a_i b_i, plus one more term if given */
  dot(a: readonly Value[], b: readonly Value[], plus?: Value): Value {
    let total = 0;
    for (let i = 0; i < a.length; i++) {
      const [left, right] = [this.values[a[i]!]!, this.values[b[i]!]!];
      this.#edge(a[i]!, right);
      this.#edge(b[i]!, left);
      total += left * right;
    }
    if (plus !== undefined) {
      this.#edge(plus, 1);
      total += this.values[plus]!;
    }
    return this.leaf(total);
  }

  /** The derivatives of one value with respect to the first `count` leaves. */
  gradient(of: Value, count: number): Float64Array<ArrayBuffer> {
    const adjoints = new Float64Array(this.values.length);
    adjoints[of] = 1;
    for (let node = of; node >= 0; node--) {
      const adjoint = adjoints[node]!;
      if (adjoint === 0) continue;
      for (let edge = this.#starts[node]!; edge < this.#starts[node + 1]!; edge++)
        adjoints[this.#parents[edge]!]! += adjoint * this.#partials[edge]!;
    }
    return adjoints.slice(0, count);
  }

  #edge(parent: Value, partial: number): void {
    this.#parents.push(parent);
    this.#partials.push(partial);
  }
}
