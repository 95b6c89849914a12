import { InputError } from '../../artifacts/errors.ts';
import type { Span } from '../../compiler/diagnostics/text-diagnostics.ts';
import type { Plan, PlannedStage } from '../../compiler/index.ts';
import { Diagnostics } from '../../compiler/source/diagnostics.ts';
import { parseYaml } from '../../compiler/source/yaml-source.ts';
import { createProspector } from '../../runtime/cost/prospects.ts';

/**
 * Looks at every stage of a plan for what is sure to fail: a batch larger than the data, layers that do not fit together. Throws `PipelineError`
 * with each mistake once, at the setting that is to blame or else at its stage. With `baseDirectory`, outside data are looked at too.
 */
export async function checkProspects(plan: Plan, file: string, baseDirectory?: string): Promise<void> {
  const { text } = plan.source;
  const prospector = createProspector(baseDirectory);
  let diagnostics: Diagnostics | undefined;
  for (const cell of plan.cells) {
    await prospector(cell.stages, (stage, error) => {
      if (!(error instanceof InputError)) return;
      diagnostics ??= new Diagnostics(parseYaml(text, file));
      const where = plan.cells.length > 1 ? ` in cell \`${cell.id}\`` : '';
      const message = `stage \`${stage.name}\` is sure to fail: ${error.message.replace(/\.$/, '')}`;
      const place = placeOf(stage, error.setting, diagnostics);
      diagnostics.error('sure-to-fail', place, message, error.cure, where);
    });
  }
  diagnostics?.throwIfErrors();
}

/** Where the setting stands, if the file has it in place: `with` as a whole may be an expression, and a default stands nowhere. */
function placeOf({ name }: PlannedStage, setting: string | undefined, diagnostics: Diagnostics): Span {
  const stage = diagnostics.spanOfKey(['stages', name]);
  if (setting === undefined) return stage;
  const parent = diagnostics.spanOfValue(['stages', name, 'with']);
  const own = diagnostics.spanOfValue(['stages', name, 'with', setting]);
  return own.start === parent.start ? stage : own;
}
