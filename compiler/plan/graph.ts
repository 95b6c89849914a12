import type { Plan, PlannedCell } from '../plan.ts';
import { asReference, replaceParts } from './recipe.ts';

/**
 * The plan as a Mermaid flow chart: the stages of a cell, an arrow for each artifact that goes from one to the other (dotted for `needs`
 * alone), the stages over all cells, and how many cells there are.
 */
export function toMermaid(plan: Plan): string {
  const [cell] = plan.cells;
  const lines = ['flowchart LR'];
  if (cell === undefined) return `${lines[0]}\n`;
  const title = plan.cells.length === 1 ? '1 cell' : `${plan.cells.length} cells by ${plan.axes.join(', ')}`;
  lines.push(`  subgraph cell["${quoteLabel(title)}"]`);
  for (const { name, uses } of cell.stages)
    lines.push(`    stage_${name}["${quoteLabel(name === uses ? name : `${name} (${uses})`)}"]`);
  lines.push(...cellArrows(cell).map((arrow) => `    ${arrow}`), '  end');
  for (const { name, table, by } of plan.collect) {
    const label = by.length === 0 ? name : `${name} by ${by.join(', ')}`;
    lines.push(
      `  collect_${name}[/"${quoteLabel(label)}"/]`,
      `  stage_${table.stage} -->|${table.output}| collect_${name}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function cellArrows(cell: PlannedCell): string[] {
  return cell.stages.flatMap((stage) => {
    const outputs = new Map<string, Set<string>>();
    replaceParts(stage.with, (part) => {
      const reference = asReference(part);
      if (reference === undefined) return undefined;
      outputs.set(reference.stage, (outputs.get(reference.stage) ?? new Set()).add(reference.output));
      return null;
    });
    return stage.needs.map((need) => {
      const names = [...(outputs.get(need) ?? [])].sort();
      const arrow = names.length === 0 ? '-.->' : `-->|${names.join(', ')}|`;
      return `stage_${need} ${arrow} stage_${stage.name}`;
    });
  });
}

function quoteLabel(text: string): string {
  return text.replaceAll('"', '#quot;');
}
