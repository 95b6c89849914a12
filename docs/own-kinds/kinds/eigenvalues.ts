interface Cells {
  readonly cells: readonly { readonly columns: Readonly<Record<string, ArrayLike<number> | undefined>> }[];
}

export const figure = {
  scope: 'cell',
  draw: ({ cells }: Cells) => ({
    spec: {
      width: 360,
      height: 260,
      data: {
        values: cells.flatMap(({ columns }) =>
          Array.from(columns.eigenvalue ?? [], (eigenvalue, index) => ({ rank: index + 1, eigenvalue })),
        ),
      },
      mark: { type: 'point', filled: true },
      encoding: {
        x: { field: 'rank', type: 'quantitative', axis: { title: 'rank', tickMinStep: 1 } },
        y: { field: 'eigenvalue', type: 'quantitative', axis: { title: 'λ' } },
      },
    },
    legend: [],
  }),
  caption: () => ['The largest eigenvalues of the Hessian of the loss at the trained weights.'],
};
