import { InputError } from '../../artifacts/errors.ts';
import { Problems, type Span } from '../../compiler/diagnostics/problems.ts';
import type { Plan, PlannedStage } from '../../compiler/index.ts';
import { parseYaml, spanOfKey, spanOfValue, type YamlSource } from '../../compiler/source/yaml-source.ts';
import { createProspector } from '../../runtime/cost/prospects.ts';

/**
 * Looks at every stage of a plan for what is sure to fail: a batch larger than the data, layers that do not fit together. Throws `PipelineError`
 * with each mistake once, at the setting that is to blame or else at its stage. With `baseDirectory`, outside data are looked at too.
 */
export async function checkProspects(plan: Plan, file: string, baseDirectory?: string): Promise<void> {
  const { text } = plan.source;
  const problems = new Problems({ file, text });
  const prospector = createProspector(baseDirectory);
  let source: YamlSource | undefined;
  for (const cell of plan.cells) {
    await prospector(cell.stages, (stage, error) => {
      if (!(error instanceof InputError)) return;
      source ??= parseYaml(text, file);
      const where = plan.cells.length > 1 ? ` in cell \`${cell.id}\`` : '';
      const message = `stage \`${stage.name}\` is sure to fail: ${error.message.replace(/\.$/, '')}`;
      problems.error('sure-to-fail', placeOf(stage, error.setting, source), message, error.cure, where);
    });
  }
  problems.throwIfErrors();
}

/** Where the setting stands, if the file has it in place: `with` as a whole may be an expression, and a default stands nowhere. */
function placeOf({ name }: PlannedStage, setting: string | undefined, source: YamlSource): Span {
  const stage = spanOfKey(source, ['stages', name]);
  if (setting === undefined) return stage;
  const parent = spanOfValue(source, ['stages', name, 'with']);
  const own = spanOfValue(source, ['stages', name, 'with', setting]);
  return own.start === parent.start ? stage : own;
}
