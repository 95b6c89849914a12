import { html, type SafeHtml } from '../html.ts';

const cross = html`λ<sub>cross</sub>`;
const below = html`λ &lt; ${cross}`;
const above = html`λ &gt; ${cross}`;
const weight = html`σ²<sub>θ</sub>`;

/** How the columns of a `parameters` table are written. */
const names: Readonly<Record<string, SafeHtml>> = {
  lambda_cross: cross,
  tau_sgd: html`τ<sub>SGD</sub> (steps)`,
  weight_variance_exponent_below: html`exponent of ${weight} where ${below}`,
  weight_variance_exponent_above: html`exponent of ${weight} where ${above}`,
  velocity_variance_exponent: html`exponent of σ²<sub>v</sub>`,
  loss_fluctuation: html`mean loss of the fluctuations, ½ Σ λ<sub>i</sub> σ²<sub>θ,i</sub>`,
  lambda_cross_leftover: html`${cross}, with the noise left over an epoch`,
  tau_sgd_leftover: html`τ<sub>SGD</sub> (steps), with the noise left over an epoch`,
  noise_leftover_share: html`share of the noise left over, at low frequencies`,
  noise_epoch_share: html`share of the noise left over an epoch`,
  reduced_chi_square_leftover: html`χ² per degree of freedom, with the noise left over`,
  chi_square_p_value_leftover: html`probability of such a χ², with the noise left over`,
  parameter_correlation: html`correlation of the errors of ${cross} and τ<sub>SGD</sub>`,
  reduced_chi_square: html`χ² per degree of freedom`,
  chi_square_p_value: html`probability of such a χ² if the curve is right`,
  r_squared: html`R² of ln τ`,
  directions: html`directions fitted`,
  directions_left_out: html`directions left out`,
  directions_below: html`directions where ${below}`,
  directions_above: html`directions where ${above}`,
};

/** The name of a quantity as people write it; one that is not known keeps its column's name. */
export function quantityName(column: string): SafeHtml {
  return names[column] ?? html`${column.replaceAll('_', ' ')}`;
}
