import { InputError } from '../artifacts/errors.ts';
import type { Plan } from '../compiler/index.ts';
import { Problems } from '../compiler/problems.ts';
import { createProspector } from '../runtime/prospects.ts';

/**
 * Looks at every stage of a plan for what is sure to fail: a batch larger than the data, layers that do not fit together. Throws `PipelineError`
 * with the stages, each once, at their lines.
 */
export async function checkProspects(plan: Plan, file: string): Promise<void> {
  const { text } = plan.source;
  const problems = new Problems({ file, text });
  const lines = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  const prospector = createProspector();
  for (const cell of plan.cells) {
    await prospector(cell.stages, (stage, error) => {
      if (!(error instanceof InputError)) return;
      const line = lines[stage.line - 1] ?? 0;
      const start = line + text.slice(line).search(/\S/);
      const where = plan.cells.length > 1 ? ` in cell \`${cell.id}\`` : '';
      const message = `stage \`${stage.name}\` is sure to fail: ${error.message.replace(/\.$/, '')}`;
      problems.error('sure-to-fail', { start, end: start + stage.name.length }, message, error.cure, where);
    });
  }
  problems.throwIfErrors();
}
