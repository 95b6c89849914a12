/** The networks and their loss once more, in plain double precision with back-propagation by hand: an oracle that shares no code with them. */
export interface DoubleNetwork {
  /** height, width, channels */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** Absent for a multilayer perceptron. */
  readonly filters?: readonly [number, number];
  readonly hidden: readonly number[];
  readonly activation: 'relu' | 'tanh';
}

export interface LabelledInputs {
  /** examples x height x width x channels */
  readonly inputs: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
}

type Vector = Float64Array<ArrayBuffer>;

interface Layer {
  readonly forward: (x: Vector) => Vector;
  /** Adds to the gradient of the weights, returns that of the input. */
  readonly backward: (x: Vector, y: Vector, dy: Vector) => Vector;
}

/** Mean cross-entropy over the examples plus l2 * (sum of squared kernels), and its gradient. */
export function lossAndGradient(
  network: DoubleNetwork,
  theta: Vector,
  { inputs, labels }: LabelledInputs,
  l2: number,
): { loss: number; gradient: Vector } {
  const gradient = new Float64Array(theta.length);
  const { layers, kernels, used } = build(network, theta, gradient);
  if (used !== theta.length)
    throw new Error(`The oracle's network has ${used} weights, got ${theta.length}.`);
  const pixels = network.shape[0] * network.shape[1] * network.shape[2];
  let loss = 0;
  for (let example = 0; example < labels.length; example++) {
    const values = [Float64Array.from({ length: pixels }, (_, i) => inputs[example * pixels + i]!)];
    for (const layer of layers) values.push(layer.forward(values.at(-1)!));
    const logits = values.at(-1)!;
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
    const label = labels[example]!;
    loss += (Math.log(total) + largest - logits[label]!) / labels.length;
    let upstream = logits.map(
      (z, c) => (Math.exp(z - largest) / total - (c === label ? 1 : 0)) / labels.length,
    );
    for (let l = layers.length - 1; l >= 0; l--)
      upstream = layers[l]!.backward(values[l]!, values[l + 1]!, upstream);
  }
  for (const [start, end] of kernels) {
    for (let i = start; i < end; i++) {
      loss += l2 * theta[i]! ** 2;
      gradient[i]! += 2 * l2 * theta[i]!;
    }
  }
  return { loss, gradient };
}

/** The Hessian, P x P, by central differences of the gradient, made symmetric. */
export function denseHessian(
  network: DoubleNetwork,
  theta: Vector,
  data: LabelledInputs,
  l2: number,
  step = 1e-6,
): Vector[] {
  const columns = Array.from(theta, (value, i) => {
    const at = (x: number) => {
      const moved = theta.slice();
      moved[i] = x;
      return lossAndGradient(network, moved, data, l2).gradient;
    };
    const above = at(value + step);
    const below = at(value - step);
    return above.map((g, j) => (g - below[j]!) / (2 * step));
  });
  return columns.map((column, i) => column.map((value, j) => (value + columns[j]![i]!) / 2));
}

function build(network: DoubleNetwork, theta: Vector, gradient: Vector) {
  const layers: Layer[] = [];
  const kernels: [number, number][] = [];
  let used = 0;
  const take = (kernel: number, bias: number) => {
    const at = { kernel: used, bias: used + kernel };
    kernels.push([used, used + kernel]);
    used += kernel + bias;
    return at;
  };
  let [height, width, channels] = network.shape;
  for (const filters of network.filters ?? []) {
    const at = take(25 * channels * filters, filters);
    layers.push(
      convolution(height, width, channels, filters, at, theta, gradient),
      pointwise(network.activation),
    );
    layers.push(pooling(height, width, filters));
    [height, width, channels] = [Math.ceil(height / 2), Math.ceil(width / 2), filters];
  }
  let inputs = height * width * channels;
  const widths = [...network.hidden, network.classes];
  for (const [index, outputs] of widths.entries()) {
    layers.push(dense(inputs, outputs, take(inputs * outputs, outputs), theta, gradient));
    if (index < widths.length - 1) layers.push(pointwise(network.activation));
    inputs = outputs;
  }
  return { layers, kernels, used };
}

interface Place {
  readonly kernel: number;
  readonly bias: number;
}

function dense(inputs: number, outputs: number, at: Place, theta: Vector, gradient: Vector): Layer {
  return {
    forward: (x) =>
      Float64Array.from({ length: outputs }, (_, o) => {
        let sum = theta[at.bias + o]!;
        for (let i = 0; i < inputs; i++) sum += x[i]! * theta[at.kernel + i * outputs + o]!;
        return sum;
      }),
    backward: (x, _y, dy) => {
      const dx = new Float64Array(inputs);
      for (let o = 0; o < outputs; o++) {
        gradient[at.bias + o]! += dy[o]!;
        for (let i = 0; i < inputs; i++) {
          gradient[at.kernel + i * outputs + o]! += dy[o]! * x[i]!;
          dx[i]! += dy[o]! * theta[at.kernel + i * outputs + o]!;
        }
      }
      return dx;
    },
  };
}

function convolution(
  height: number,
  width: number,
  channels: number,
  filters: number,
  at: Place,
  theta: Vector,
  gradient: Vector,
): Layer {
  /** Calls back with the indices of output, input and weight for each product of a 5x5 'same' convolution. */
  const products = (visit: (y: number, x: number, w: number) => void) => {
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++)
        for (let a = 0; a < 5; a++)
          for (let b = 0; b < 5; b++) {
            const [r, c] = [row + a - 2, column + b - 2];
            if (r < 0 || r >= height || c < 0 || c >= width) continue;
            for (let i = 0; i < channels; i++)
              for (let o = 0; o < filters; o++)
                visit(
                  (row * width + column) * filters + o,
                  (r * width + c) * channels + i,
                  ((a * 5 + b) * channels + i) * filters + o,
                );
          }
  };
  return {
    forward: (x) => {
      const y = Float64Array.from(
        { length: height * width * filters },
        (_, i) => theta[at.bias + (i % filters)]!,
      );
      products((to, from, weight) => {
        y[to]! += x[from]! * theta[at.kernel + weight]!;
      });
      return y;
    },
    backward: (x, _y, dy) => {
      const dx = new Float64Array(x.length);
      for (const [i, value] of dy.entries()) gradient[at.bias + (i % filters)]! += value;
      products((to, from, weight) => {
        gradient[at.kernel + weight]! += dy[to]! * x[from]!;
        dx[from]! += dy[to]! * theta[at.kernel + weight]!;
      });
      return dx;
    },
  };
}

function pooling(height: number, width: number, channels: number): Layer {
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const source = (x: Vector, row: number, column: number, channel: number) => {
    let best = -1;
    for (let r = 2 * row; r < Math.min(2 * row + 2, height); r++)
      for (let c = 2 * column; c < Math.min(2 * column + 2, width); c++) {
        const i = (r * width + c) * channels + channel;
        if (best < 0 || x[i]! > x[best]!) best = i;
      }
    return best;
  };
  const sources = (x: Vector) =>
    Array.from({ length: rows * columns * channels }, (_, i) => {
      const position = Math.floor(i / channels);
      return source(x, Math.floor(position / columns), position % columns, i % channels);
    });
  return {
    forward: (x) => Float64Array.from(sources(x), (from) => x[from]!),
    backward: (x, _y, dy) => {
      const dx = new Float64Array(x.length);
      for (const [to, from] of sources(x).entries()) dx[from]! += dy[to]!;
      return dx;
    },
  };
}

function pointwise(activation: 'relu' | 'tanh'): Layer {
  return activation === 'tanh'
    ? { forward: (x) => x.map(Math.tanh), backward: (_x, y, dy) => dy.map((d, i) => d * (1 - y[i]! ** 2)) }
    : {
        forward: (x) => x.map((value) => Math.max(value, 0)),
        backward: (x, _y, dy) => dy.map((d, i) => (x[i]! > 0 ? d : 0)),
      };
}
